/** Commands that agents and developers run every day in a project: none may be refused. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "../../fixtures/commands/ordinary.txt");

/** One a line; a line that begins with `| ` goes on with the one before. */
export const ORDINARY_COMMANDS: readonly string[] = readFileSync(file, "utf8")
  .trim()
  .replaceAll("\n| ", "\u0000")
  .split("\n")
  .map((command) => command.replaceAll("\u0000", "\n"));
