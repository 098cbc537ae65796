/** Runs one turn and exits: `-q`, `--query-file`, or a message on standard input. */
import { EXIT, HermesError, isHermesError, problemOf } from "#core/errors";
import type { Frame, FrameOf } from "#core/frames";
import type { TurnProgress } from "#core/ports/agent";
import type { Host } from "../host/host.ts";
import type { CliContext } from "../context.ts";
import { createShutdown, onStopSignal } from "../shutdown.ts";
import type { ChatRepl } from "./chat-repl.ts";
import type { ReasoningSwitch, Renderer } from "./renderers.ts";
import type { ChatScreen } from "./screen/chat-screen.ts";
import { shellOutput } from "./terminal-output.ts";
import { parseSlash } from "#core/command-events";
import { runSlash } from "./slash-commands.ts";
import type { VerboseSwitch } from "./tool-view.ts";

export interface OneShot {
  readonly message: string;
  readonly host: Host;
  readonly conversation: ChatRepl;
  readonly context: CliContext;
  readonly renderer: Renderer;
  readonly reasoning: ReasoningSwitch;
  readonly verbose: VerboseSwitch;
  /** What is drawn on; undefined in a pipe and for the answer alone. */
  readonly screen?: ChatScreen | undefined;
  readonly structured: boolean;
  readonly maxIterations: number | undefined;
}

/** Runs the message as a turn, a `!command` or a slash command. A signal stops it; its closing hooks still run. */
export async function runOnce(run: OneShot): Promise<void> {
  const { conversation, context, renderer } = run;
  const interrupt = new AbortController();
  const shutdown = createShutdown();
  const unlisten = onStopSignal((code) => {
    shutdown.request(code);
    interrupt.abort();
  });

  const frames = holdResult(renderer);
  run.screen?.activity.begin("Working");
  try {
    await renderer.prepare?.();
    const outcome = await perform(run, interrupt.signal, frames.show).catch(failed);
    if (outcome.error !== undefined && shutdown.code === undefined) {
      // An error frame belongs to a session; without one, only the sentence is written.
      if (!frames.fail(outcome.error)) throw outcome.error;
    }
    run.screen?.activity.begin("Closing hooks");
    await conversation.close({ signal: shutdown.signal, onFrame: frames.show });
    const exit = shutdown.code ?? outcome.code;
    frames.end(exit);
    context.exit(exit);
  } finally {
    renderer.finish();
    unlisten();
  }
}

interface Performed {
  readonly code: number;
  /** Reports why a command did not run. A failed turn reports itself. */
  readonly error?: HermesError;
}

function failed(thrown: unknown): Performed {
  const error = isHermesError(thrown)
    ? thrown
    : new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) }, { cause: thrown });
  return { code: error.exitCode, error };
}

async function perform(run: OneShot, signal: AbortSignal, onFrame: (frame: Frame) => void): Promise<Performed> {
  const { message, conversation, host, context, structured, maxIterations } = run;
  const onProgress = (progress: TurnProgress) => run.renderer.progress?.(progress);
  const options = { signal, onFrame, onProgress, maxIterations };
  const text = message.trim();
  if (text.startsWith("!") && !text.includes("\n")) {
    const shell = (show: typeof onFrame) => conversation.shell(text.slice(1).trim(), { ...options, onFrame: show });
    if (structured) await shell(onFrame);
    else {
      const shown = await shellOutput(onFrame, shell);
      if (shown !== "" || !process.stderr.isTTY) context.out(shown);
    }
    return { code: EXIT.ok };
  }
  const command = parseSlash(text);
  if (command === undefined) return { code: (await conversation.send(message, options)).exit_code };
  // All JSON lines belong to a session, which the first one names. The command's output is the answer.
  const said: string[] = [];
  if (structured) conversation.open(options);
  const say = (words: string) => (structured ? void said.push(words) : context.out(words));
  const after = await runSlash(command.name, command.args, {
    host,
    conversation,
    say,
    onFrame,
    reasoning: run.reasoning,
    verbose: run.verbose,
    signal,
    stopTurn: () => false,
  });
  const session_id = conversation.session?.id;
  if (structured && session_id !== undefined && said.length > 0) {
    onFrame({ type: "assistant", session_id, content: said.join("\n"), finish_reason: "stop" });
  }
  return { code: after.next === "send" ? (await conversation.send(after.message, options)).exit_code : EXIT.ok };
}

/** Holds the `result` frame until the session is closed: it is the last line and has the exit code. */
function holdResult(renderer: Renderer) {
  let result: FrameOf<"result"> | undefined;
  let session_id: string | undefined;
  let named: string | undefined;
  let ended = false;
  const started = performance.now();

  function show(frame: Frame): void {
    // Hooks that are no longer awaited must not write after the last line.
    if (ended) return;
    session_id = frame.session_id;
    if (frame.type === "result") result = frame;
    // Only one line names a session, even if a command opened it and a turn follows.
    else if (frame.type !== "session" || named !== session_id) renderer.show(frame);
    if (frame.type === "session") named = session_id;
  }

  return {
    show,
    /** Shows why there was no turn. False if there is no session to show it in. */
    fail({ message, code }: HermesError): boolean {
      if (session_id === undefined) return false;
      show({ type: "error", session_id, message, code });
      return true;
    },
    end(exit_code: number): void {
      ended = true;
      if (session_id === undefined) return;
      const duration_ms = Math.round(performance.now() - started);
      const otherwise = { completed: exit_code === EXIT.ok, interrupted: exit_code >= EXIT.interrupted, duration_ms };
      renderer.show({ ...otherwise, ...result, type: "result", session_id, exit_code });
    },
  };
}
