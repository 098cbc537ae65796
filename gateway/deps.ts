/** What the gateway needs from the rest of the program; provided by `cli/compose.ts`. */
import type { DatabaseSync } from "node:sqlite";
import type { RawConfig } from "#core/home/config-schema";
import type { HookDispatcher } from "#core/dispatch";
import type { Log } from "#core/home/log";
import type { Adapter } from "#core/ports/platform";
import type { AgentRunner, SessionRepository } from "#core/ports/agent";
import type { ModelPrices } from "#core/usage-text";
import type { TaskDesk } from "#core/ports/tasks";
import type { HookRegistry } from "#core/registry";

/** The `gateway` section of `config.yaml`. */
export type GatewaySettings = NonNullable<RawConfig["gateway"]>;

/** A plugin's slash command. */
export interface GatewayCommand {
  readonly name: string;
  readonly description: string;
  /** Resolves with the text to answer with, or null. */
  run(args: string): Promise<string | null>;
}

/** What became of a message, for the operator of the gateway. Its text is not part of it. */
export interface MessageReport {
  readonly platform: string;
  /** Empty where a platform does not tell its users apart. */
  readonly user_id: string;
  readonly outcome: "answered" | "interrupted" | "failed" | "no answer";
  /** Of a failed one: a code of docs/errors.md. */
  readonly code: string | null;
  /** From its arrival to its end. */
  readonly seconds: number;
}

export interface GatewayDeps {
  readonly runner: AgentRunner;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly sessions: SessionRepository;
  readonly database: DatabaseSync;
  /** The current settings. Called for every message, so that a reload takes effect immediately. */
  readonly settings: () => GatewaySettings;
  readonly model: {
    describe(): { readonly id: string; readonly provider: string; readonly contextLength?: number | undefined };
    /** What the configured model costs; undefined without prices. */
    prices(): ModelPrices | undefined;
    /** Switches to another model of the same provider from the next turn on. */
    use(id: string): void;
  };
  /** The tasks of the home. */
  readonly tasks: TaskDesk;
  /** The plugins' current slash commands. */
  readonly commands: () => readonly GatewayCommand[];
  /** Escapes characters that could hide something in a text that a user decides about. */
  readonly clean: (text: string) => string;
  readonly log: Log;
  /** Shows a message to the operator of the gateway. */
  readonly warn: (sentence: string) => void;
  /** Called for every platform that is up, at the start or later. */
  readonly onLive?: (platform: string, adapter: Adapter) => void;
  /** Called for each attempt but the first that failed to start a platform, with the time until the next one. */
  readonly onRetry?: (platform: string, seconds: number, problem: string) => void;
  /** Called when a message has got its answer, or gets none. */
  readonly onMessage?: (report: MessageReport) => void;
  /** Turns that no message started. A drain waits for them, too, and stops them with the others. */
  readonly background?: { settled(): Promise<void>; stop(): Promise<void> };
  readonly timings?: Partial<Timings>;
}

/** Time limits of the gateway, in milliseconds. */
export interface Timings {
  /** For the start of an adapter before the gateway continues; it keeps starting in the background. */
  readonly start: number;
  /** For the stop of an adapter. */
  readonly stop: number;
  /** For a platform to accept a short text; long ones get more time. */
  readonly send: number;
  /** Before the second attempt after a failure; doubled each time. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** For the answer to a question of a hook. */
  readonly question: number;
  /** For a plugin's slash command. */
  readonly command: number;
  /** For all closing hooks of a drain in total. */
  readonly closing: number;
  /** For turns that are being stopped. */
  readonly abort: number;
}

export const TIMINGS: Timings = {
  start: 5000,
  stop: 5000,
  send: 60_000,
  firstPause: 1000,
  longestPause: 60_000,
  question: 300_000,
  command: 120_000,
  closing: 5000,
  abort: 10_000,
};
