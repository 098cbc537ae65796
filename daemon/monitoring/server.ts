/** Serves the metrics and the health of a home over HTTP (CONTRACT §12). */
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { HermesError, problemOf } from "#core/errors";
import { MONITORING_DEFAULTS, type MonitoringSettings } from "#core/home/monitoring-settings";
import { createRareLog } from "#core/rare-log";
import { WITHOUT_SCHEMAS } from "#core/schemaless-server";
import { CONTENT_TYPE, renderMetrics, type MetricsSnapshot } from "./metrics.ts";
import { createHealth, type Handler, type HealthOptions } from "./health.ts";

export interface MonitoringOptions extends HealthOptions {
  readonly settings: MonitoringSettings;
  readonly snapshot: () => Promise<MetricsSnapshot>;
}

type Kind = keyof typeof MONITORING_DEFAULTS;

export interface Monitoring extends AsyncDisposable {
  readonly addresses: readonly { readonly name: Kind; readonly url: string }[];
  /** Everything runs: `/readyz` is no longer 503. */
  begin(): void;
  /** From now on the health check and `/readyz` answer 503. */
  drain(): void;
}

/** A scraper that takes longer than this is cut off. */
const REQUEST_MS = 10_000;
const MOST_CONNECTIONS = 200;

/**
 * Listens for what is enabled; both may share a port. Throws HERMES_MONITORING_PORT, which names the key, when one of
 * them cannot listen; then nothing listens.
 */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const enabled = (["prometheus", "health"] as const).filter((kind) => options.settings[kind]?.enabled === true);
  const health = createHealth(options);
  const routes: Record<Kind, Routes> = {
    prometheus: (path) => ({ [path]: serveMetrics(options) }),
    health: (path) => ({ [path]: health.health, "/livez": health.live, "/readyz": health.ready }),
  };
  const listeners = new Map<string, Listener>();
  for (const kind of enabled) {
    const { host, port, path } = placeOf(options.settings, kind);
    // Any free port is one for each.
    const key = port === 0 ? kind : `${host} ${port}`;
    const listener = listeners.get(key) ?? { host, port, kinds: [], handlers: {} };
    listeners.set(key, {
      ...listener,
      kinds: [...listener.kinds, { kind, path }],
      handlers: { ...listener.handlers, ...routes[kind](path) },
    });
  }
  await using undo = new AsyncDisposableStack();
  const addresses: Monitoring["addresses"][number][] = [];
  for (const listener of listeners.values()) {
    const app = await listen(listener);
    undo.defer(() => close(app));
    const url = urlOf(app, listener.host);
    addresses.push(...listener.kinds.map(({ kind, path }) => ({ name: kind, url: `${url}${path}` })));
  }
  const disposal = undo.move();
  return { addresses, begin: health.begin, drain: health.drain, [Symbol.asyncDispose]: () => disposal.disposeAsync() };
}

function placeOf(settings: MonitoringSettings, kind: Kind) {
  const { host, port, path } = MONITORING_DEFAULTS[kind];
  const own = settings[kind];
  return { host: own?.host ?? host, port: own?.port ?? port, path: own?.path ?? path };
}

type Routes = (path: string) => Readonly<Record<string, Handler>>;

interface Listener {
  readonly host: string;
  readonly port: number;
  readonly kinds: readonly { readonly kind: Kind; readonly path: string }[];
  readonly handlers: Readonly<Record<string, Handler>>;
}

function serveMetrics({ snapshot, log }: MonitoringOptions): Handler {
  const rare = createRareLog({ write: (sentence) => log.error(sentence) });
  return async (reply) => {
    try {
      return await reply.type(CONTENT_TYPE).send(await renderMetrics(await snapshot()));
    } catch (error) {
      rare(`metrics cannot be read: ${problemOf(error)}`);
      return reply.code(503).type("text/plain").send("The metrics cannot be read; the log says why.\n");
    }
  };
}

async function listen({ host, port, kinds, handlers }: Listener): Promise<FastifyInstance> {
  const { default: fastify } = await import("fastify");
  const app = fastify({
    ...WITHOUT_SCHEMAS,
    requestTimeout: REQUEST_MS,
    connectionTimeout: REQUEST_MS,
    keepAliveTimeout: REQUEST_MS * 7,
    bodyLimit: 1024,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
  });
  app.server.maxConnections = MOST_CONNECTIONS;
  app.addHook("onRequest", async (_request, reply) => void reply.header("cache-control", "no-store"));
  for (const [url, handler] of Object.entries(handlers)) {
    app.route({ method: ["GET", "HEAD"], url, handler: (_request, reply) => handler(reply) });
  }
  app.setNotFoundHandler(async (request, reply) => {
    if (!Object.hasOwn(handlers, request.url.split("?")[0]!)) return reply.code(404).send({ error: "not found" });
    return reply.code(405).header("allow", "GET, HEAD").send({ error: "method not allowed" });
  });
  app.setErrorHandler(async (error: { statusCode?: number }, _request, reply) =>
    reply.code(error.statusCode ?? 500).send({ error: "bad request" }),
  );
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const key = `monitoring.${kinds[0]!.kind}`;
    throw new HermesError(
      "HERMES_MONITORING_PORT",
      { key, host, port, problem: listenProblem(error) },
      { cause: error },
    );
  }
  return app;
}

function listenProblem(error: unknown): string {
  return (error as { code?: unknown }).code === "EADDRINUSE" ? "the port is in use" : problemOf(error);
}

async function close(app: FastifyInstance): Promise<void> {
  await app.close();
}

function urlOf(app: FastifyInstance, host: string): string {
  // A server that listens on a port has an address of this form.
  const { port, family } = app.server.address() as AddressInfo;
  return `http://${family === "IPv6" && !host.startsWith("[") && host.includes(":") ? `[${host}]` : host}:${port}`;
}
