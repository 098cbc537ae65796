/**
 * The connection to Discord's gateway. The library's shard speaks the protocol: heartbeats, RESUME, IDENTIFY. This file
 * adds what it lacks: pauses between attempts that grow, sessions that survive a network failure, and new attempts after
 * Discord refused the bot.
 */
import {
  Encoding,
  WebSocketShard,
  WebSocketShardEvents,
  type FetchingStrategyOptions,
  type IContextFetchingStrategy,
} from "@discordjs/ws";
import type { GatewayDispatchPayload } from "discord-api-types/v10";
import type { Backoff } from "#core/backoff";
import { withDeadline } from "#core/deadline";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Outage } from "#gateway/adapters/shared/outage";
import { API_VERSION } from "./api-root.ts";
import { INTENTS, refusalOf, type Refusal } from "./close-codes.ts";
import { isSocketUrl } from "./gateway-address.ts";
import type { SessionStore } from "./session-store.ts";
import { createIdentifyThrottle } from "./identify-throttle.ts";

export interface ConnectionTiming {
  /** Between attempts to connect. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** Between two new sessions: Discord allows one every five seconds, and 1,000 a day. */
  readonly identify: Backoff;
  /** How long Discord may take to answer at the start. */
  readonly startMs: number;
  /** How long Discord may take to greet a new connection. */
  readonly helloMs: number;
  /** How long a stop waits for the connection to close. */
  readonly closeMs: number;
}

export interface ConnectionOptions {
  readonly token: string;
  /** Discord's address for new sessions. */
  readonly gatewayUrl: string;
  readonly log: Log;
  readonly outage: Outage;
  readonly redact: (text: string) => string;
  readonly store: SessionStore;
  readonly timing: ConnectionTiming;
  readonly onDispatch: (event: GatewayDispatchPayload) => void;
}

export interface Connection {
  /** Resolves when events come. Rejects with an error that says why they do not; then nothing is left running. */
  start(): Promise<void>;
  /** Closes the connection so that its session can be resumed. */
  stop(): Promise<void>;
}

/** After this many attempts that failed, the session is resumed at the address for new ones. */
const MOST_AT_RESUME_URL = 3;

