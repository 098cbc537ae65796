/** Reads a handler's modules, which must be files in the hook's own folder. */
import { realpath } from "node:fs/promises";
import { basename, extname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { problemOf } from "#core/errors";
import type { KeptSource } from "#core/extensions/sources";
import type { HookCode } from "#core/ports/tier";
import { readRegularFile, tooLarge } from "#core/regular-file";
import { SOURCE_LIMITS } from "./limits.ts";
import type { Source } from "./modules.ts";

const EXTENSIONS: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs", ".json"]);
const RULE = `a handler in an isolate can only import files of its own folder, by paths that start with "./" or "../"`;

/** The modules of one handler while it is loaded; limited in number and size. Every method rejects with a reason. */
export class ModuleSources {
  readonly #folder: string;
  readonly #handler: string;
  readonly #sources: HookCode["sources"];
  #modules = 0;
  #bytes = 0;

  constructor({ folder, handler, sources }: HookCode) {
    this.#folder = folder;
    this.#handler = handler;
    this.#sources = sources;
  }

  /** The handler's own file. */
  entry(): Promise<Source> {
    return this.#read(this.#handler, basename(this.#handler));
  }

  /** The module that `from`, a file relative to the folder, imports as `specifier`. */
  imported(specifier: string, from: string): Promise<Source> {
    const said = `it imports ${JSON.stringify(specifier)}`;
    if (!/^\.\.?\//.test(specifier)) return Promise.reject(new Error(`${said}, which is not allowed: ${RULE}`));
    let file: string;
    try {
      // As in Node: percent signs are escapes, and a query is not part of the name.
      file = fileURLToPath(new URL(specifier, pathToFileURL(join(this.#folder, from))));
    } catch (error) {
      return Promise.reject(new Error(`${said}, which is not a valid path: ${problemOf(error)}`, { cause: error }));
    }
    return this.#read(file, said);
  }

  async #read(path: string, said: string): Promise<Source> {
    if (!EXTENSIONS.has(extname(path))) throw new Error(`${said}, which does not end in ${[...EXTENSIONS].join(", ")}`);
    const known = this.#sources?.get(path);
    let file: string;
    try {
      file = known?.real ?? (await realpath(path));
    } catch {
      throw new Error(`${said}, but there is no such file (write the full name with its extension)`);
    }
    // A link to a kept file that is kept by its real path only.
    const kept = known ?? this.#sources?.get(file);
    const inside = relative(this.#folder, file);
    if (inside === ".." || inside.startsWith(`..${sep}`)) throw new Error(`${said}, which is not allowed: ${RULE}`);
    this.#modules += 1;
    if (this.#modules > SOURCE_LIMITS.modules) throw new Error(`it has more than ${SOURCE_LIMITS.modules} modules`);
    let text: string;
    try {
      text = readText(kept ?? file);
    } catch (error) {
      throw new Error(`${said}, which cannot be read: ${problemOf(error)}`, { cause: error });
    }
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > SOURCE_LIMITS.allBytes)
      throw new Error(`its modules have more than ${SOURCE_LIMITS.allBytes} bytes in total`);
    return { file: inside, text };
  }
}

function readText(source: KeptSource | string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(typeof source === "string" ? read(source) : bounded(source));
}

function read(file: string): Uint8Array {
  const reading = readRegularFile(file, { mostBytes: SOURCE_LIMITS.fileBytes });
  if (reading.kind !== "read") throw new Error(reading.kind === "absent" ? "it is not there" : `it ${reading.problem}`);
  return reading.content;
}

function bounded({ content }: KeptSource): Uint8Array {
  const limits = { mostBytes: SOURCE_LIMITS.fileBytes };
  if (content.length > limits.mostBytes) throw new Error(`it ${tooLarge(limits)}`);
  return content;
}
