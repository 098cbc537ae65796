/** Checks a handler's modules without running them. Node needs the option `--experimental-vm-modules`. */
import { statSync } from "node:fs";
import { extname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { SourceTextModule } from "node:vm";
import { problemOf } from "#core/errors";
import type { KeptSources } from "#core/extensions/sources";
import { ModuleSources } from "#sandbox/isolate/sources";
import type { ImportRule } from "./parse.ts";
import { parseSource, readSource } from "./syntax.ts";
import type { HookCode } from "#core/ports/tier";

/** Rejects with the reason when `from` cannot import this. */
type Judge = (specifier: string, from: string) => unknown;

/** Further modules are not checked. */
const MOST_MODULES = 200;

/**
 * Why a handler cannot be loaded, with the file: it or a file that it imports by a relative path cannot be parsed or
 * does not exist, its tier forbids an import, or it does not export `handle`. Null when none of that is wrong.
 * Problems in packages, and those that modules cause when they run, only show when the handler is loaded.
 */
export async function findModuleProblem(code: HookCode, imports: ImportRule): Promise<string | null> {
  const { handler, sources } = code;
  const judge = imports === "own-folder" ? judgeIsolated(code) : judgeImports(sources);
  const files = new Set([handler]);
  for (const file of files) {
    const parsed = parseSource(file, sources);
    if ("problem" in parsed) return parsed.problem;
    if (file === handler && !/\bhandle\b|\bexport\s*\*/.test(parsed.code))
      return `${file} does not export a function "handle"`;
    try {
      if (extname(file) === ".json") JSON.parse(readSource(file, sources));
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

/** Its static imports. Throws the engine's error for code that is not a module. */
function importsOf(file: string, code: string): readonly string[] {
  return new SourceTextModule(code, { identifier: file }).moduleRequests.map(({ specifier }) => specifier);
}

function judgeImports(sources: KeptSources | undefined): Judge {
  return (specifier, from) => {
    if (!isRelative(specifier)) return;
    const file = fileOf(specifier, from);
    if (sources?.has(file) || statSync(file, { throwIfNoEntry: false })?.isFile()) return;
    throw new Error(`it imports ${JSON.stringify(specifier)}, but there is no such file`);
  };
}

/** The import rules of isolates, with the messages that loading it there would give. */
function judgeIsolated(code: HookCode): Judge {
  const sources = new ModuleSources(code);
  return (specifier, from) => sources.imported(specifier, relative(code.folder, from));
}

function isRelative(specifier: string): boolean {
  return /^\.{1,2}\//.test(specifier);
}

function fileOf(specifier: string, from: string): string {
  return fileURLToPath(new URL(specifier, pathToFileURL(from)));
}
