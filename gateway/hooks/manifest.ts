/** Reads `HOOK.yaml`. Errors have the file and line. */
import { parseManifestText, type ManifestFormat, type ManifestReader } from "#core/extensions/manifest";
import { findNameDoubt, findPatternProblem } from "#core/gateway-event-names";
import type { Allowances } from "#core/ports/tier";
import { TIERS, type TierName } from "#core/tiers";
import { didYouMean } from "#core/suggest";
import { isMapping } from "#core/mapping";

export interface HookManifest {
  /** Undefined when it has none: then the hook is named after its folder. */
  readonly name: string | undefined;
  readonly description: string;
  readonly events: readonly string[];
  readonly enabled: boolean;
  /** Undefined when the file names none: then its handler says. */
  readonly isolation: TierName | undefined;
  /** Undefined for the configuration's value. */
  readonly timeoutSeconds: number | undefined;
  readonly memoryMb: number;
  readonly allow: Allowances;
  /** A warning for a hook that runs in the tier that the file asks for, although that tier ignores `allow`; else null. */
  readonly vainAllow: string | null;
  /** Warnings about unknown keys and events that never fire. */
  readonly warnings: readonly string[];
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

const LONGEST_TIMEOUT_SECONDS = 3600;
const LEAST_MEMORY_MB = 16;
const MOST_MEMORY_MB = 4096;
const DEFAULT_MEMORY_MB = 128;

const KEYS = ["name", "description", "events", "enabled", "isolation", "timeout_seconds", "memory_mb", "allow"];
const ALLOW_KEYS = ["fetch", "env", "kv"];

export const HOOK_FORMAT: ManifestFormat<HookManifest> = {
  code: "HERMES_HOOK_MANIFEST",
  example: "events:",
  interpret(reader) {
    reader.warnUnknown(KEYS);
    const isolation = readIsolation(reader);
    const allow = readAllow(reader);
    const tier = TIERS.find(({ name }) => name === isolation) ?? TIERS[0];
    return {
      name: reader.name('the hook\'s name, such as "my-hook"'),
      description: reader.text("description") ?? "",
      events: readEvents(reader),
      enabled: reader.boolean("enabled") ?? true,
      isolation,
      timeoutSeconds: reader.number("timeout_seconds", "a number of seconds", (value) => {
        return value > 0 && value <= LONGEST_TIMEOUT_SECONDS ? null : `above 0 and at most ${LONGEST_TIMEOUT_SECONDS}`;
      }),
      memoryMb:
        reader.number("memory_mb", "a whole number of megabytes", (value) => {
          const fits = Number.isInteger(value) && value >= LEAST_MEMORY_MB && value <= MOST_MEMORY_MB;
          return fits ? null : `${LEAST_MEMORY_MB} to ${MOST_MEMORY_MB}`;
        }) ?? DEFAULT_MEMORY_MB,
      allow,
      vainAllow:
        tier.honoursAllow || reader.given("allow") === undefined
          ? null
          : reader.locate(
              ["allow"],
              "allow has no effect: a handler can do whatever hermes can, except with isolation: isolate",
            ),
      warnings: reader.warnings,
    };
  },
};

/** Parses the text of a manifest; `file` is what errors name. Throws HERMES_HOOK_MANIFEST with file and line. */
export function parseHookManifest(text: string, file: string): Promise<HookManifest> {
  return parseManifestText(text, file, HOOK_FORMAT);
}

function readEvents(reader: ManifestReader): readonly string[] {
  const found = reader.given("events");
  if (found === undefined) throw reader.wrong(["events"], "expected a list such as [agent:start, agent:end]");
  if (!Array.isArray(found)) {
    const single = typeof found === "string" && findPatternProblem(found) === null ? `: [${found}]` : "";
    throw reader.wrong(["events"], `expected a list${single}`);
  }
  if (found.length === 0) throw reader.wrong(["events"], "expected at least one event");
  const events = new Set<string>();
  for (const [index, name] of (found as unknown[]).entries()) {
    const problem = findPatternProblem(name);
    if (problem !== null) throw reader.wrong(["events", index], problem);
    const event = name as string;
    const doubt = events.has(event) ? `${event} is listed twice` : findNameDoubt(event);
    if (doubt !== null) reader.warn(["events", index], doubt);
    events.add(event);
  }
  return [...events];
}

function readIsolation(reader: ManifestReader): TierName | undefined {
  const found = reader.given("isolation");
  const tier = TIERS.find(({ name }) => name === found);
  if (tier !== undefined || found === undefined) return tier?.name;
  const names = TIERS.map(({ name }) => name);
  const hint = typeof found === "string" ? didYouMean(found, names) : "";
  throw reader.wrong(["isolation"], `expected ${names.slice(0, -1).join(", ")} or ${names.at(-1)}.${hint}`);
}

function readAllow(reader: ManifestReader): Allowances {
  if (!isMapping(reader.given("allow") ?? {})) {
    throw reader.wrong(["allow"], "expected {fetch: [hosts], env: [names], kv: true}");
  }
  reader.warnUnknown(ALLOW_KEYS, "allow");
  const hosts = readList(reader, "fetch", {
    expected: "a host such as api.example.com, without scheme, port and path",
    fits: (name) => HOST.test(name.toLowerCase()),
  });
  return {
    fetch: hosts.map((name) => name.toLowerCase()),
    env: readList(reader, "env", {
      expected: "the name of an environment variable",
      fits: (name) => VARIABLE.test(name),
    }),
    kv: reader.boolean("allow", "kv") ?? false,
  };
}

interface ListItem {
  readonly expected: string;
  readonly fits: (name: string) => boolean;
}

function readList(reader: ManifestReader, key: string, { expected, fits }: ListItem): readonly string[] {
  const found = reader.given("allow", key) ?? [];
  if (!Array.isArray(found)) throw reader.wrong(["allow", key], "expected a list");
  return (found as unknown[]).map((name, index) => {
    if (typeof name !== "string" || !fits(name)) throw reader.wrong(["allow", key, index], `expected ${expected}`);
    return name;
  });
}
