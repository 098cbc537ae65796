/**
 * The dashboard: receives the events of all processes of this home, publishes them to its own plugins, and shows them
 * to the user (CONTRACT §9).
 */
import type { DatabaseSync } from "node:sqlite";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { HermesError, problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { HookRegistry } from "#core/registry";
import { RequestAccess } from "./access.ts";
import { createHostGate, isLocalBind, reachableUrl } from "./addresses.ts";
import { takeJsonOnly } from "./body.ts";
import { newSecret } from "#core/bearer";
import { WITHOUT_SCHEMAS } from "#core/schemaless-server";
import { boundConnections } from "./connections.ts";
import { publishDiscovery } from "./discovery.ts";
import type { EventFrame } from "./frames.ts";
import { History } from "./history.ts";
import { addHookRoutes, type ConfiguredHooks } from "./hook-routes.ts";
import { Intake } from "./intake.ts";
import { removeRedirectPage, removeRedirectPages } from "./redirect-page.ts";
import { addRoutes } from "./routes.ts";
import { SqliteSessionStore } from "./session-store.ts";
import { SignIn } from "./sign-in.ts";
import { Sources } from "./sources.ts";
import { EventStore } from "./store.ts";
import { addStoredRoutes, type StoredItems } from "./stored-routes.ts";
import { Streams, type StreamLimits } from "./streams.ts";

export interface DashboardLimits extends StreamLimits {
  /** How long a request's headers, and the whole request, may take. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** How long a connection is kept open between two requests. */
  readonly idleMs: number;
  readonly connections: number;
  /** How long requests may continue when the server stops. */
  readonly drainMs: number;
}

const LIMITS: DashboardLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  idleMs: 65_000,
  connections: 4096,
  drainMs: 2000,
  subscribers: 64,
  waitingBytes: 1024 * 1024,
  stalledMs: 60_000,
  keepAliveMs: 15_000,
};

export interface DashboardOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** `dashboard.allowed_hosts`: further host names that requests may use. */
  readonly allowedHosts: readonly string[];
  /** Where events are published; handlers see them with `_forwarded: true`. */
  readonly registry: HookRegistry;
  /** A separate connection to `state.db`; when undefined, events are kept in memory only. */
  readonly database: DatabaseSync | undefined;
  /** The sessions, tasks, deliveries and daemons of the home; undefined without a database. */
  readonly stored?: StoredItems | undefined;
  /** Reads which hooks are configured. */
  readonly configured?: (() => Promise<ConfiguredHooks>) | undefined;
  /** The discovery file. */
  readonly discovery: string;
  /** The folder `run` of the home, which holds the pages that open sign-in links. */
  readonly run: string;
  readonly log: Log;
  readonly redact: (text: string) => string;
  /** Shows a message to the user. */
  readonly warn: (sentence: string) => void;
  readonly version: string;
  readonly limits?: Partial<DashboardLimits>;
}

export interface DashboardServer {
  /** Takes events that come another way than from a sender. */
  take(frames: readonly EventFrame[]): void;
  /**
   * Binds the port, then writes the discovery file. Throws HERMES_DASHBOARD_PORT when the port is in use and
   * HERMES_DASHBOARD_BIND when it cannot listen for another reason.
   */
  start(): Promise<void>;
  /** Removes the discovery file, ends the streams, finishes running requests, and stores pending events. */
  stop(): Promise<void>;
  /** Its URL on this machine; known once it is started. */
  readonly url: string;
  /** The token that senders authenticate with. */
  readonly token: string;
  /** A new sign-in link, valid once and for ten minutes. */
  signInUrl(): string;
}

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

