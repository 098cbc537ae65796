/**
 * The protocol between a hermes in the sandbox and the one outside: one JSON line with the words of a command, answered
 * by JSON lines with its output and finally its exit code (CONTRACT §15).
 */
import { join } from "node:path";
import { isGlobalOption, takesNextWord } from "../global-options.ts";

/** Commands that only read, by their path. */
const ANSWERED: ReadonlySet<string> = new Set(["hooks list", "sessions list"]);

export interface OutsideRequest {
  readonly words: readonly string[];
}

export type OutsideAnswer = { readonly stdout: string } | { readonly stderr: string } | { readonly exit_code: number };

/** The longest request, in bytes. */
export const LONGEST_REQUEST = 64 * 1024;

const SOCKET_NAME = /^outside-\d+\.sock$/;

/** The socket of a process of the home. */
export function outsideSocket(run: string, pid: number): string {
  return join(run, `outside-${pid}.sock`);
}

/** True for the name of such a socket in the folder `run`. */
export function isOutsideSocket(name: string): boolean {
  return SOCKET_NAME.test(name);
}

/** True for a command that is answered outside. `path` is its full name, such as `sessions list`. */
export function isAnswered(path: string): boolean {
  return ANSWERED.has(path);
}

/** The words of a command line without the global options, which only apply to this process. */
export function withoutGlobalOptions(words: readonly string[]): readonly string[] {
  return words.filter((word, index) => {
    const before = words[index - 1];
    return !isGlobalOption(word) && (before === undefined || !takesNextWord(before));
  });
}

/**
 * Reads a request; undefined for anything but the words of an answered command. Global options are not accepted,
 * because they choose another home or approve hooks.
 */
export function parseRequest(line: string): OutsideRequest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { words } = (value ?? {}) as { words?: unknown };
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) return undefined;
  const isAllowed = isAnswered(words.slice(0, 2).join(" ")) && !words.some((word) => isGlobalOption(word));
  return isAllowed ? { words } : undefined;
}
