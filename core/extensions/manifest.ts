/** Reads the manifest of an extension key by key; errors have the file and line. */
import { HermesError } from "#core/errors";
import { readRegularFile } from "#core/regular-file";
import { didYouMean } from "#core/suggest";
import { truncate } from "#core/truncate";
import { keyText, parseYaml, type KeyPath, type YamlDocument } from "#core/yaml-document";
import { isMapping } from "#core/mapping";

/** The manifest format of one kind of extension. */
export interface ManifestFormat<Manifest> {
  /** Creates the error for an invalid manifest. */
  readonly code: "HERMES_PLUGIN_MANIFEST" | "HERMES_HOOK_MANIFEST";
  /** A key that every manifest has, for the message about a file without keys. */
  readonly example: string;
  /** Reads the keys; throws what the reader's methods throw. */
  readonly interpret: (reader: ManifestReader) => Manifest;
}

/** Larger than any manifest; bigger files are not read. */
const MOST_BYTES = 256 * 1024;
/** Names appear in logs, listings and `config.yaml`, so they are one printable line. */
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

/** Reads and validates values. Paths start at the top of the file; null is treated as absent. */
export class ManifestReader {
  readonly keys: ManifestKeys;
  /** Warnings about unknown keys and values without effect. */
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

  /** A string, or a number that YAML parsed from it (`version: 1.0`). */
  text(key: string): string | undefined {
    const found = this.given(key);
    if (found === undefined || typeof found === "string") return found;
    if (typeof found === "number") return String(found);
    throw this.wrong([key], "expected a string");
  }

  boolean(...path: KeyPath): boolean | undefined {
    const found = this.given(...path);
    if (found === undefined || typeof found === "boolean") return found;
    throw this.wrong(path, "expected true or false");
  }

  /** `range` returns the allowed values if this one is not allowed, else null. */
  number(key: string, expected: string, range: (value: number) => string | null): number | undefined {
    const found = this.given(key);
    if (found === undefined) return undefined;
    const allowed = typeof found === "number" ? range(found) : "";
    if (allowed === null) return found as number;
    throw this.wrong([key], `expected ${expected}${allowed === "" ? "" : `, ${allowed}`}`);
  }

  /** The keys of the mapping at `path` (default: of the whole file) that are not in `known`. */
  warnUnknown(known: readonly string[], ...path: KeyPath): void {
    for (const key of Object.keys(this.given(...path) ?? {})) {
      if (known.includes(key)) continue;
      const name = keyText([...path, key]).slice(0, 100);
      this.warn([...path, key], `unknown key "${name}", ignored.${didYouMean(key, known)}`);
    }
  }

  warn(path: KeyPath, problem: string): void {
    this.warnings.push(this.locate(path, problem));
  }

  /** `problem` with file and line. */
  locate(path: KeyPath, problem: string): string {
    const line = this.#lineOf(path);
    return `${this.#file}${line === undefined ? "" : `:${line}`}: ${problem}`;
  }

  /** The error for a value, to be thrown. */
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

function shown(value: unknown): string {
  return truncate(JSON.stringify(value), 60);
}
