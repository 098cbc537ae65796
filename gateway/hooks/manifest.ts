/** `HOOK.yaml`: what a gateway hook says about itself. What cannot be used is a reason with file and line. */
import { readFileSync, statSync } from "node:fs";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import { didYouMean } from "#core/suggest";
import { keyText, parseYaml, type KeyPath, type YamlDocument } from "#core/yaml-document";
import { findNameDoubt, findPatternProblem } from "#core/gateway-event-names";
import type { Allowances } from "#core/ports/tier";

export interface HookManifest {
  /** Null when the file names none: then the hook has the name of its folder. */
  readonly name: string | null;
  readonly description: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
  readonly isolation: "worker" | "isolate";
  /** Null for that of the configuration. */
  readonly timeoutSeconds: number | null;
  readonly memoryMb: number;
  readonly allow: Allowances;
  /** Sentences about keys that nobody reads and names that never fire. */
  readonly warnings: readonly string[];
}

/** Far more than any manifest holds; a bigger file is something else, and is not read. */
const MOST_BYTES = 64 * 1024;
/** Names go into log lines and listings: one printable line. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@/-]{0,99}$/u;
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

const LONGEST_TIMEOUT_SECONDS = 3600;
const LEAST_MEMORY_MB = 16;
const MOST_MEMORY_MB = 4096;
const DEFAULT_MEMORY_MB = 128;

const KEYS = [
  "name",
  "description",
  "events",
  "enabled",
  "isolation",
  "timeout_seconds",
  "memory_mb",
  "allow",
] as const;
const ALLOW_KEYS = ["fetch", "env", "kv"] as const;

/** Reads a manifest. Throws HERMES_HOOK_MANIFEST with file and line. */
export async function readHookManifest(file: string): Promise<HookManifest> {
  return parseHookManifest(read(file), file);
}

function read(file: string): string {
  try {
    const stats = statSync(file);
    // A pipe or a device would keep whoever reads it waiting.
    if (!stats.isFile()) throw new HermesError("HERMES_HOOK_MANIFEST", { file, problem: "is no file" });
    if (stats.size > MOST_BYTES) {
      throw new HermesError("HERMES_HOOK_MANIFEST", { file, problem: `is too big (over ${MOST_BYTES} bytes)` });
    }
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isHermesError(error)) throw error;
    throw new HermesError("HERMES_HOOK_MANIFEST", { file, problem: `cannot be read: ${problemOf(error)}` });
  }
}

/** Parses the text of a manifest; `file` is what errors name. Throws HERMES_HOOK_MANIFEST with file and line. */
export async function parseHookManifest(text: string, file: string): Promise<HookManifest> {
  const document = await parseYaml(text, ({ line, problem, cause }) => {
    return new HermesError("HERMES_HOOK_MANIFEST", { file, line, problem: `not valid YAML: ${problem}` }, { cause });
  });
  return new Interpreter(document, file).manifest();
}

type Keys = Readonly<Record<string, unknown>>;

class Interpreter {
  readonly #keys: Keys;
  readonly #file: string;
  readonly #lineOf: YamlDocument["lineOf"];
  readonly #warnings: string[] = [];

  constructor({ value, lineOf }: YamlDocument, file: string) {
    this.#file = file;
    this.#lineOf = lineOf;
    if (!isMapping(value)) throw this.#wrong([], 'expected keys such as "events:"');
    this.#keys = value;
  }

