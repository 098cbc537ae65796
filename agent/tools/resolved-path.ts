/** What a path in a tool's arguments means, and whether the tool may go there. */
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import type { ToolCall } from "#core/ports/agent";
import type { Wall } from "#core/ports/wall";
import { expandHome, userHome } from "#core/home/paths";
import { didYouMean } from "#core/suggest";
import type { Access, GuardedFiles } from "#agent/guard/files";
import { realPlace } from "#agent/guard/paths";
import type { BackgroundCommands } from "./background.ts";

/** What every built-in tool is made with. */
export interface ToolDeps {
  readonly guard: GuardedFiles;
  /** The program's environment; commands get it filtered. */
  readonly env: NodeJS.ProcessEnv;
  /** Names of variables that commands get although they are named like secrets. */
  readonly envPassthrough: readonly string[];
  /** Variables that hooks set for a session's commands. */
  readonly sessionVariables?: ((sessionId: string) => Readonly<Record<string, string>>) | undefined;
  /** The home of hermes, which commands are marked with. */
  readonly home: string;
  /** What commands may see and write. */
  readonly wall?: Wall | undefined;
  readonly background?: BackgroundCommands | undefined;
}

/** A place that a tool may use. */
export interface ResolvedPath {
  /** As the model spelled it: for messages. */
  readonly shown: string;
  /** Absolute, links as they are: what the model gets to see. */
  readonly spelled: string;
  /** Absolute, with every link resolved: what is opened. */
  readonly path: string;
}

/**
 * Resolves a path of a tool's arguments: relative to the call's folder, `~` for the user's home, links followed.
 * Throws the guard's sentence for a place that is
 * guarded against this access.
 */
export function findPlace(path: string, access: Access, call: ToolCall, deps: ToolDeps): ResolvedPath {
  const expanded = expandHome(path, userHome(deps.env));
  const spelled = resolve(call.cwd, expanded);
  const place = realPlace(spelled);
  const refusal = deps.guard.refuse(expanded, call.cwd, access) ?? deps.guard.refuse(place, call.cwd, access);
  if (refusal !== null) throw new Error(refusal);
  return { shown: path, spelled, path: place };
}

/** The state of an existing regular file. Throws a sentence for anything else. */
export async function statFile(place: ResolvedPath): Promise<Stats> {
  const stats = await statPlace(place);
  if (stats.isDirectory()) throw new Error(`${place.shown} is a folder, not a file`);
  if (!stats.isFile()) throw new Error(`${place.shown} is not a regular file (a device, pipe or socket)`);
  return stats;
}

/** The state of what is at a place. A missing one is an error with a did-you-mean among its siblings. */
export async function statPlace(place: ResolvedPath): Promise<Stats> {
  try {
    return await stat(place.path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw new Error(describeFileError(error, place), { cause: error });
    const siblings = await readdir(dirname(place.path)).catch(() => null);
    if (siblings === null)
      throw new Error(`${place.shown} does not exist, and neither does its folder`, { cause: error });
    throw new Error(`${place.shown} does not exist.${didYouMean(basename(place.path), siblings)}`, { cause: error });
  }
}

/** The sentence for a failed file operation. */
export function describeFileError(error: unknown, place: ResolvedPath): string {
  const problem = PROBLEMS[codeOf(error) ?? ""];
  if (problem !== undefined) return `${place.shown}: ${problem}`;
  return `${place.shown}: ${error instanceof Error ? error.message : String(error)}`;
}

/** The system's code of an error (`ENOENT`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOENT: "does not exist",
  ENOTDIR: "a part of the path is a file, not a folder",
  EISDIR: "is a folder, not a file",
  ELOOP: "its symbolic links go in a circle",
  ENAMETOOLONG: "the name is too long",
  ENOSPC: "the disk is full; the file is as it was",
  EDQUOT: "the disk quota is used up; the file is as it was",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
};
