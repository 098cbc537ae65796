/** The Python files of a version, as they are sent to Python. */
import { sep } from "node:path";
import { takeSources } from "#core/extensions/fingerprint";
import type { KeptSources } from "#core/extensions/sources";

/** The file in a gateway hook's folder, also where it is a link. */
export const HANDLER_FILE = "handler.py";

/**
 * By path below the folder, a character for each byte, because a file may be in any encoding. Without kept files, those
 * of the disk.
 */
export function filterPythonFiles(folder: string, sources?: KeptSources): Readonly<Record<string, string>> {
  const inside = `${folder}${sep}`;
  const files = [...(sources ?? takeSources(folder))].filter(([path]) => {
    return path.startsWith(inside) && path.endsWith(".py");
  });
  return Object.fromEntries(
    files.map(([path, { content }]) => [path.slice(inside.length), Buffer.from(content).toString("latin1")]),
  );
}
