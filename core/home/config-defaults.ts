/** The names of the sections of `config.yaml`, and their defaults: what a start needs of it when nothing is to be checked. */
import type { RawConfig } from "./config-schema.ts";

/** Every top-level key: a key of the schema that is missing here does not compile. */
const SECTIONS: Readonly<Record<keyof RawConfig, true>> = {
  model: true,
  agent: true,
  hooks: true,
  hooks_auto_accept: true,
  hooks_consent: true,
  hooks_limits: true,
  plugins: true,
  sessions: true,
  gateway: true,
  dashboard: true,
  forward: true,
  background: true,
  webhooks: true,
  monitoring: true,
  logging: true,
  storage: true,
  record: true,
  inbound: true,
  inbox: true,
  daemons: true,
  python: true,
  sandbox: true,
  mcp_servers: true,
};

export const SECTION_NAMES = Object.keys(SECTIONS) as readonly (keyof RawConfig)[];

export const DEFAULTS = {
  model: { max_retries: 2, timeout_seconds: 120 },
  agent: { instructions: true, max_iterations: 90, env_passthrough: [] as readonly string[] },
  plugins: {
    enabled: [] as readonly string[],
    disabled: [] as readonly string[],
    callback_timeout_seconds: 30,
    entries: {} as Readonly<Record<string, PluginEntry>>,
  },
  sessions: { retention_days: 90, compact_at: 0.85 },
  background: { enabled: true, max_concurrent: 5, timeout: 3600, persist_on_restart: true, retention_days: 30 },
} as const;

export interface PluginEntry {
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  readonly on_error?: "skip" | "block" | undefined;
}