export function createConnection(options: ConnectionOptions): Connection {
  const { token, gatewayUrl, log, outage, store, timing, onDispatch } = options;
  const throttle = createIdentifyThrottle(timing.identify);
  let session = store.load();
  let shard: WebSocketShard | undefined;
  let isOver = false;
  /** True while there is a connection to close. */
  let isOpen = false;
  /** True from READY or RESUMED until the connection ends. */
  let isUp = false;
  /** False while Discord has said nothing on the connection: then it cannot have ended the session. */
  let isGreeted = false;
  /** True when Discord has ended the session. */
  let isInvalidated = false;
  let failures = 0;
  /** What ended the connection last. */
  let reason = "";
  /** Before this moment no new connection is made. */
  let connectAt = 0;
  let retry: NodeJS.Timeout | undefined;
  let starting: PromiseWithResolvers<void> | undefined = Promise.withResolvers<void>();

  const strategy: IContextFetchingStrategy = {
    options: strategyOptions(token, gatewayUrl, timing),
    // The shard also asks before it connects, and waits for the answer.
    async retrieveSessionInfo() {
      while (performance.now() < connectAt) await pauseUntil(connectAt);
      return isOver ? never() : session;
    },
    updateSessionInfo(_, given) {
      if (isOver || (given === null && !isGreeted)) return;
      // A session that cannot be resumed is no failure: a new one follows.
      if (given === null && session !== null) isInvalidated = true;
      const isUsable = given !== null && isSocketUrl(given.resumeURL);
      session = given === null || isUsable ? given : { ...given, resumeURL: gatewayUrl };
      store.save(session);
    },
    waitForIdentify: (_, signal) => throttle(signal),
  };

  function up(): void {
    isUp = true;
    isInvalidated = false;
    failures = 0;
    outage.end();
    starting?.resolve();
    starting = undefined;
  }

  function down(code: number): void {
    if (isOver) return;
    if (isUp || isInvalidated) {
      isUp = false;
      isInvalidated = false;
      reason = "";
      log.debug(`discord: the connection was closed (${code}); connecting again`);
      return;
    }
    fail(reason === "" ? `the connection was closed (${code})` : reason);
  }

  /** An attempt failed: the next one is made after a pause. */
  function fail(problem: string): void {
    reason = "";
    const isElsewhere = session !== null && session.resumeURL !== gatewayUrl;
    const isEnough = starting !== undefined || ++failures >= MOST_AT_RESUME_URL;
    if (session !== null && isEnough) session = { ...session, resumeURL: gatewayUrl };
    // The address of an earlier session may be gone.
    if (starting !== undefined && isElsewhere) return;
    if (starting !== undefined) return starting.reject(new Error(problem));
    connectAt = performance.now() + outage.note({ problem });
  }

  /** Discord refused the bot, and the shard gave up. */
  function refused({ problem, advice }: Refusal): void {
    if (starting !== undefined) return starting.reject(new Error(`${problem}. ${advice}`));
    retry = setTimeout(() => void open(), outage.note({ problem, advice }));
  }

  async function open(): Promise<void> {
    isInvalidated = false;
    let closeCode = 0;
    const made = new WebSocketShard(strategy, 0);
    shard = made;
    made.on(WebSocketShardEvents.Dispatch, (event) => {
      // It comes again when the session is resumed.
      if (isOver) return;
      try {
        onDispatch(event);
      } catch (thrown) {
        log.warn(`discord: an event could not be processed: ${problemOf(thrown)}`);
      }
    });
    made.on(WebSocketShardEvents.Hello, () => {
      isOpen = true;
      isGreeted = true;
      // The shard has to prepare its heartbeats before it can take them back.
      if (isOver) setImmediate(() => void close());
    });
    made.on(WebSocketShardEvents.SocketError, (error) => {
      isOpen = false;
      isGreeted = false;
      reason = options.redact(problemOf(error));
    });
    made.on(WebSocketShardEvents.Closed, (code) => {
      closeCode = code;
      isOpen = false;
      // After the shard has drawn its conclusions from the code.
      setImmediate(() => {
        isGreeted = false;
      });
      if (refusalOf(code) === null) down(code);
    });
    made.on(WebSocketShardEvents.Error, () => refused(refusalOf(closeCode) ?? UNKNOWN_REFUSAL));
    made.on(WebSocketShardEvents.Ready, up);
    made.on(WebSocketShardEvents.Resumed, up);
    made.on(WebSocketShardEvents.Debug, (text) =>
      log.debug(`discord: ${options.redact(text.replaceAll(/\s+/g, " "))}`),
    );
    // It rejects with the error that the listener above has taken.
    await made.connect().catch(() => undefined);
  }

  async function stop(): Promise<void> {
    if (isOver) return;
    isOver = true;
    clearTimeout(retry);
    store.flush();
    await close();
  }

  /**
   * Closes the connection. One that is still being made ends by itself, because the shard would leave its socket without
   * anybody to take its errors.
   */
  async function close(): Promise<void> {
    // Discord ends the session at 1000 and 1001 only.
    if (isOpen) await withDeadline(timing.closeMs, () => shard?.destroy({ code: RESUMABLE, reason: "stopping" }));
  }

  return {
    async start() {
      const started = starting!.promise;
      void open();
      const settled = await withDeadline(timing.startMs, () => started);
      if (settled.kind === "value") return;
      await stop();
      throw settled.kind === "thrown" ? settled.error : new Error("the gateway gave no answer in time");
    },
    stop,
  };
}

const RESUMABLE = 4200;
const UNKNOWN_REFUSAL: Refusal = { problem: "Discord refused the connection", advice: "Look at the bot's settings" };

function strategyOptions(token: string, url: string, { helloMs }: ConnectionTiming): FetchingStrategyOptions {
  return {
    token,
    intents: INTENTS,
    version: API_VERSION,
    encoding: Encoding.JSON,
    compression: null,
    useIdentifyCompression: false,
    identifyProperties: { os: process.platform, browser: "hermes-hooks", device: "hermes-hooks" },
    initialPresence: null,
    largeThreshold: null,
    handshakeTimeout: 20_000,
    helloTimeout: helloMs,
    readyTimeout: 20_000,
    shardCount: 1,
    gatewayInformation: {
      url,
      shards: 1,
      session_start_limit: { total: 1, remaining: 1, reset_after: 0, max_concurrency: 1 },
    },
  };
}

/** A shard that waits for this is left to the garbage collector. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

async function pauseUntil(moment: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, Math.max(1, moment - performance.now())).unref();
  await promise;
}
