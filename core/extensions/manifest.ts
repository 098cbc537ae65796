/** The manifest of an extension, read key by key: what cannot be used is an error with file and line. */
import { HermesError } from "#core/errors";
import { readRegularFile } from "#core/regular-file";
import { didYouMean } from "#core/suggest";
import { keyText, parseYaml, type KeyPath, type YamlDocument } from "#core/yaml-document";

/** What one kind of extension writes into its manifest. */
export interface ManifestFormat<Manifest> {
  /** The error of a manifest that cannot be used. */
  readonly code: "HERMES_PLUGIN_MANIFEST" | "HERMES_HOOK_MANIFEST";
  /** A key that each has, for the message about a file without keys. */
  readonly example: string;
  /** Takes the keys out of the reader; throws what its methods throw. */
  readonly interpret: (reader: ManifestReader) => Manifest;
}

/** Far more than any manifest holds; a bigger file is something else, and is not read. */
const MOST_BYTES = 256 * 1024;
/** Names go into log lines, listings and `config.yaml`: one printable line. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@/-]{0,99}$/u;

/** Reads a manifest. Throws the format's error with file and line. */
export async function readManifest<Manifest>(file: string, format: ManifestFormat<Manifest>): Promise<Manifest> {
  const reading = readRegularFile(file, { mostBytes: MOST_BYTES });
  if (reading.kind === "read") return parseManifestText(reading.content.toString("utf8"), file, format);
  throw new HermesError(format.code, { file, problem: reading.kind === "absent" ? "does not exist" : reading.problem });
}

/** Parses the text of a manifest; `file` is what errors name. Throws the format's error with file and line. */
export async function parseManifestText<Manifest>(
  text: string,
  file: string,
  format: ManifestFormat<Manifest>,
): Promise<Manifest> {
  const { code } = format;
  const document = await parseYaml(text, ({ line, problem, cause }) => {
    return new HermesError(code, { file, line, problem: `not valid YAML: ${problem}` }, { cause });
  });
  return format.interpret(new ManifestReader(document, file, format));
}

export type ManifestKeys = Readonly<Record<string, unknown>>;

/** Reads values and judges them. Every path begins at the top of the file; a value of null counts as absent. */
export class ManifestReader {
  readonly keys: ManifestKeys;
  /** Sentences about keys that nobody reads and values that do nothing. */
  readonly warnings: string[] = [];
  readonly #file: string;
  readonly #lineOf: YamlDocument["lineOf"];
  readonly #code: ManifestFormat<unknown>["code"];

  constructor({ value, lineOf }: YamlDocument, file: string, { code, example }: ManifestFormat<unknown>) {
    this.#file = file;
    this.#lineOf = lineOf;
    this.#code = code;
    if (!isMapping(value)) {
      throw new HermesError(code, { file, line: 1, problem: `expected keys such as "${example}"` });
    }
    this.keys = value;
  }

  given(...path: KeyPath): unknown {
    return this.#at(path) ?? undefined;
  }

  /** The value of `name`; undefined without one. `example` shows what a name looks like. */
  name(example: string): string | undefined {
    const name = this.text("name")?.trim();
    if (name !== undefined && !NAME.test(name)) throw this.wrong(["name"], `expected ${example}`);
    return name;
  }

  /** Text, or a number that YAML made of it (`version: 1.0`). */
  text(key: string): string | undefined {
    const found = this.given(key);
    if (found === undefined || typeof found === "string") return found;
    if (typeof found === "number") return String(found);
    throw this.wrong([key], "expected text");
  }

  boolean(...path: KeyPath): boolean | undefined {
    const found = this.given(...path);
    if (found === undefined || typeof found === "boolean") return found;
    throw this.wrong(path, "expected true or false");
  }

  /** `range` says which values are allowed when this one is not, else null. */
  number(key: string, expected: string, range: (value: number) => string | null): number | undefined {
    const found = this.given(key);
    if (found === undefined) return undefined;
    const allowed = typeof found === "number" ? range(found) : "";
    if (allowed === null) return found as number;
    throw this.wrong([key], `expected ${expected}${allowed === "" ? "" : `, ${allowed}`}`);
  }

  /** Keys of the mapping at `path`, the whole file's without one, that are none of `known`. */
  warnUnknown(known: readonly string[], ...path: KeyPath): void {
    for (const key of Object.keys(this.given(...path) ?? {})) {
      if (known.includes(key)) continue;
      const name = keyText([...path, key]).slice(0, 100);
      this.warn([...path, key], `unknown key "${name}", ignored.${didYouMean(key, known)}`);
    }
  }

  warn(path: KeyPath, problem: string): void {
    const line = this.#lineOf(path);
    this.warnings.push(`${this.#file}${line === undefined ? "" : `:${line}`}: ${problem}`);
  }

  /** The error about a value, to be thrown. */
  wrong(path: KeyPath, expected: string): HermesError {
    const value = this.#at(path);
    const found = value === undefined ? "is missing" : `is ${shown(value)}`;
    const problem = `${found}; ${expected}`;
    return new HermesError(this.#code, { file: this.#file, line: this.#lineOf(path), key: keyText(path), problem });
  }

  #at(path: KeyPath): unknown {
    return path.reduce<unknown>((holder, key) => {
      const has = typeof holder === "object" && holder !== null && Object.hasOwn(holder, key);
      return has ? (holder as ManifestKeys)[key] : undefined;
    }, this.keys);
  }
}

export function isMapping(value: unknown): value is ManifestKeys {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