export function createDashboard(options: DashboardOptions): DashboardServer {
  const { host, registry, database, log, warn } = options;
  const limits = { ...LIMITS, ...options.limits };
  const token = newSecret();
  const startedAt = new Date().toISOString();
  let port = options.port;
  let app: FastifyInstance | undefined;
  let closeIdle: (() => void) | undefined;
  let unpublish: (() => void) | undefined;

  const history = new History();
  const streams = new Streams(history, limits);
  const signIn = new SignIn({
    onEnd: (session) => streams.endSession(session),
    onExchanged: (code) => removeRedirectPage(options.run, code),
    store: database && new SqliteSessionStore(database, log),
  });
  const sources = new Sources();
  const store = database && openStore(database, history, options);
  const intake = new Intake({ registry, history, store, streams, sources, redact: options.redact });
  const gate = createHostGate({ host, port: () => port, allowed: options.allowedHosts });
  const access = new RequestAccess({ token, signIn, port: () => port, isOwnPage: gate.isOwnPage, log });

  async function start(): Promise<void> {
    app = await buildApp();
    addStoredRoutes(app, { access, stored: options.stored, redact: options.redact, log });
    addHookRoutes(app, { access, configured: options.configured, redact: options.redact });
    const hasStored = options.stored !== undefined;
    const { version } = options;
    addRoutes(app, { access, signIn, history, intake, sources, streams, log, version, startedAt, hasStored });
    try {
      await app.listen({ host, port });
    } catch (error) {
      await stop();
      throw bindError(error, host, port);
    }
    ({ port } = app.server.address() as AddressInfo);
    removeRedirectPages(options.run);
    publish();
    log.info("dashboard: started", { url: reachableUrl(host, port) });
  }

  async function buildApp(): Promise<FastifyInstance> {
    const { fastify } = await import("fastify");
    const made = fastify({
      ...WITHOUT_SCHEMAS,
      http: { headersTimeout: limits.headersMs, connectionsCheckingInterval: Math.min(5000, limits.headersMs) },
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      exposeHeadRoutes: false,
    });
    closeIdle = boundConnections(made.server, limits.connections);
    made.server.on("connection", (socket) => socket.once("close", () => sources.closed(socket)));
    made.addHook("onRequest", async (request, reply) => {
      reply.headers(HEADERS);
      const problem = gate.refusal(request.raw);
      if (problem !== undefined) await reply.code(403).send({ detail: problem });
    });
    made.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
      const status = error.statusCode ?? 500;
      if (status >= 500) log.error(`dashboard: ${error.message}`);
      await reply.code(status).send({ detail: status === 500 ? "something went wrong" : error.message });
    });
    made.setNotFoundHandler(async (_request, reply) => {
      await reply.code(404).send({ detail: "not found" });
    });
    takeJsonOnly(made);
    await addPage(made);
    return made;
  }

  function publish(): void {
    const url = reachableUrl(host, port);
    try {
      const pid = process.pid;
      const discovery = { url, hooks_ingest_token: token, pid, started_at: startedAt };
      unpublish = publishDiscovery(options.discovery, discovery);
    } catch (error) {
      warn(`Other processes will not find the dashboard: cannot write ${options.discovery}: ${problemOf(error)}`);
    }
    if (isLocalBind(new URL(url).hostname)) return;
    warn(`Other processes only send events to ${url} if HERMES_DASHBOARD_TRUST_REMOTE=1 is set in their environment.`);
  }

  async function stop(): Promise<void> {
    unpublish?.();
    removeRedirectPages(options.run);
    streams.close();
    const cut = setTimeout(() => app?.server.closeAllConnections(), limits.drainMs);
    const closed = app?.close();
    closeIdle?.();
    await closed;
    clearTimeout(cut);
    intake.close();
    await store?.close();
  }

  return {
    start,
    stop,
    take: (frames) => intake.take(frames),
    token,
    get url() {
      return reachableUrl(host, port);
    },
    signInUrl: () => `${reachableUrl(host, port)}/#code=${signIn.newCode()}`,
  };
}

function openStore(database: DatabaseSync, history: History, { warn, log }: DashboardOptions): EventStore {
  const onLost = (problem: string) => {
    log.warn(`dashboard: events are not stored: ${problem}`);
    warn(`Events are kept in memory only, because state.db cannot be used: ${problem}`);
  };
  const store = new EventStore({ database, oldest: () => history.oldest, onLost });
  for (const event of store.load()) history.push(event);
  return store;
}

/** The page's files, which contain no data. */
async function addPage(app: FastifyInstance): Promise<void> {
  const { fastifyStatic } = await import("@fastify/static");
  await app.register(fastifyStatic, {
    root: fileURLToPath(new URL("./page", import.meta.url)),
    redirect: false,
    dotfiles: "ignore",
    cacheControl: false,
    allowedPath: (path) => path === "/" || /^\/[\w-]+(?:\/[\w-]+)*\.(?:html|js|css|svg)$/.test(path),
    // Revalidated each time, so that a new version of hermes never runs with an old page.
    setHeaders: (reply) => void reply.header("cache-control", "no-cache"),
  });
}

function bindError(error: unknown, host: string, port: number): HermesError {
  if ((error as { code?: unknown }).code === "EADDRINUSE")
    return new HermesError("HERMES_DASHBOARD_PORT", { host, port });
  return new HermesError("HERMES_DASHBOARD_BIND", { host, port, problem: problemOf(error) }, { cause: error });
}
