/** Shows the tool calls and hooks of turns on a terminal. */
import type { Frame } from "#core/frames";
import type { TurnProgress } from "#core/ports/agent";
import type { StyledLine } from "#core/styled-text";
import type { CliContext } from "../context.ts";
import type { Host } from "../host/host.ts";
import { HookNotes, type ShownRun } from "./hook-notes.ts";
import { noticeOf } from "./notices.ts";
import { ToolView, type VerboseSwitch } from "./tool-view.ts";

export interface TurnDisplayOptions {
  readonly context: Pick<CliContext, "styled">;
  readonly verbose: VerboseSwitch;
  /** True where turns run here: their hooks are shown as they end, and files that tools change can be read. */
  readonly isHere: boolean;
}

export interface TurnDisplay {
  /** Shows a frame, if there is something to show of it. */
  show(frame: Frame): void;
  /** Takes what a turn here does at the moment. */
  progress(progress: TurnProgress): void;
  /** Shows a hook's run, of a turn here or between turns. */
  showRun(run: ShownRun): void;
  /** Shows how often hooks failed, at the end of a conversation. */
  end(): void;
}

const DEFAULT_WIDTH = 80;

/** A display for this process's standard error, or undefined where that is no terminal. */
export function openTurnDisplay(options: TurnDisplayOptions): TurnDisplay | undefined {
  if (!process.stderr.isTTY) return undefined;
  const { context, verbose, isHere } = options;
  const width = () => process.stderr.columns || DEFAULT_WIDTH;
  const tools = new ToolView({ verbose, width, now: () => performance.now() / 1000, hasFiles: isHere });
  const notes = new HookNotes();

  function show(lines: readonly StyledLine[]): void {
    if (lines.length > 0) context.styled(lines);
  }

  /** Below the title of the call that it is about. */
  function showHook(run: ShownRun): void {
    const lines = notes.lines(run, width());
    if (lines.length === 0) return;
    show([...(run.tool_call_id === null ? [] : tools.titleOf(run.tool_call_id)), ...lines]);
  }

  return {
    show(frame) {
      switch (frame.type) {
        case "session":
          tools.clear();
          return show(notes.session(frame.session_id));
        case "tool_use":
          return show(tools.use(frame));
        case "tool_result":
          return show(tools.result(frame));
        case "hook":
          tools.hook(frame);
          return isHere ? undefined : showHook(frame);
        default:
          return undefined;
      }
    },
    progress(progress) {
      if (progress.kind === "tool_ended") tools.ended(progress.tool_id, progress.duration_ms);
    },
    showRun: showHook,
    end: () => show(notes.end()),
  };
}

/** Shows what hooks do: on the display where there is one, else one line each on standard error. */
export function watchHooks(host: Host, context: Pick<CliContext, "note">, display: TurnDisplay | undefined): void {
  const { redact } = host;
  host.dispatcher.sinks.add((run) => {
    if (display === undefined) {
      const notice = noticeOf(run);
      if (notice !== undefined) context.note(notice);
    } else {
      const detail = run.detail === null ? null : redact(run.detail);
      display.showRun({ ...run, name: redact(run.name), detail });
    }
  });
}
