/**
 * Tracks whose code is running: every callback, promise and timer of a plugin carries its owner. So a plugin's output
 * goes to the log, and an error that it throws after nobody is waiting does not end the program.
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { pathToFileURL } from "node:url";
import { HermesError, problemOf } from "#core/errors";
import { writeStderr } from "#core/stderr";
import { divertStdout } from "#core/stdout";

/** A plugin as the owner of output and stray errors. */
export interface Owner {
  readonly name: string;
  /** The real path of its folder. */
  readonly folder: string;
  /** Takes its output. */
  readonly onOutput: (text: string) => void;
  /** Takes a message about an uncaught error. */
  readonly onStray: (sentence: string) => void;
}

const owners = new AsyncLocalStorage<Owner | undefined>();
/**
 * For errors that lost their context: recognised by the folder in their stack. Each folder has one owner, the last
 * one: what an old version of a plugin leaves behind belongs to the reloaded one.
 */
const known = new Map<string, Owner>();
let watching = false;

/**
 * A scope whose `runInAsyncScope` runs code on behalf of the owner. (Creating the context once and re-entering it takes
 * 15 ns per call; `AsyncLocalStorage.run` would take 300.)
 */
export function createScope(owner: Owner): AsyncResource {
  known.set(owner.folder, owner);
  return owners.run(owner, () => new AsyncResource("HERMES_PLUGIN"));
}

/** Runs the host's own code during a plugin's call: errors in it are not attributed to the plugin. */
export function asHost<Value>(work: () => Value): Value {
  return owners.run(undefined, work);
}

/**
 * From now on captures plugins' output and all uncaught errors: those of a plugin are reported to its owner, any other
 * ends the program with HERMES_INTERNAL and 1. Stays active until exit, as a plugin's timers may.
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
  // Another listener (such as a test runner) handles such errors, too; leave the decision to it.
  if (process.listenerCount(kind) > 1) return;
  const error = new HermesError("HERMES_INTERNAL", { problem: problemOf(thrown) });
  const details = process.env["HERMES_DEBUG"] ? `${stackOf(thrown) ?? ""}\n` : "";
  writeStderr(`hermes: ${error.message}\n${details}`);
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
    // A hostile getter, so there is no stack.
    return undefined;
  }
}
