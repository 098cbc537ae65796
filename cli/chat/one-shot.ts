/** One turn, then the end: `-q`, `--query-file`, or a message on standard input. */
import { EXIT } from "#core/errors";
import type { Frame } from "#core/frames";
import type { Host } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { exitCodeOf, type Conversation } from "./conversation.ts";
import type { Renderer } from "./renderers.ts";
import { terminalOutput } from "./terminal-output.ts";
import { parseSlash, runSlash } from "./slash-commands.ts";

export interface OneShot {
  readonly message: string;
  readonly host: Host;
  readonly conversation: Conversation;
  readonly context: CliContext;
  readonly renderer: Renderer;
  readonly structured: boolean;
  readonly maxIterations: number | undefined;
}

/** Runs the message as a turn, a `!command` or a slash command. A signal stops it; its closing hooks still run. */
export async function runOnce(run: OneShot): Promise<void> {
  const { conversation, context, renderer } = run;
  const interrupt = new AbortController();
  const caught: NodeJS.Signals[] = [];
  const onSignal = (signal: NodeJS.Signals) => {
    caught.push(signal);
    interrupt.abort();
    // Whoever asks twice does not want to wait for the closing hooks.
    if (caught.length > 1) process.exit(exitCodeOf(signal));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);

  const frames = holdResult(renderer);
  try {
    const code = await perform(run, interrupt.signal, frames.show);
    await conversation.close(caught.length > 0, frames.show);
    const [signal] = caught;
    const exit = signal === undefined ? code : exitCodeOf(signal);
    frames.end(exit);
    context.exit(exit);
  } finally {
    renderer.finish();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, onSignal);
  }
}

async function perform(run: OneShot, signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<number> {
  const { message, conversation, host, context, structured, maxIterations } = run;
  const options = { signal, onFrame, maxIterations };
  const say = (text: string) => (structured ? context.note(text) : context.out(text));
  const text = message.trim();
  if (text.startsWith("!") && !text.includes("\n")) {
    const result = await conversation.shell(text.slice(1).trim(), options);
    if (!structured) context.out(terminalOutput(result));
    return EXIT.ok;
  }
  const command = parseSlash(text);
  if (command !== undefined) {
    const after = await runSlash(command.name, command.args, { host, conversation, say, onFrame, signal });
    return after.next === "send" ? (await conversation.send(after.message, options)).exit_code : EXIT.ok;
  }
  return (await conversation.send(message, options)).exit_code;
}

/** Keeps the `result` frame back until the session is closed: it is the last line, and knows the exit code. */
function holdResult(renderer: Renderer): {
  readonly show: (frame: Frame) => void;
  readonly end: (exit_code: number) => void;
} {
  let result: Extract<Frame, { type: "result" }> | undefined;
  let begun: { readonly session_id: string; readonly at: number } | undefined;
  return {
    show(frame: Frame): void {
      begun ??= { session_id: frame.session_id, at: performance.now() };
      if (frame.type === "result") result = frame;
      else renderer.show(frame);
    },
    end(exit_code: number): void {
      if (begun === undefined) return;
      const duration_ms = Math.round(performance.now() - begun.at);
      const otherwise = { completed: exit_code === EXIT.ok, interrupted: exit_code >= EXIT.interrupted, duration_ms };
      renderer.show({ ...otherwise, ...result, type: "result", session_id: begun.session_id, exit_code });
    },
  };
}
