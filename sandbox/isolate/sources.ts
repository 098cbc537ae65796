/** Reads a handler's modules: files of the hook's own folder, and nothing else. */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { basename, extname, join, relative, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { problemOf } from "#core/errors";
import type { GatewayHook } from "#core/ports/tier";
import { SOURCE_LIMITS } from "./limits.ts";
import type { Source } from "./modules.ts";

const EXTENSIONS: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs", ".json"]);
const RULE = `a handler in an isolate imports files of its own folder only, by paths that begin with "./" or "../"`;

/** The modules of one handler while it is loaded; bounded in number and size. Every method rejects with a reason. */
export class ModuleSources {
  readonly #folder: string;
  readonly #handler: string;
  #modules = 0;
  #bytes = 0;

  constructor({ folder, handler }: Pick<GatewayHook, "folder" | "handler">) {
    this.#folder = folder;
    this.#handler = handler;
  }

  /** The handler's own file. */
  entry(): Promise<Source> {
    return this.#read(this.#handler, basename(this.#handler));
  }

  /** The module that `from`, a file relative to the folder, imports as `specifier`. */
  imported(specifier: string, from: string): Promise<Source> {
    const said = `it imports ${JSON.stringify(specifier)}`;
    if (!/^\.\.?\//.test(specifier)) return Promise.reject(new Error(`${said}, which is refused: ${RULE}`));
    let file: string;
    try {
      // As Node resolves it: percent signs are an escape, a query is not part of the name.
      file = fileURLToPath(new URL(specifier, pathToFileURL(join(this.#folder, from))));
    } catch (error) {
      return Promise.reject(new Error(`${said}, which names no file: ${problemOf(error)}`, { cause: error }));
    }
    return this.#read(file, said);
  }

  async #read(path: string, said: string): Promise<Source> {
    if (!EXTENSIONS.has(extname(path))) throw new Error(`${said}, which is none of ${[...EXTENSIONS].join(", ")}`);
    let file: string;
    try {
      file = await realpath(path);
    } catch {
      throw new Error(`${said}, and there is no such file (write its whole name, extension included)`);
    }
    const inside = relative(this.#folder, file);
    if (inside === ".." || inside.startsWith(`..${sep}`)) throw new Error(`${said}, which is refused: ${RULE}`);
    this.#modules += 1;
    if (this.#modules > SOURCE_LIMITS.modules) throw new Error(`it has more than ${SOURCE_LIMITS.modules} modules`);
    const text = await readText(file).catch((error: unknown) => {
      throw new Error(`${said}, which cannot be read: ${problemOf(error)}`, { cause: error });
    });
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > SOURCE_LIMITS.allBytes)
      throw new Error(`its modules are more than ${SOURCE_LIMITS.allBytes} bytes`);
    return { file: inside, text };
  }
}

/** A regular file's text, if it is UTF-8 and not too large; neither a pipe nor a device can hold this up. */
async function readText(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error("it is no file");
    const most = SOURCE_LIMITS.fileBytes;
    if (stats.size > most) throw new Error(`it is larger than ${most} bytes`);
    const bytes = Buffer.alloc(most + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > most) throw new Error(`it is larger than ${most} bytes`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
  } finally {
    await handle.close();
  }
}
