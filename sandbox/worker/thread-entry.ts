/**
 * Runs in a handler's thread: loads the handler, calls it with one event after another, and turns the outcome into
 * plain data. The handler shares these globals and may change any of them. So everything needed later is saved before
 * it is loaded, promises are awaited without calling their `then`, and messages are literals. If it still breaks
 * something, it only breaks its own thread.
 */
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { HookCode } from "#core/ports/tier";
import { limitLines } from "#sandbox/process/lines";
import { divertOutput } from "./printing.ts";
import { describeError, describeLoadError } from "./problems.ts";
import { loadKept, resolveIn } from "./resolve.ts";
import { openThreadChannel } from "./thread-channel.ts";
import { THREAD_DESCRIPTOR, type ThreadMessage, type ThreadStart } from "./wire.ts";

type Handle = (event_type: string, context: unknown) => unknown;
type Send = (message: ThreadMessage, answer?: string) => void;

/** One of the two is null. */
interface Loaded {
  readonly handle: Handle | null;
  readonly problem: string | null;
}

const { parse, stringify } = JSON;
const { store } = Atomics;
const LONGEST_ANSWER = 1024 * 1024;

/** Handles the program's events until the thread ends: the only task that piscina gives the thread. */
export function serve({ folder, handler, sources, busy, ownCache }: ThreadStart): Promise<never> {
  // Child processes of the handler must not inherit what is only for the start of this thread.
  if (ownCache) delete process.env["NODE_COMPILE_CACHE"];
  const state = new Int32Array(busy);
  const send: Send = (message, answer = "") => sendFrame(message === null ? "null" : stringify(message), answer);
  const flush = divertOutput((level, text) => send({ kind: "output", level, text }));
  watchStrays(send, folder);
  registerHooks({ resolve: resolveIn(folder, sources), load: loadKept(sources) });
  const loading = load({ handler, folder, sources });
  let loaded: Loaded | undefined;

  const sendFrame = openThreadChannel(THREAD_DESCRIPTOR, (event, context) => {
    store(state, 0, 1);
    if (loaded === undefined) void loadAndRun(event, context);
    else run(loaded, event, context);
  });

  async function loadAndRun(event: string, context: string): Promise<void> {
    loaded = await loading;
    if (loaded.handle !== null) send({ kind: "loaded" });
    run(loaded, event, context);
  }

  function run({ handle, problem }: Loaded, event: string, context: string): void {
    if (handle === null) return finish({ kind: "unusable", problem: problem ?? "" });
    try {
      const value = handle(event, parse(context));
      // Any object may be a promise.
      if (typeof value === "object" && value !== null) void runOn(value as PromiseLike<unknown>, event);
      else ended(value, event);
    } catch (error) {
      failed(error);
    }
  }

  async function runOn(value: PromiseLike<unknown>, event: string): Promise<void> {
    try {
      ended(await value, event);
    } catch (error) {
      failed(error);
    }
  }

  function ended(value: unknown, event: string): void {
    const answer = encode(value, event);
    if (typeof answer === "string") finish(null, answer);
    else finish(answer);
  }

  function failed(error: unknown): void {
    finish({ kind: "failed", problem: describeError(error, folder) });
  }

  function finish(message: ThreadMessage, answer?: string): void {
    flush();
    store(state, 0, 0);
    send(message, answer);
  }

  return new Promise(() => undefined);
}

async function load({ handler, folder, sources }: HookCode): Promise<Loaded> {
  try {
    const module = (await import(pathToFileURL(handler).href)) as Readonly<Record<string, unknown>>;
    const { handle } = module;
    if (typeof handle === "function") return { handle: handle as Handle, problem: null };
    const names = Object.keys(module).join(", ");
    return { handle: null, problem: `it does not export a function "handle"${names === "" ? "" : `, only ${names}`}` };
  } catch (error) {
    return { handle: null, problem: describeLoadError(error, { folder, handler, sources }) };
  }
}

/** The answer as JSON. A value that is not plain data is an error where answers are used, else no answer. */
function encode(value: unknown, event: string): string | ThreadMessage {
  if (value === undefined || value === null) return null;
  const counts = event.startsWith("command:");
  try {
    const json = stringify(value) as string | undefined;
    if (json !== undefined && json.length <= LONGEST_ANSWER) return json;
    if (!counts) return null;
    const problem =
      json === undefined ? `a ${typeof value}, which is not plain data` : `${json.length} characters of JSON`;
    return { kind: "failed", problem: `it returned ${problem}` };
  } catch (error) {
    if (!counts) return null;
    return { kind: "failed", problem: `it returned a value that JSON cannot represent: ${describeError(error, "")}` };
  }
}

/** Uncaught errors are reported and the thread continues, so that the handler's state is not lost. */
function watchStrays(send: Send, folder: string): void {
  const report = limitLines((_level, problem) => send({ kind: "stray", problem }));
  process.on("uncaughtException", (error) =>
    report("error", `threw outside its calls: ${describeError(error, folder)}`),
  );
  process.on("unhandledRejection", (reason) =>
    report("error", `left an unhandled rejection: ${describeError(reason, folder)}`),
  );
  // Node's own listener does not write to the streams.
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => process.stderr.write(`${name}: ${message}\n`));
}
