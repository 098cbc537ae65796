/** What every surface is built on, and what it is made from. */
import type { DatabaseSync } from "node:sqlite";
import type { SqliteSessions } from "#agent/sessions";
import type { HookDispatcher } from "#core/dispatch";
import type { Config } from "#core/home/config";
import type { LogFile } from "#core/home/log";
import type { HomePaths } from "#core/home/paths";
import type { AgentRunner, Tool } from "#core/ports/agent";
import type { HookIdentity } from "#core/ports/hook";
import type { Storage } from "#core/ports/storage";
import type { HookRegistry } from "#core/registry";
import type { PluginHost } from "#plugins/host";
import type { CliContext, GlobalOptions } from "../context.ts";
import type { InstructionsWish } from "../instructions/settle.ts";
import type { ModelSwitch } from "../model-switch.ts";
import type { Python } from "../python.ts";
import type { PluginTurns } from "../plugin-turns.ts";
import type { LazyStorage } from "../storage.ts";
import type { Reporting } from "./reporting.ts";
import type { ReloadListener, ReloadStage, Reloads } from "../reload.ts";

export interface HostOptions {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly paths: HomePaths;
  /** What starts here. */
  readonly surface: "cli" | "gateway" | "serve" | "daemon" | "task";
  /** True when a person can be asked for consent: standard input and standard error are terminals. */
  readonly interactive: boolean;
  /** Where a dashboard in this process publishes the events of others; plugins hear them, too. */
  readonly forwarded?: HookRegistry | undefined;
  /** True for a task that a worker has started: it streams its log as the worker does. */
  readonly isWorkers?: boolean;
  /** About AGENTS.md of the project; without it, nothing of the kind is read. */
  readonly instructions?: InstructionsWish | undefined;
  /** The storage of a caller that has opened one, and closes it after the host; by default the host opens its own. */
  readonly storage?: LazyStorage | undefined;
  /** The task that this process runs, if it runs one. */
  readonly taskId?: string | undefined;
}

/** The platform of a surface's sessions, and the source of its events: a service is a gateway with further parts. */
export function platformOf(surface: HostOptions["surface"]): string {
  return surface === "serve" ? "gateway" : surface;
}

/** Sends a plugin's text to the home channel. Rejects when that cannot be done, with a sentence that says why. */
export type Deliver = (message: { readonly text: string; readonly plugin: string }) => Promise<void>;

export interface Host extends AsyncDisposable {
  /** The configuration of now: a reload puts another one in its place, so ask for it where it is needed. */
  readonly config: Config;
  readonly paths: HomePaths;
  /** The platform of its sessions. */
  readonly surface: string;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly log: LogFile;
  /** Shows a sentence to the user, once. */
  readonly warn: (sentence: string) => void;
  readonly sessions: SqliteSessions;
  /** `state.db`, or a database in memory where the file cannot be used. */
  readonly database: DatabaseSync;
  /** Opened when it is first asked for. Rejects with HERMES_DATABASE_*. */
  readonly storage: () => Promise<Storage>;
  readonly redact: (text: string) => string;
  readonly plugins: PluginHost;
  /** The Python that plugins and gateway hooks share. */
  readonly python: Python;
  /** The turns that plugins asked for. */
  readonly pluginTurns: PluginTurns;
  readonly runner: AgentRunner;
  readonly model: ModelSwitch;
  readonly webhooks: Reporting;
  /** Writes what this process counted for the home's metrics. */
  readonly flushMetrics: () => Promise<void>;
  /** The tools that the model may call now. */
  tools(): readonly Tool[];
  /** MCP servers whose tools are not known yet. */
  startingServers(): readonly string[];
  /**
   * Reloads configuration, shell hooks and plugins and swaps them in one step: what is running ends as it began,
   * the next event meets the new ones. What is wrong keeps its last good version. What would loosen a guard waits, unless
   * a person asked for the reload. Never asks a person, never rejects.
   */
  readonly reload: Reloads["reload"];
  /** Calls `listener` after each swap of a reload. Returns its undo. */
  onReload(listener: ReloadListener): () => void;
  /** Prepares a part of each reload beside the others, to be swapped with them in one step. Returns its undo. */
  addReloadStage(stage: ReloadStage): () => void;
  /** What `ctx.deliver` of plugins does from now on; it rejects before. */
  setDeliver(deliver: Deliver): void;
  /** Adds hooks that are not the dispatcher's to the live snapshot of `hermes hooks list --live`. Returns its undo. */
  addLiveSource(hooks: () => readonly HookIdentity[]): () => void;
}

/** Where the parts of a host find the configuration of now: a reload replaces it. */
export interface CurrentConfig {
  config: Config;
}
