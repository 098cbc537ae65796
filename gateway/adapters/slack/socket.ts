/** Stays connected to Slack: another connection before Slack ends one, and later and later attempts in an outage. */
import { setTimeout as sleep } from "node:timers/promises";
import { growingPause, type Backoff } from "#core/backoff";
import type { Log } from "#core/home/log";
import { callFailureOf, type CallFailure } from "#gateway/adapters/shared/call-failure";
import type { Outage } from "#gateway/adapters/shared/outage";
import type { Connection } from "./connection.ts";

export interface SocketTiming extends Backoff {
  /** A connection that ends earlier is followed by a pause before the next one. */
  readonly steadyMs: number;
}

export interface SocketOptions {
  /** Opens a connection. Rejects with a CallFailure. */
  readonly open: (signal: AbortSignal) => Promise<Connection>;
  readonly outage: Outage;
  readonly log: Log;
  readonly timing: SocketTiming;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/**
 * Opens the first connection, and rejects with a CallFailure if that fails. Then stays connected until the signal
 * aborts; `ended` resolves when nothing is open any more.
 */
export async function stayConnected(options: SocketOptions): Promise<{ readonly ended: Promise<void> }> {
  const first = await options.open(options.signal);
  return { ended: follow(first, options) };
}

async function follow(first: Connection, options: SocketOptions): Promise<void> {
  const { timing, signal, log } = options;
  const stopped = new Promise<string>((resolve) => {
    signal.addEventListener("abort", () => resolve("the gateway stops"), { once: true });
    if (signal.aborted) resolve("the gateway stops");
  });
  let current: Connection | null = first;
  let short = 0;
  while (current !== null && !signal.aborted) {
    const began = performance.now();
    const reason = await Promise.race([current.over, stopped]);
    if (signal.aborted) break;
    log.debug(`slack: a connection ends: ${reason}`);
    // Slack ends connections every few hours, but not one after another.
    short = performance.now() - began < timing.steadyMs ? short + 1 : 0;
    if (short > 0) await pause(growingPause(short - 1, timing), signal);
    const next = await reopen(options, reason);
    // Until now the old one may have delivered.
    void current.close();
    current = next;
  }
  await current?.close();
}

/** `reason` is why the last one ended. Null when the signal aborts. */
async function reopen({ open, outage, signal }: SocketOptions, reason: string): Promise<Connection | null> {
  while (!signal.aborted) {
    try {
      const connection = await open(signal);
      outage.end();
      return connection;
    } catch (thrown) {
      if (signal.aborted) break;
      await pause(outage.note(outageOf(callFailureOf(thrown), reason)), signal);
    }
  }
  return null;
}

function outageOf({ message, status, retryAfterMs }: CallFailure, reason: string): Parameters<Outage["note"]>[0] {
  return { problem: message, advice: adviceFor(status, reason), retryAfterMs };
}

function adviceFor(status: number | null, reason: string): string | undefined {
  if (status === 401 || status === 403) return "Check gateway.platforms.slack.app_token";
  // Somebody has turned it off in the settings of the app.
  const isOff = reason === "link_disabled" && status !== null && status < 429;
  return isOff ? "Turn on Socket Mode for the app at https://api.slack.com/apps" : undefined;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // The loops notice an abort.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
