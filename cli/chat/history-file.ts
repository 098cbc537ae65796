/** The input history of conversations: `chat-history` in the home, oldest line first, 0600. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { terminalText } from "#core/terminal-text";

/** The lines, newest first, safe to show on the terminal; none if the file cannot be read. */
export function loadHistory(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").map(terminalText).filter(Boolean).toReversed();
  } catch {
    // The first conversation in this home, or a home that cannot be read: the history is empty.
    return [];
  }
}

/** Writes the lines. Returns the problem if that fails. */
export function saveHistory(file: string, newestFirst: readonly string[]): string | undefined {
  try {
    ensureFolder(dirname(file));
    writePrivateFile(file, `${newestFirst.toReversed().join("\n")}\n`);
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}
