/**
 * What each surface needs of the configuration when it starts (CONTRACT §2): a variable that is not set is an error
 * there and nowhere else. Every start reads this table, and `hermes config check` walks all of it. A new section is
 * one row.
 */
import type { KeyPath } from "#core/yaml-document";
import type { Config } from "./config.ts";

/** What can start: the commands that run turns, serve, deliver or run code of the user's, and each inbound webhook, plugin and MCP server that they load. */
export type Surface =
  | "cli"
  | "gateway"
  | "serve"
  | "daemon"
  | "task"
  | "dashboard"
  | "hooks test"
  | "hooks replay"
  | "sandbox"
  | "webhooks"
  | "worker"
  | "inbound"
  | "plugin"
  | "mcp";

/** The surfaces that are started by a command. */
export const SURFACES = [
  "cli",
  "gateway",
  "serve",
  "daemon",
  "task",
  "dashboard",
  "hooks test",
  "hooks replay",
  "sandbox",
  "webhooks",
  "worker",
  "inbound",
] as const satisfies readonly Surface[];

interface Demand {
  readonly surfaces: readonly Surface[];
  /** A key path; `*` is every key there. */
  readonly path: string;
  /** Whether the value found at the path is in use; always when absent. */
  readonly when?: (value: unknown, keys: KeyPath, name: string | undefined) => boolean;
}

/** As much of a configuration as is needed here. */
type Demanded = Pick<Config, "demand"> & { readonly values: Partial<Config["values"]> };

const TURNS = ["cli", "gateway", "serve", "daemon", "task"] as const;
const GATEWAYS = ["gateway", "serve"] as const;
/** Who loads plugins. */
const HOSTS = [...TURNS, "hooks replay", "dashboard"] as const;
/** Who runs hooks to try them. */
const TRIALS = ["hooks test", "hooks replay"] as const;

const DEMANDS: readonly Demand[] = [
  { surfaces: TURNS, path: "model" },
  { surfaces: TURNS, path: "agent" },
  { surfaces: [...TURNS, ...TRIALS, "sandbox", "inbound"], path: "sandbox" },
  { surfaces: TURNS, path: "sessions" },
  { surfaces: [...TURNS, "inbound"], path: "hooks_auto_accept" },
  { surfaces: [...TURNS, ...TRIALS, "inbound"], path: "hooks_consent" },
  { surfaces: [...TURNS, "hooks replay"], path: "hooks_limits" },
  { surfaces: TURNS, path: "record" },
  { surfaces: TURNS, path: "forward" },
  { surfaces: [...TURNS, "webhooks", "worker"], path: "webhooks" },
  { surfaces: HOSTS, path: "plugins.*", when: (_, [, key]) => key !== "entries" },
  { surfaces: ["plugin"], path: "plugins.entries.*", when: (_, [, , key], plugin) => key === plugin },
  { surfaces: ["inbound"], path: "inbound.*", when: isNamed },
  { surfaces: ["mcp"], path: "mcp_servers.*", when: (_, [, key], server) => key === server },
  { surfaces: ["task", "worker", "serve", "daemon"], path: "background" },
  { surfaces: [...TURNS, "dashboard", "webhooks", "worker", "inbound"], path: "storage" },
  { surfaces: ["daemon", "serve"], path: "inbox" },
  { surfaces: ["serve"], path: "daemons" },
  { surfaces: GATEWAYS, path: "gateway.*", when: (_, [, key]) => key !== "platforms" },
  { surfaces: ["hooks replay"], path: "gateway.hooks" },
  { surfaces: GATEWAYS, path: "gateway.platforms.*.enabled" },
  { surfaces: GATEWAYS, path: "gateway.platforms.*", when: isEnabled },
  { surfaces: ["dashboard"], path: "dashboard" },
  { surfaces: ["serve"], path: "dashboard.enabled" },
  { surfaces: ["serve"], path: "dashboard", when: isEnabled },
  { surfaces: ["serve"], path: "monitoring.*", when: isEnabled },
  { surfaces: [...GATEWAYS, "worker", "daemon"], path: "logging.stream", when: isNotDisabled },
];

/**
 * Throws HERMES_CONFIG_VARIABLE for the first value that the surface needs and that names a variable that is not set.
 * Of the surface `plugin`, `name` is its key in `plugins.entries`; of `mcp`, the server's
 * name; of `inbound`, the hook's name, and all without one.
 */
export function demandFor(surface: Surface, config: Demanded, name?: string): void {
  for (const { surfaces, path, when } of DEMANDS) {
    if (!surfaces.includes(surface)) continue;
    for (const { keys, value } of valuesAt(config.values, path.split("."))) {
      if (when === undefined || when(value, keys, name)) config.demand(...keys);
    }
  }
}

interface Found {
  readonly keys: KeyPath;
  readonly value: unknown;
}

/** What is at a pattern of keys, or as far down as there are keys: a text there may name a variable. */
function valuesAt(value: unknown, pattern: readonly string[], before: KeyPath = []): readonly Found[] {
  const [key, ...rest] = pattern;
  if (key === undefined || typeof value === "string") return [{ keys: before, value }];
  if (typeof value !== "object" || value === null) return [];
  // An item of a list has a number as its key, as `demand` expects.
  if (Array.isArray(value)) {
    return key === "*" ? value.flatMap((item, index) => valuesAt(item, rest, [...before, index])) : [];
  }
  const inner = value as Readonly<Record<string, unknown>>;
  const keys = key === "*" ? Object.keys(inner) : [key];
  return keys.filter((one) => Object.hasOwn(inner, one)).flatMap((one) => valuesAt(inner[one], rest, [...before, one]));
}

/** Of a section that is enabled by default. */
function isNotDisabled(value: unknown): boolean {
  return (value as { readonly enabled?: unknown } | null)?.enabled !== false;
}

function isNamed(hook: unknown, _keys: KeyPath, name: string | undefined): boolean {
  return name === undefined || (hook as { readonly name?: unknown } | null)?.name === name;
}

function isEnabled(value: unknown): boolean {
  return (value as { readonly enabled?: unknown } | null)?.enabled === true;
}
