/** What the gateway needs of the rest of the program; `cli/compose.ts` hands it over. */
import type { DatabaseSync } from "node:sqlite";
import type { RawConfig } from "#core/home/config-schema";
import type { HookDispatcher } from "#core/dispatch";
import type { Log } from "#core/home/log";
import type { Adapter } from "#core/ports/platform";
import type { AgentRunner, SessionRepository } from "#core/ports/agent";
import type { HookRegistry } from "#core/registry";

/** The `gateway` section of `config.yaml`. */
export type GatewaySettings = NonNullable<RawConfig["gateway"]>;

/** A plugin's slash command. */
export interface GatewayCommand {
  readonly name: string;
  readonly description: string;
  /** Gives the text to answer with, or null. */
  run(args: string): Promise<string | null>;
}

export interface GatewayDeps {
  readonly runner: AgentRunner;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly sessions: SessionRepository;
  readonly database: DatabaseSync;
  /** The settings of the moment. Asked for every message, so that a reload counts at once. */
  readonly settings: () => GatewaySettings;
  readonly model: {
    describe(): { readonly id: string; readonly provider: string };
    /** Takes another model of the same provider from the next turn on. */
    use(id: string): void;
  };
  /** The plugins' slash commands of the moment. */
  readonly commands: () => readonly GatewayCommand[];
  readonly log: Log;
  /** Says a sentence to whoever runs the gateway. */
  readonly warn: (sentence: string) => void;
  /** Told of every platform that has come up, at the start or later. */
  readonly onLive?: (platform: string, adapter: Adapter) => void;
  /** The turns that nobody wrote for. A drain waits for them, too, and stops them with the others. */
  readonly background?: { settled(): Promise<void>; stop(): Promise<void> };
  readonly timings?: Partial<Timings>;
}

/** How long the gateway waits for others, in milliseconds. */
export interface Timings {
  /** For the start of an adapter before the others' start is told; it goes on by itself. */
  readonly start: number;
  /** For the stop of an adapter. */
  readonly stop: number;
  /** For a short text to be taken by a platform; long ones have longer. */
  readonly send: number;
  /** Before the second attempt of something that failed; twice as long each time. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** For a plugin's slash command. */
  readonly command: number;
  /** For all closing hooks of a drain together. */
  readonly closing: number;
  /** For turns that were told to stop. */
  readonly abort: number;
}

export const TIMINGS: Timings = {
  start: 5000,
  stop: 5000,
  send: 60_000,
  firstPause: 1000,
  longestPause: 60_000,
  command: 120_000,
  closing: 5000,
  abort: 10_000,
};
