/** The HTTP API for the page and for scripts; docs/dashboard.md describes it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "#core/home/log";
import { OncePerMinute } from "#core/rare-log";
import { Refused, type RequestAccess } from "./access.ts";
import type { Body } from "./body.ts";
import { MESSAGE_IDS_HEADER, parseMessageIds } from "#core/forward/message-ids";
import { MOST_BODY_BYTES, readFrames, type EventFrame, type Rejection } from "./frames.ts";
import { toJson, type History } from "./history.ts";
import type { Intake } from "./intake.ts";
import { parseJson } from "./json.ts";
import type { SignIn } from "./sign-in.ts";
import type { Sources } from "./sources.ts";
import type { Streams } from "./streams.ts";

export interface RouteParts {
  readonly access: RequestAccess;
  readonly signIn: SignIn;
  readonly history: History;
  readonly intake: Intake;
  readonly sources: Sources;
  readonly streams: Streams;
  readonly log: Log;
  readonly version: string;
  readonly startedAt: string;
  /** Whether there is a database with tasks, deliveries and daemons. */
  readonly hasStored: boolean;
}

const MOST_OF_HISTORY = 1000;
const SMALL_BODY_BYTES = 4096;

export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  addIngest(app, parts);
  addSession(app, parts);
  addReading(app, parts);
}

/** Receives the events of other processes. */
function addIngest(app: FastifyInstance, { access, intake, sources }: RouteParts): void {
  app.get("/api/hooks/health", () => ({ ok: true }));

  app.post("/api/hooks/ingest", { onRequest: access.bearer, bodyLimit: MOST_BODY_BYTES }, (request, reply) => {
    const { text, bytes } = bodyOf(request);
    const read = readFrames(text, bytes);
    if ("problem" in read) {
      const { status, problem, batch, rejected = [] } = read;
      reply.code(status);
      return batch ? { ok: false, accepted: 0, rejected, detail: problem } : { detail: problem };
    }
    const { frames, batch, rejected } = read;
    noteDropped(request, frames[0]!.src, sources);
    intake.take(withIds(frames, rejected, request));
    if (!batch) return { ok: true };
    return { ok: true, accepted: frames.length, ...(rejected.length > 0 && { rejected }) };
  });
}

/** The frames with the IDs that the sender names, if it also sends them to a stream. */
function withIds(frames: readonly EventFrame[], rejected: readonly Rejection[], request: FastifyRequest) {
  const ids = parseMessageIds(request.headers[MESSAGE_IDS_HEADER]);
  if (ids.length !== frames.length + rejected.length) return frames;
  const without = new Set(rejected.map(({ index }) => index));
  const left = ids.filter((_, index) => !without.has(index));
  return frames.map((frame, index) => ({ ...frame, id: left[index] }));
}

function noteDropped(request: FastifyRequest, src: string, sources: Sources): void {
  const total = request.headers["x-hermes-dropped"];
  if (typeof total === "string" && /^\d{1,15}$/.test(total)) sources.dropped(src, request.socket, Number(total));
}

/** Signs the page in and out. */
function addSession(app: FastifyInstance, { access, signIn }: RouteParts): void {
  app.post("/api/session", { bodyLimit: SMALL_BODY_BYTES }, (request, reply) => {
    const code = codeOf(bodyOf(request).text);
    const secret = signIn.exchange(code);
    if (secret === undefined) throw access.wrong(request, reply, "this link was already used or has expired");
    access.setCookie(reply, secret);
    return reply.code(204).send();
  });
  app.get("/api/session", { onRequest: access.either }, (request, reply) => {
    access.renewCookie(request, reply);
    return reply.code(204).send();
  });
  app.post("/api/session/end", { onRequest: access.either }, (request, reply) => {
    const session = access.sessionOf(request);
    if (session !== undefined) signIn.end(session);
    access.clearCookie(reply);
    return reply.code(204).send();
  });
  app.post("/api/session/code", { onRequest: access.bearer }, () => ({ code: signIn.newCode() }));
}

function codeOf(text: string): string {
  try {
    const { value } = parseJson(text);
    const code = typeof value === "object" && value !== null ? (value as { code?: unknown }).code : undefined;
    if (typeof code === "string") return code;
  } catch {
    // Not JSON: refused below, like JSON without a code.
  }
  throw new Refused(400, 'the body must be {"code": "…"}');
}

/** Serves status, history and the stream. */
function addReading(app: FastifyInstance, parts: RouteParts): void {
  const { access, history, intake, sources, streams, log } = parts;
  const options = { onRequest: access.either };
  const full = new OncePerMinute();

  app.get("/api/status", options, () => ({
    version: parts.version,
    started_at: parts.startedAt,
    now: new Date().toISOString(),
    stored: parts.hasStored,
    events_total: intake.total,
    sources: sources.list(),
  }));

  app.get("/api/history", options, (request, reply) => {
    const query = request.query as Record<string, unknown>;
    const before = wholeNumber(query, "before") ?? Number.MAX_SAFE_INTEGER;
    const limit = Math.min(wholeNumber(query, "limit") ?? MOST_OF_HISTORY, MOST_OF_HISTORY);
    const events = history.before(before, limit).map(toJson);
    reply.type("application/json; charset=utf-8");
    return reply.send(`{"events":[${events.join(",")}],"oldest":${history.oldest}}`);
  });

  app.get("/api/events", options, (request, reply) => {
    const query = request.query as Record<string, unknown>;
    const limit = wholeNumber(query, "limit");
    // After a reconnect, the browser's header is newer than the URL.
    const after = lastEventId(request) ?? wholeNumber(query, "after");
    const start = after ?? (limit === undefined ? history.last : 0);
    if (streams.isFull) {
      if (full.isDue()) log.warn("dashboard: a stream was refused, because too many are open");
      throw new Refused(503, "too many streams are open");
    }
    openStream(reply);
    streams.add(reply.raw, {
      after: limit === undefined ? start : Math.max(start, history.startOfLast(limit)),
      session: access.sessionOf(request),
    });
  });
}

function openStream(reply: FastifyReply): void {
  reply.hijack();
  // The stream and its connection end together.
  const headers = { ...reply.getHeaders(), "content-type": "text/event-stream; charset=utf-8", connection: "close" };
  reply.raw.writeHead(200, headers as Record<string, string>);
}

function lastEventId(request: FastifyRequest): number | undefined {
  const id = request.headers["last-event-id"];
  return typeof id === "string" && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}

function wholeNumber(query: Record<string, unknown>, name: string): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new Refused(400, `'${name}' must be a whole number`);
}

function bodyOf(request: FastifyRequest): Body {
  const body = request.body as Body | undefined;
  if (body === undefined) throw new Refused(400, "there is no body");
  return body;
}
