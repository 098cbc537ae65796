/** The names of the sections of `config.yaml`, and their defaults: what a start needs of it when nothing is to be checked. */
import type { RawConfig } from "./config-schema.ts";

/** The top-level keys. */
export const SECTION_NAMES = [
  "model",
  "agent",
  "hooks",
  "hooks_auto_accept",
  "hooks_consent",
  "hooks_limits",
  "plugins",
  "sessions",
  "gateway",
  "dashboard",
  "forward",
  "background",
  "webhooks",
  "monitoring",
  "logging",
  "record",
  "inbound",
  "inbox",
  "daemons",
  "python",
  "sandbox",
  "mcp_servers",
] as const satisfies readonly (keyof RawConfig)[];

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
