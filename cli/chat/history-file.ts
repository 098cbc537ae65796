/** What was typed in earlier conversations: `chat-history` in the home, the oldest line first, 0600. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { terminalText } from "#core/terminal-text";

/** The lines, newest first as readline wants them, safe to show on the terminal; none when there is no readable file. */
export function loadHistory(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").map(terminalText).filter(Boolean).toReversed();
  } catch {
    // The first conversation in this home, or a home that cannot be read: it begins without a past.
    return [];
  }
}

/** Writes the lines; gives the problem when that fails. */
export function saveHistory(file: string, newestFirst: readonly string[]): string | undefined {
  try {
    ensureFolder(dirname(file));
    writePrivateFile(file, `${newestFirst.toReversed().join("\n")}\n`);
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}
