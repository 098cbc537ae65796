/** The modules of a handler, looked at without running them. Node must have been told `--experimental-vm-modules`. */
import { statSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SourceTextModule } from "node:vm";
import { problemOf } from "#core/errors";
import { parseSource } from "./syntax.ts";

/** More than these are not looked at. */
const MOST_MODULES = 200;

/**
 * What keeps a handler from being loaded, with its file: it or a file that it imports by a
 * relative path cannot be parsed or is not there, or it has nothing that could be `handle`. Null when nothing of that
 * is wrong; what packages and the modules themselves do when they are loaded shows only then.
 */
export function findModuleProblem(handler: string): string | null {
  const files = new Set([handler]);
  for (const file of files) {
    const parsed = parseSource(file);
    if ("problem" in parsed) return parsed.problem;
    if (file === handler && !/\bhandle\b|\bexport\s*\*/.test(parsed.code)) return `${file} exports no function handle`;
    try {
      for (const specifier of importsOf(file, parsed.code)) {
        const imported = fileURLToPath(new URL(specifier, pathToFileURL(file)));
        if (!isFile(imported)) return `${file}: it imports "${specifier}", which is not there`;
        if (files.size < MOST_MODULES) files.add(imported);
      }
    } catch (error) {
      return `${file}: ${problemOf(error)}`;
    }
  }
  return null;
}

/** Its static imports by relative paths. Throws what the engine says of code that is no module. */
function importsOf(file: string, code: string): readonly string[] {
  const { moduleRequests } = new SourceTextModule(code, { identifier: file });
  return moduleRequests.map(({ specifier }) => specifier).filter((specifier) => /^\.{1,2}\//.test(specifier));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
