/** The platform `api_server`: the agent behind an HTTP API for OpenAI clients (CONTRACT §8). */
import type { DatabaseSync } from "node:sqlite";
import type { FastifyInstance } from "fastify";
import { HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { Adapter, Inbox } from "#core/ports/platform";
import { addressOf, hangUp, listen } from "#gateway/adapters/shared/listening";
import { notListening } from "#gateway/adapters/shared/not-listening";
import { GivenAnswers } from "./given-answers.ts";
import { createInFlight, type InFlight } from "./in-flight.ts";
import { createApp } from "./routes.ts";
import { PLATFORM } from "./running-answer.ts";
import { apiServerProblem, DEFAULT_HOST, DEFAULT_PORT, listenTarget } from "./settings.ts";

export interface ApiServerOptions {
  readonly host?: string | undefined;
  /** 0 for any free port. */
  readonly port?: number | undefined;
  /** The bearer key of every route; without one it can only bind to loopback. */
  readonly key?: string | undefined;
  /** The origins of web pages that may use the server; none when absent. */
  readonly cors_origins?: readonly string[] | undefined;
  /** For answers that may be asked for again. */
  readonly database: DatabaseSync;
  /** Whether there is a session with this id. */
  readonly isSession: (id: string) => boolean;
  /** The current model, for `GET /v1/models`. */
  readonly model: () => { readonly id: string; readonly provider: string };
  /** The program's version, sent as a header of `GET /health`. */
  readonly version: string;
  readonly log: Log;
  /** False while a hook may replace the final answer: then nothing is streamed before it. True when absent. */
  readonly streaming?: (() => boolean) | undefined;
  readonly limits?: Partial<ApiServerLimits> | undefined;
}

export interface ApiServerLimits {
  /** Maximum number of concurrent requests for an answer; one more gets 429. */
  readonly inFlight: number;
  /** After how long a silent stream gets a comment. */
  readonly keepAliveMs: number;
  /** How long a client may take to send the headers of a request. */
  readonly headersTimeoutMs: number;
  /** How long it may take to send the whole request. */
  readonly requestTimeoutMs: number;
}

export interface ApiServer extends Adapter {
  /** Where it listens; null when it does not. */
  address(): { readonly host: string; readonly port: number; readonly url: string } | null;
}

interface Running {
  readonly app: FastifyInstance;
  readonly inFlight: InFlight;
}

const LIMITS: ApiServerLimits = {
  inFlight: 100,
  keepAliveMs: 15_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
};

/**
 * Creates the adapter; it listens after `start`, which rejects with HERMES_ADAPTER_CONFIG (a required key is missing)
 * or HERMES_ADAPTER_START (the port is in use, the address does not belong to this machine).
 */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const {
    host = DEFAULT_HOST,
    port = DEFAULT_PORT,
    key = "",
    cors_origins = [],
    log,
    streaming = () => true,
  } = options;
  const { model, version, isSession } = options;
  const given = new GivenAnswers(options.database, log);
  const limits = { ...LIMITS, ...options.limits };
  let running: Running | undefined;

  async function start(inbox: Inbox): Promise<void> {
    if (running !== undefined) return;
    const problem = apiServerProblem({ host, key, cors_origins: [...cors_origins] });
    if (problem !== undefined) throw new HermesError("HERMES_ADAPTER_CONFIG", { platform: PLATFORM, problem });
    const inFlight = createInFlight(limits.inFlight);
    const app = await createApp({
      ...limits,
      inbox,
      key,
      origins: cors_origins,
      given,
      isSession,
      model,
      version,
      streaming,
      log,
      inFlight,
    });
    try {
      await listen(app, host, port);
    } catch (thrown) {
      await app.close();
      throw notListening(thrown, listenTarget(host, port));
    }
    running = { app, inFlight };
  }

  async function stop(): Promise<void> {
    if (running === undefined) return;
    const { app, inFlight } = running;
    running = undefined;
    app.server.close();
    await inFlight.close();
    await hangUp(app);
  }

  return {
    name: PLATFORM,
    start,
    stop,
    send: () => Promise.reject(unasked()),
    address: () => (running === undefined ? null : addressOf(running.app)),
  };
}

/** `permanent`: retrying would not help. */
function unasked(): HermesError {
  const problem = "api_server can only answer requests; it cannot send messages by itself.";
  const error = new HermesError("HERMES_ADAPTER_SEND", { platform: PLATFORM, problem });
  return Object.assign(error, { permanent: true });
}
