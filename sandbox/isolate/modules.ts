/** Compiles a handler and its imports in its isolate. Runs in the process that hosts it. */
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";
import type ivm from "isolated-vm";
import { describeRejection } from "./problem.ts";

export interface Source {
  /** Relative to the hook's folder. */
  readonly file: string;
  readonly text: string;
}

/** Loads the module that `from` imports; rejects with the reason when it cannot. */
export type Importer = (specifier: string, from: string) => Promise<Source>;

export interface Graph {
  readonly root: ivm.Module;
  /** Resolves an import of the handler's modules. Throws for any other module. */
  readonly resolve: (specifier: string, from: ivm.Module) => ivm.Module;
  /** The likely arguments of `import(…)` in the modules, for the error message. */
  readonly dynamicImports: readonly string[];
}

/** A module that cannot be loaded. */
export class LoadError extends Error {
  readonly file: string;
  /** True when this process can no longer strip types. */
  readonly tainted: boolean;

  constructor(file: string, problem: string, tainted = false) {
    super(problem);
    this.file = file;
    this.tainted = tainted;
  }
}

const START = `import { start } from "hermes:guest"; import * as handler from "hermes:handler"; start(handler);`;
const DYNAMIC_IMPORT = /\bimport\s*\(\s*(?:(["'`])([^"'`\n]{1,200})\1)?/g;

/** Throws a {@link LoadError}. */
export async function compileGraph(isolate: ivm.Isolate, entry: Source, importModule: Importer): Promise<Graph> {
  const modules = new Map<string, ivm.Module>();
  const imports = new Map<ivm.Module, Map<string, ivm.Module>>();
  const dynamicImports = new Set<string>();

  async function add(source: Source): Promise<ivm.Module> {
    const known = modules.get(source.file);
    if (known !== undefined) return known;
    for (const [, , name] of source.text.matchAll(DYNAMIC_IMPORT)) {
      dynamicImports.add(name === undefined ? "…" : JSON.stringify(name));
    }
    const module = await compile(isolate, source);
    const found = new Map<string, ivm.Module>();
    // Before its imports are linked, since modules may import each other.
    modules.set(source.file, module);
    imports.set(module, found);
    for (const specifier of module.dependencySpecifiers) {
      found.set(specifier, await add(await request(specifier, source.file)));
    }
    return module;
  }

  async function request(specifier: string, from: string): Promise<Source> {
    try {
      return await importModule(specifier, from);
    } catch (error) {
      throw new LoadError(from, error instanceof Error ? error.message : String(error));
    }
  }

  function resolve(specifier: string, from: ivm.Module): ivm.Module {
    const module = imports.get(from)?.get(specifier);
    if (module === undefined) throw new Error(`there is no module ${specifier}`);
    return module;
  }

  return { root: await add(entry), resolve, dynamicImports: [...dynamicImports] };
}

export interface HandlerStart {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  /** guest.ts, evaluated. */
  readonly guest: ivm.Module;
  readonly graph: Graph;
}

/** Evaluates the handler's modules and gives what the first one exports to the guest. Rejects with what they throw. */
export async function startHandler({ isolate, context, guest, graph }: HandlerStart): Promise<void> {
  const start = await isolate.compileModule(START, { filename: "hermes:start" });
  await start.instantiate(context, (specifier, from) => {
    if (specifier === "hermes:guest" && from === start) return guest;
    return specifier === "hermes:handler" && from === start ? graph.root : graph.resolve(specifier, from);
  });
  await start.evaluate();
}

async function compile(isolate: ivm.Isolate, source: Source): Promise<ivm.Module> {
  const code = toJavaScript(source);
  try {
    return await isolate.compileModule(code, { filename: source.file });
  } catch (error) {
    throw new LoadError(source.file, describeRejection(error));
  }
}

/** The source as JavaScript; lines and columns stay the same. Throws a {@link LoadError}. */
export function toJavaScript({ file, text }: Source): string {
  const extension = extname(file);
  if (extension === ".json") return `export default JSON.parse(${JSON.stringify(text)});`;
  if (extension !== ".ts" && extension !== ".mts") return text;
  try {
    return stripTypeScriptTypes(text);
  } catch (error) {
    const { code, message, stack = "" } = error as NodeJS.ErrnoException;
    // A source that is nested too deeply breaks the type stripper of this process permanently, for other hooks, too.
    if (code === "ERR_INTERNAL_ASSERTION") throw new LoadError(file, "it is too deeply nested to be parsed", true);
    // The stack starts with the line number.
    const line = /^:(\d+)\n/.exec(stack)?.[1];
    const place = line === undefined ? "" : ` (${file}:${line})`;
    const cure =
      code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
        ? "; types are stripped, not compiled: enum, namespace and parameter properties do not work"
        : "";
    throw new LoadError(file, `${message}${place}${cure}`);
  }
}
