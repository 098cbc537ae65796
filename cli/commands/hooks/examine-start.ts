/** Whether a command could be started at all, found out without starting it. */
import { closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { basename } from "node:path";
import { locate, type LookupContext } from "#allowlist/words";
import { windowsLineEndings } from "#core/line-endings";
import { mayAccess } from "#core/may-access";

/** Why the command's program cannot be executed, as a clause; null when it probably can. */
export function findExecutableProblem(argv: readonly string[], place: LookupContext): string | null {
  const [word = ""] = argv;
  const file = locate(word, place);
  const stats = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file === null || stats === undefined) return `not found: ${word}`;
  if (!stats.isFile()) return `not executable: ${file} is not a file`;
  if (!mayAccess(file, constants.X_OK)) return `not executable: ${file} (run chmod +x)`;
  const [interpreter, ...rest] = shebangOf(file);
  if (interpreter === undefined) return null;
  if ([interpreter, ...rest].at(-1)?.endsWith("\r")) return windowsLineEndings(file);
  if (!mayAccess(interpreter, constants.X_OK))
    return `the interpreter of ${file} is missing: ${JSON.stringify(interpreter)}`;
  const program = basename(interpreter) === "env" ? rest.find((one) => !/^-|=/.test(one)) : undefined;
  if (program === undefined || locate(program, place) !== null) return null;
  return `the interpreter of ${file} is missing: ${program} is not in PATH`;
}

/** The words after `#!`, including a trailing carriage return, which the kernel does not remove either. */
function shebangOf(file: string): readonly string[] {
  try {
    const descriptor = openSync(file, "r");
    try {
      const buffer = Buffer.alloc(256);
      const text = buffer.toString("utf8", 0, readSync(descriptor, buffer)).split("\n", 1)[0] ?? "";
      return text.startsWith("#!")
        ? text
            .slice(2)
            .trimStart()
            .split(/[ \t]+/)
        : [];
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // It may be executable without being readable.
    return [];
  }
}
