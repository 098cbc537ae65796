/** What the adapter is created with. */
import type { Log } from "#core/home/log";
import type { StartedThreads } from "#gateway/adapters/shared/started-threads";
import { MESSENGER_TIMING, type MessengerTiming } from "#gateway/adapters/shared/messenger";
import type { ConnectionTiming } from "./connection.ts";
import type { PaceTiming } from "./pace.ts";
import type { SocketTiming } from "./socket.ts";

export interface SlackOptions {
  /** The Bot User OAuth Token. */
  readonly bot_token?: string | undefined;
  /** The app-level token for Socket Mode. */
  readonly app_token?: string | undefined;
  /** The address of the Web API; Slack's own when absent. */
  readonly api_root?: string | undefined;
  readonly log: Log;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
  /** True for a word that is a slash command. */
  readonly isCommand: (word: string) => boolean;
  readonly threads: Pick<StartedThreads, "note" | "has">;
  /** False while a hook may replace the final answer: then nothing is shown before it. True when absent. */
  readonly streaming?: (() => boolean) | undefined;
  readonly timing?: Partial<SlackTiming> | undefined;
}

export type SlackTiming = MessengerTiming &
  ConnectionTiming &
  SocketTiming &
  PaceTiming & {
    /** Minimum time between two updates of a draft. */
    readonly editMs: number;
    /** The first pause before a rejected token of the bot is tried again. */
    readonly tokenMs: number;
    /** How long a message waits for names and for what it refers to. */
    readonly lookupMs: number;
  };

export const TIMING: SlackTiming = {
  ...MESSENGER_TIMING,
  firstPause: 500,
  longestPause: 60_000,
  // One update every 1.2 s is 50 a minute, the rate of tier 3.
  editMs: 1200,
  updateMs: 1200,
  postMs: 1000,
  // Slack takes a status away after two minutes.
  typingMs: 60_000,
  helloMs: 15_000,
  // The package's own defaults.
  pongMs: 5000,
  pingMs: 30_000,
  closeMs: 1000,
  steadyMs: 10_000,
  tokenMs: 5000,
  lookupMs: 3000,
};
