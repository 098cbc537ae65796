/** Whether this process runs in hermes's own sandbox, which hides conversations, tokens and logs (CONTRACT §15). */
import { accessSync, constants, existsSync } from "node:fs";
import { HermesError } from "#core/errors";
import type { HomePaths } from "./paths.ts";

/**
 * True in the sandbox: the home can only be read and `state.db` is not in it, or may not be read. A home on a read-only
 * disk still has its files.
 */
export function isHidden({ home, state }: Pick<HomePaths, "home" | "state">): boolean {
  if (existsSync(state)) return failure(state, constants.R_OK) === "EPERM";
  return failure(home, constants.W_OK) === "EROFS";
}

/** Throws HERMES_HIDDEN in the sandbox. `what` is the command that needs what is hidden: `hermes sessions show`. */
export function demandVisible(paths: Pick<HomePaths, "home" | "state">, what: string): void {
  if (isHidden(paths)) throw new HermesError("HERMES_HIDDEN", { what });
}

function failure(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
