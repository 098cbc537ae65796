/** The file that a tool call changes, read before and after it, for the diff on the terminal. */
import { resolve } from "node:path";
import { expandHome, userHome } from "#core/home/paths";
import { readRegularFile } from "#core/regular-file";

/** Larger files get no diff: both versions are in memory, and reading holds up the turn. */
const MOST_BYTES = 512 * 1024;

/** The text of a file; null when there is none yet, undefined for one that cannot be shown. */
export function readWhole(path: unknown): string | null | undefined {
  if (typeof path !== "string" || path === "") return undefined;
  const reading = readRegularFile(placeOf(path), { mostBytes: MOST_BYTES });
  if (reading.kind === "absent") return null;
  if (reading.kind === "refused" || reading.content.includes(0)) return undefined;
  return reading.content.toString("utf8");
}

/** True when a tool's result says that it wrote the file of this path, and not one that a hook chose. */
export function namesFile(result: string, path: unknown): boolean {
  if (typeof path !== "string") return false;
  try {
    const { path: written } = JSON.parse(result) as { readonly path?: unknown };
    return written === placeOf(path);
  } catch {
    // A hook replaced the result by a text of its own: what it hides is not shown.
    return false;
  }
}

/** What the tools take a path for: relative to the working folder, `~` for the user's home. */
function placeOf(path: string): string {
  const expanded = expandHome(path, userHome(process.env));
  return resolve(expanded);
}
