import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import { readOutput } from "#daemon/tasks/output";
import { createRenderer } from "#cli/chat/renderers";
import { openTurnDisplay } from "#cli/chat/turn-display";
import type { CliContext } from "#cli/context";
import { taskId, withTasks } from "#cli/tasks/home";
import { TaskWatch } from "#cli/tasks/watch";

export interface OutputOptions {
  readonly follow?: boolean;
  readonly tail?: number;
  readonly outputFormat: "text" | "stream-json";
}

/** `hermes tasks output ID`: what the last attempt has printed. */
export function showOutput(
  written: string,
  options: OutputOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  return withTasks(command, context, async ({ store, stores: { outputs }, paths }) => {
    const id = await taskId(written, store);
    using watch = options.follow ? new TaskWatch(context) : undefined;
    const show = printer(options, watch?.context ?? context);
    for (let shown = 0, stored = 0, attempt = 0; ;) {
      const task = await store.get(id);
      if (task === undefined)
        throw new HermesError("HERMES_ID_UNKNOWN", { noun: "task", id, list: "hermes tasks list" });
      const isOver = task.exit_code !== null;
      // A further attempt begins an output of its own.
      if (task.attempt !== attempt) shown = 0;
      ({ attempt } = task);
      const elsewhere = await outputs.read(id, stored);
      const lines = elsewhere === undefined ? readOutput(paths.tasks, id).slice(shown) : elsewhere.lines;
      show.add(lines);
      // What is left out in the middle makes it shorter, and is no reason to show the rest again.
      if (elsewhere === undefined) shown += lines.length;
      else stored = elsewhere.next;
      if (watch !== undefined && !isOver && (await watch.untilNext(task))) continue;
      show.end();
      if (watch !== undefined && isOver) context.exit(task.exit_code ?? 0);
      return;
    }
  });
}

interface Printer {
  readonly add: (lines: readonly string[]) => void;
  readonly end: () => void;
}

function printer({ tail, follow, outputFormat }: OutputOptions, context: CliContext): Printer {
  const held: string[] = [];
  const isHeld = tail !== undefined && follow !== true;
  const write = (text: string) => (isHeld ? void held.push(text) : context.write(text));
  const endHeld = () => {
    const lines = held.join("").split(/(?<=\n)/);
    if (isHeld) context.write(lines.slice(-(tail ?? 0)).join(""));
  };
  if (outputFormat === "stream-json") {
    return { add: (lines) => lines.forEach((line) => write(`${line}\n`)), end: endHeld };
  }
  const line = (text: string) => write(text.endsWith("\n") ? text : `${text}\n`);
  const renderer = createRenderer({
    format: "text",
    quiet: false,
    streaming: () => true,
    reasoning: { on: false },
    display: openTurnDisplay({ context, verbose: { on: false }, isHere: false }),
    context: { ...context, write, out: line },
  });
  return {
    add: (lines) => {
      for (const text of lines) showFrame(JSON.parse(text) as Frame | Truncated, renderer.show, line);
    },
    end() {
      renderer.finish();
      endHeld();
    },
  };
}

interface Truncated {
  readonly type: "truncated";
  readonly bytes: number;
}

function showFrame(frame: Frame | Truncated, show: (frame: Frame) => void, line: (text: string) => void): void {
  if (frame.type === "truncated") line(`\n[${frame.bytes} bytes were left out]`);
  else show(frame);
}
