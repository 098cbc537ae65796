/**
 * Whose code runs: an owner travels with every callback, promise and timer of a plugin. With it, what a plugin
 * prints goes to the log, and what it throws after everybody has stopped waiting ends nothing.
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { pathToFileURL } from "node:url";
import { HermesError, problemOf } from "#core/errors";
import { divertStdout } from "#core/stdout";

/** A plugin, as far as its output and its stray errors are concerned. */
export interface Owner {
  readonly name: string;
  /** The real path of its folder. */
  readonly folder: string;
  /** Takes what it printed. */
  readonly onOutput: (text: string) => void;
  /** Takes a sentence about an error that it left behind. */
  readonly onStray: (sentence: string) => void;
}

const owners = new AsyncLocalStorage<Owner | undefined>();
/**
 * For errors that lost their context: recognised by the folder that their stack names. One owner a folder, the last
 * one: what a plugin leaves behind after it was loaded anew is still its own.
 */
const known = new Map<string, Owner>();
let watching = false;

/**
 * A scope whose `runInAsyncScope` runs code as the owner's. (Making the context once and re-entering it costs 15 ns
 * a call; `AsyncLocalStorage.run` would cost 300.)
 */
export function createScope(owner: Owner): AsyncResource {
  known.set(owner.folder, owner);
  return owners.run(owner, () => new AsyncResource("HERMES_PLUGIN"));
}

/** Runs the host's own code on behalf of a plugin: what goes wrong in it is not the plugin's. */
export function asHost<Value>(work: () => Value): Value {
  return owners.run(undefined, work);
}

/**
 * From now on takes plugins' output, and every error that nobody caught: a plugin's is reported to its owner,
 * any other ends the program with HERMES_INTERNAL and 1. Stays until the end, because a plugin's timers do too.
 */
export function watchStrays(): void {
  if (watching) return;
  watching = true;
  divertStdout((text) => {
    const owner = owners.getStore() ?? ownerOfStack(new Error("where from").stack);
    owner?.onOutput(text);
    return owner !== undefined;
  });
  process.on("unhandledRejection", (reason) => stray(reason, "left an unhandled rejection", "unhandledRejection"));
  process.on("uncaughtException", (error) => stray(error, "threw outside its callbacks", "uncaughtException"));
}

function stray(thrown: unknown, what: string, kind: "unhandledRejection" | "uncaughtException"): void {
  const owner = owners.getStore() ?? ownerOfStack(stackOf(thrown));
  if (owner !== undefined) return owner.onStray(`plugin "${owner.name}" ${what}: ${problemOf(thrown)}`);
  // Somebody else takes such errors too (a test runner, say): then it is theirs to judge.
  if (process.listenerCount(kind) > 1) return;
  const error = new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) });
  const details = process.env["HERMES_DEBUG"] ? `${stackOf(thrown) ?? ""}\n` : "";
  process.stderr.write(`hermes: ${error.message}\n${details}`);
  process.exit(error.exitCode);
}

function ownerOfStack(stack: string | undefined): Owner | undefined {
  if (stack === undefined) return undefined;
  for (const owner of known.values()) {
    if (stack.includes(`${pathToFileURL(owner.folder).href}/`) || stack.includes(`${owner.folder}/`)) return owner;
  }
  return undefined;
}

function stackOf(thrown: unknown): string | undefined {
  try {
    const stack = (thrown as { stack?: unknown } | null | undefined)?.stack;
    return typeof stack === "string" ? stack : undefined;
  } catch {
    // A hostile getter: then there is no stack.
    return undefined;
  }
}