  manifest(): HookManifest {
    this.#warnUnknown(this.#keys, KEYS, []);
    const isolation = this.#isolation();
    const allow = this.#allow();
    if (isolation === "worker" && given(this.#keys, "allow") !== undefined) {
      this.#warn(["allow"], "allow counts with isolation: isolate only; a worker may do what hermes may");
    }
    return {
      name: this.#name(),
      description: this.#text("description") ?? "",
      events: this.#events(),
      enabled: this.#boolean(this.#keys, ["enabled"]) ?? true,
      isolation,
      timeoutSeconds: this.#number("timeout_seconds", "a number of seconds", (value) => {
        return value > 0 && value <= LONGEST_TIMEOUT_SECONDS ? null : `above 0 and at most ${LONGEST_TIMEOUT_SECONDS}`;
      }),
      memoryMb:
        this.#number("memory_mb", "a whole number of megabytes", (value) => {
          const fits = Number.isInteger(value) && value >= LEAST_MEMORY_MB && value <= MOST_MEMORY_MB;
          return fits ? null : `${LEAST_MEMORY_MB} to ${MOST_MEMORY_MB}`;
        }) ?? DEFAULT_MEMORY_MB,
      allow,
      warnings: this.#warnings,
    };
  }

  #name(): string | null {
    const name = this.#text("name")?.trim();
    if (name !== undefined && !NAME.test(name)) {
      throw this.#wrong(["name"], 'expected the hook\'s name, such as "my-hook"');
    }
    return name ?? null;
  }

  #events(): readonly string[] {
    const found = given(this.#keys, "events");
    if (found === undefined) throw this.#wrong(["events"], "expected a list such as [agent:start, agent:end]");
    if (!Array.isArray(found)) {
      const single = typeof found === "string" && findPatternProblem(found) === null ? `: [${found}]` : "";
      throw this.#wrong(["events"], `expected a list${single}`);
    }
    if (found.length === 0) throw this.#wrong(["events"], "expected at least one event");
    const events = new Set<string>();
    for (const [index, name] of (found as unknown[]).entries()) {
      const problem = findPatternProblem(name);
      if (problem !== null) throw this.#wrong(["events", index], problem);
      const event = name as string;
      const doubt = events.has(event) ? `${event} stands there twice` : findNameDoubt(event);
      if (doubt !== null) this.#warn(["events", index], doubt);
      events.add(event);
    }
    return [...events];
  }

  #isolation(): "worker" | "isolate" {
    const found = given(this.#keys, "isolation") ?? "worker";
    if (found === "worker" || found === "isolate") return found;
    const hint = typeof found === "string" ? didYouMean(found, ["worker", "isolate"]) : "";
    throw this.#wrong(["isolation"], `expected worker or isolate.${hint}`);
  }

  #allow(): Allowances {
    const found = given(this.#keys, "allow") ?? {};
    if (!isMapping(found)) throw this.#wrong(["allow"], "expected {fetch: [hosts], env: [names], kv: true}");
    this.#warnUnknown(found, ALLOW_KEYS, ["allow"]);
    const hosts = this.#names(found, "fetch", "a host such as api.example.com, without scheme, port and path", (name) =>
      HOST.test(name.toLowerCase()),
    );
    return {
      fetch: hosts.map((name) => name.toLowerCase()),
      env: this.#names(found, "env", "the name of a variable", (name) => VARIABLE.test(name)),
      kv: this.#boolean(found, ["allow", "kv"]) ?? false,
    };
  }

  #names(holder: Keys, key: string, expected: string, fits: (name: string) => boolean): readonly string[] {
    const found = given(holder, key) ?? [];
    if (!Array.isArray(found)) throw this.#wrong(["allow", key], "expected a list");
    return (found as unknown[]).map((name, index) => {
      if (typeof name !== "string" || !fits(name)) throw this.#wrong(["allow", key, index], `expected ${expected}`);
      return name;
    });
  }

  /** Text, or a number that YAML made of it. */
  #text(key: string): string | undefined {
    const found = given(this.#keys, key);
    if (found === undefined || typeof found === "string") return found;
    if (typeof found === "number") return String(found);
    throw this.#wrong([key], "expected text");
  }

  #boolean(holder: Keys, path: readonly string[]): boolean | undefined {
    const found = given(holder, path.at(-1)!);
    if (found === undefined || typeof found === "boolean") return found;
    throw this.#wrong(path, "expected true or false");
  }

  /** `range` says which values are allowed when this one is not, else null. */
  #number(key: string, expected: string, range: (value: number) => string | null): number | null {
    const found = given(this.#keys, key);
    if (found === undefined) return null;
    const allowed = typeof found === "number" ? range(found) : "";
    if (allowed === null) return found as number;
    throw this.#wrong([key], `expected ${expected}${allowed === "" ? "" : `, ${allowed}`}`);
  }

  #warnUnknown(holder: Keys, known: readonly string[], path: KeyPath): void {
    for (const key of Object.keys(holder)) {
      if (known.includes(key)) continue;
      const name = [...path, key].join(".").slice(0, 100);
      this.#warn([...path, key], `unknown key "${name}", ignored.${didYouMean(key, known)}`);
    }
  }

  #warn(path: KeyPath, problem: string): void {
    const line = this.#lineOf(path);
    this.#warnings.push(`${this.#file}${line === undefined ? "" : `:${line}`}: ${problem}`);
  }

  #wrong(path: KeyPath, problem: string): HermesError {
    const value = path.reduce<unknown>((inner, key) => (inner as Keys | undefined)?.[key], this.#keys);
    const found = path.length === 0 ? "" : value === undefined ? "is missing; " : `is ${shown(value)}; `;
    const line = path.length === 0 ? 1 : this.#lineOf(path);
    return new HermesError("HERMES_HOOK_MANIFEST", {
      file: this.#file,
      line,
      key: path.length === 0 ? undefined : keyText(path),
      problem: `${found}${problem}`,
    });
  }
}

function isMapping(value: unknown): value is Keys {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a key; null, as an empty one has it in YAML, counts as absent. */
function given(holder: Keys, key: string): unknown {
  return Object.hasOwn(holder, key) ? (holder[key] ?? undefined) : undefined;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
