/** What guards an agent in a running process, as plain data: a reload compares it with what the files say now. */
import type { Allowances } from "./tier.ts";
import type { WallProfile } from "./wall.ts";
import type { TierName } from "#core/tiers";

/** A configured shell hook at a gate that is enabled and either works or blocks because it does not. */
export interface ShellGuard {
  readonly event: string;
  /** Its name and place, for messages. */
  readonly label: string;
  readonly command: string | null;
  /** As written; null when every tool matches. */
  readonly matcher: string | null;
  readonly timeoutSeconds: number;
  readonly failClosed: boolean;
  /** Everything else that decides what runs and how (protocol, environment, sandbox), as comparable data. */
  readonly terms: unknown;
  /** The script that its command names, when there is no such file; else null. */
  readonly missingScript: string | null;
}

/** A gate that a plugin has registered a callback for, or blocks because the plugin cannot be loaded. */
export interface PluginGuard {
  /** The plugin's folder in `plugins/`. */
  readonly directory: string;
  readonly name: string;
  readonly event: string;
  /** `on_error: block`. */
  readonly blocks: boolean;
  readonly timeoutSeconds: number;
}

/** The bounds that a gateway hook runs in. */
export interface HookBounds {
  /** The hook's folder in `hooks/`. */
  readonly directory: string;
  readonly name: string;
  readonly isolation: TierName;
  readonly allow: Allowances;
}

/** Everything that guards the agent in one process. */
export interface GuardState {
  readonly consent: "command" | "pinned";
  readonly autoAccept: boolean;
  /** The profiles of `sandbox:`, by their key. */
  readonly walls: Readonly<Record<"tools" | "hooks" | "inbound", WallProfile>>;
  readonly shell: readonly ShellGuard[];
  readonly plugins: readonly PluginGuard[];
  readonly gatewayHooks: readonly HookBounds[];
  /** The folders in `hooks/` that are held to the isolate, and what they may be allowed at most. */
  readonly untrusted: readonly string[];
  readonly grants: Readonly<Record<string, Allowances>>;
}
