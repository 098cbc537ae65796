/** Shows tool calls on a terminal as their frames arrive: which call a result belongs to, how long it took, what it changed. */
import { declarationOf, isEventName } from "#core/events";
import type { FrameOf } from "#core/frames";
import type { StyledLine } from "#core/styled-text";
import { namesFile, readWhole } from "./changed-file.ts";
import { callLines, resultLines, type FileChange, type LineStyle, type ToolCall } from "./tool-lines.ts";

/** Whether results and arguments are shown as a whole; changed by `/verbose`. */
export interface VerboseSwitch {
  on: boolean;
}

export interface ToolViewOptions {
  readonly verbose: VerboseSwitch;
  /** The columns of the terminal. */
  readonly width: () => number;
  /** Seconds of a clock that never goes back. */
  readonly now: () => number;
  /** True where the tools run in this process's working folder, so that the files they change can be read. */
  readonly hasFiles: boolean;
}

interface PendingCall extends ToolCall {
  readonly id: string;
  /** When it was asked for, then when the last hook let it pass. */
  startedAt: number;
  /** How long hooks took after the tool. */
  hookSeconds: number;
  /** The tool's own time in seconds, once it has ended here. */
  seconds?: number;
  /** True when a hook asked about it: then its frames do not say when it began. */
  asked: boolean;
  /** True when a hook blocked it, which was shown. */
  blocked: boolean;
  /** The file's text before the call; null for one that does not exist yet. */
  before?: string | null | undefined;
}

const CHANGES_FILES: ReadonlySet<string> = new Set(["write_file", "patch"]);

export class ToolView {
  readonly #options: ToolViewOptions;
  readonly #pending = new Map<string, PendingCall>();
  /** The call whose title is the last thing that was shown. */
  #titled: string | undefined;

  constructor(options: ToolViewOptions) {
    this.#options = options;
  }

  /** The lines of a call that was asked for. */
  use({ tool, tool_id: id, params }: FrameOf<"tool_use">): readonly StyledLine[] {
    const before = this.#options.hasFiles && CHANGES_FILES.has(tool) ? readWhole(params["path"]) : undefined;
    const call: PendingCall = {
      id,
      tool,
      params,
      startedAt: this.#options.now(),
      hookSeconds: 0,
      asked: false,
      blocked: false,
      before,
    };
    this.#pending.set(id, call);
    this.#titled = id;
    return callLines(call, this.#style());
  }

  /** Takes note of a hook of a call: its time is not the tool's, and a block is not shown again. */
  hook({ event, outcome, duration_ms, tool_call_id: id }: FrameOf<"hook">): void {
    const call = id === null ? undefined : this.#pending.get(id);
    if (call === undefined) return;
    if (isGate(event)) call.startedAt = this.#options.now();
    else call.hookSeconds += duration_ms / 1000;
    if (isGate(event) && outcome === "ask") call.asked = true;
    if (isGate(event) && outcome === "block") call.blocked = true;
  }

  /** Takes a tool's own time, which is known of turns that run here: without hooks, and without a question's wait. */
  ended(id: string, duration_ms: number): void {
    const call = this.#pending.get(id);
    if (call !== undefined) call.seconds = duration_ms / 1000;
  }

  /** The lines of a result, below the title of its call again when something else was shown meanwhile. */
  result(frame: FrameOf<"tool_result">): readonly StyledLine[] {
    const { tool, tool_id: id, content, success } = frame;
    const call = this.#pending.get(id);
    const title = this.titleOf(id);
    this.#pending.delete(id);
    if (call?.blocked && !success) return [];
    const known = call ?? { tool, params: {} };
    const seconds = call === undefined ? 0 : (call.seconds ?? this.#estimate(call));
    const change = call === undefined || !success ? undefined : this.#changeOf(call, content);
    const lines = resultLines(known, { content, success, seconds, change }, this.#style());
    return lines.length === 0 ? [] : [...title, ...lines];
  }

  /** The title of a call, unless it is the last one that was shown. */
  titleOf(id: string): readonly StyledLine[] {
    const call = this.#pending.get(id);
    if (call === undefined || this.#titled === id) return [];
    this.#titled = id;
    return callLines(call, { ...this.#style(), isVerbose: false });
  }

  /** Calls that never got a result are forgotten. */
  clear(): void {
    this.#pending.clear();
  }

  /** How long a call took that ran elsewhere, as far as its frames say. */
  #estimate({ asked, startedAt, hookSeconds }: PendingCall): number {
    return asked ? 0 : Math.max(0, this.#options.now() - startedAt - hookSeconds);
  }

  /** What the call did to its file, when its text before is known and it can still be read. */
  #changeOf(call: PendingCall, content: string): FileChange | undefined {
    if (call.before === undefined) return undefined;
    const path = call.params["path"];
    const after = readWhole(path);
    // A hook may have chosen another file: then what is known is of the wrong one.
    if (typeof after !== "string" || !namesFile(content, path)) return undefined;
    for (const other of this.#pending.values()) if (other.params["path"] === path) other.before = after;
    return { before: call.before ?? "", after, isNew: call.before === null };
  }

  #style(): LineStyle {
    return { width: this.#options.width(), isVerbose: this.#options.verbose.on };
  }
}

/** True for an event whose hooks decide whether the call runs. */
export function isGate(event: string): boolean {
  return isEventName(event) && declarationOf(event).kind === "gate";
}
