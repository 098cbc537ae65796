/** One connection of Slack's Socket Mode, through the official package, which here never reconnects by itself. */
import type { SocketModeClient } from "@slack/socket-mode";
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import { CallFailure } from "#gateway/adapters/shared/call-failure";
import { CALL_MS, QUIET, type ApiRoot } from "./caller.ts";
import { slackFailureFrom } from "./failure.ts";
import { createPackageLogger } from "./package-log.ts";

/** What Slack sends: an event, a slash command or a press of a button. */
export interface Envelope {
  readonly type: string;
  readonly body: unknown;
}

export interface ConnectionTiming {
  /** How long a connection may take until Slack's `hello`. */
  readonly helloMs: number;
  /** How long Slack may take for the answer to a ping. */
  readonly pongMs: number;
  /** How long without a ping of Slack's until the connection is considered dead. */
  readonly pingMs: number;
  /** How long Slack has to complete the end of a connection. */
  readonly closeMs: number;
}

export interface ConnectionOptions {
  readonly appToken: string;
  readonly root: ApiRoot;
  readonly redact: (text: string) => string;
  readonly log: Log;
  readonly timing: ConnectionTiming;
  /** Takes an envelope, which is acknowledged when the promise resolves, or soon. It never rejects. */
  readonly take: (envelope: Envelope) => Promise<void>;
}

export interface Connection {
  /** Resolves with the reason when the connection ends, or Slack asks for another one. */
  readonly over: Promise<string>;
  /** Ends it. Resolves when it has ended. */
  close(): Promise<void>;
}

/** Slack waits 3 s for an acknowledgement (https://docs.slack.dev/apis/events-api/using-socket-mode). */
const ACK_MS = 2000;

/** Resolves when Slack has said hello. Rejects with a CallFailure, also when the signal aborts. */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
  const { appToken, root, redact, log, timing } = options;
  const { SocketModeClient: Client } = await import("@slack/socket-mode");
  const opening = AbortSignal.any([signal, AbortSignal.timeout(timing.helloMs)]);
  let status: number | undefined;
  let problem = "the connection was closed";
  const client = new Client({
    appToken,
    autoReconnectEnabled: false,
    logger: createPackageLogger(log, redact),
    clientPingTimeout: timing.pongMs,
    serverPingTimeout: timing.pingMs,
    clientOptions: {
      ...QUIET,
      slackApiUrl: root.url,
      timeout: CALL_MS,
      fetch: async (url, init) => {
        const response = await fetch(url, { ...(init as RequestInit), signal: opening });
        status = response.status;
        return response;
      },
    },
  });
  const connection = follow(client, options);
  client.on("error", (error: unknown) => {
    problem = problemOf(error);
  });
  // The package would connect although it was told to disconnect while it waited for the address.
  client.on("authenticated", () => opening.throwIfAborted());
  const stop = () => void connection.close();
  opening.addEventListener("abort", stop, { once: true });
  try {
    await client.start();
    return connection;
  } catch (thrown) {
    if (opening.aborted) throw new CallFailure("Slack did not say hello in time");
    // A connection that ends before the hello rejects without an error.
    throw thrown === undefined ? new CallFailure(redact(problem)) : slackFailureFrom(thrown, redact, status);
  } finally {
    opening.removeEventListener("abort", stop);
  }
}

function follow(client: SocketModeClient, { take, log, redact, timing }: ConnectionOptions): Connection {
  const over = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  client.on("disconnected", () => {
    over.resolve("the connection was closed");
    ended.resolve();
  });
  guardFrames(client, over.resolve);
  client.on("slack_event", ({ ack, type, body }: { ack: () => Promise<void>; type: string; body: unknown }) => {
    void withDeadline(ACK_MS, () => take({ type, body }), { keepsAlive: false })
      .then(() => ack())
      // Slack then delivers it again, and it is recognised.
      .catch((error: unknown) => {
        log.debug(`slack: an envelope could not be acknowledged: ${redact(problemOf(error))}`);
      });
  });
  return {
    over: over.promise,
    async close() {
      void client.disconnect();
      releaseTimer(client);
      // The second call does not wait for Slack to complete the end.
      const late = setTimeout(() => void client.disconnect(), timing.closeMs).unref();
      await ended.promise;
      clearTimeout(late);
      // Now it only clears a timer that the package has started after the end, and that would keep the program running.
      void client.disconnect();
    },
  };
}

/**
 * The package waits 30 s for the end of a connection, and forgets to stop that when the connection fails meanwhile. Its
 * timer must not keep the program running.
 */
function releaseTimer(client: SocketModeClient): void {
  const { websocket } = client as unknown as { websocket?: { closeHandshakeTimeout?: NodeJS.Timeout } };
  websocket?.closeHandshakeTimeout?.unref();
}

/** Keeps from the package what it cannot handle, and what ends a connection before there is another one. */
function guardFrames(client: SocketModeClient, onGoodbye: (reason: string) => void): void {
  const [handle] = client.listeners("ws_message");
  client.removeAllListeners("ws_message");
  client.on("ws_message", (data: unknown, isBinary: unknown) => {
    const frame = readFrame(data);
    if (frame?.type === "disconnect") onGoodbye(typeof frame.reason === "string" ? frame.reason : "no reason given");
    else if (frame !== null) handle?.(data, isBinary);
  });
}

interface Frame {
  readonly type: string;
  readonly reason?: unknown;
  readonly envelope_id?: unknown;
  readonly payload?: { readonly event?: { readonly type?: unknown } };
}

/** A frame that the package can handle; null for others, which would be rejections that nobody handles. */
function readFrame(data: unknown): Frame | null {
  try {
    const frame = JSON.parse(String(data)) as Frame | null;
    if (typeof frame !== "object" || typeof frame?.type !== "string") return null;
    if (frame.type === "hello" || frame.type === "disconnect") return frame;
    if (typeof frame.envelope_id !== "string") return null;
    const isEvent = frame.type === "events_api";
    return isEvent && typeof frame.payload?.event?.type !== "string" ? null : frame;
  } catch {
    // No JSON: Slack sends none but its own frames.
    return null;
  }
}
