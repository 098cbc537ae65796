/** The modules of a handler, looked at without running them. Node must have been told `--experimental-vm-modules`. */
import { readFileSync, statSync } from "node:fs";
import { extname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SourceTextModule } from "node:vm";
import { problemOf } from "#core/errors";
import { ModuleSources } from "#sandbox/isolate/sources";
import { parseSource } from "./syntax.ts";
import type { HookCode } from "#core/ports/tier";

/** Rejects with the reason why `from` cannot import this. */
type Judge = (specifier: string, from: string) => unknown;

/** More than these are not looked at. */
const MOST_MODULES = 200;

/**
 * What keeps a handler from being loaded, with its file: it or a file that it imports by a relative path cannot be
 * parsed or is not there, its tier refuses an import, or it has nothing that could be `handle`. Null when nothing of
 * that is wrong; what packages and the modules themselves do when they are loaded shows only then.
 */
export async function findModuleProblem(hook: HookCode): Promise<string | null> {
  const { handler } = hook;
  const judge = hook.isolation === "isolate" ? judgeIsolated(hook) : judgeImport;
  const files = new Set([handler]);
  for (const file of files) {
    const parsed = parseSource(file);
    if ("problem" in parsed) return parsed.problem;
    if (file === handler && !/\bhandle\b|\bexport\s*\*/.test(parsed.code)) return `${file} exports no function handle`;
    try {
      if (extname(file) === ".json") JSON.parse(readFileSync(file, "utf8"));
      for (const specifier of importsOf(file, parsed.code)) {
        await judge(specifier, file);
        if (isRelative(specifier) && files.size < MOST_MODULES) files.add(fileOf(specifier, file));
      }
    } catch (error) {
      return `${file}: ${problemOf(error)}`;
    }
  }
  return null;
}

/** Its static imports. Throws what the engine says of code that is no module. */
function importsOf(file: string, code: string): readonly string[] {
  return new SourceTextModule(code, { identifier: file }).moduleRequests.map(({ specifier }) => specifier);
}

function judgeImport(specifier: string, from: string): void {
  if (!isRelative(specifier) || statSync(fileOf(specifier, from), { throwIfNoEntry: false })?.isFile()) return;
  throw new Error(`it imports ${JSON.stringify(specifier)}, and there is no such file`);
}

/** The rules of isolates, in the words in which loading it there would tell them. */
function judgeIsolated(hook: HookCode): Judge {
  const sources = new ModuleSources(hook);
  return (specifier, from) => sources.imported(specifier, relative(hook.folder, from));
}

function isRelative(specifier: string): boolean {
  return /^\.{1,2}\//.test(specifier);
}

function fileOf(specifier: string, from: string): string {
  return fileURLToPath(new URL(specifier, pathToFileURL(from)));
}
