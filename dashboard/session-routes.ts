/** The HTTP API for the home's stored sessions: list, search, one with its messages, and as a file. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createLimiter } from "#core/limiter";
import type { ChatMessage } from "#core/messages";
import { truncate } from "#core/truncate";
import type { UsageSum } from "#core/usage-text";
import { Refused, type RequestAccess } from "./access.ts";
import { choiceOf, LISTED_TEXT, limitOf } from "./list-query.ts";

/** A session without its messages; times are ISO-8601, UTC. */
export interface SessionSummary {
  readonly id: string;
  readonly title: string | null;
  readonly platform: string;
  readonly model: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly message_count: number;
}

interface UsedSession extends SessionSummary {
  readonly usage: UsageSum;
}

export interface WholeSession extends SessionSummary {
  readonly messages: readonly ChatMessage[];
}

/** The sessions of the home as they are stored, secrets included. Every method throws what the database throws. */
export interface StoredSessions {
  /** Last used first; with `children`, those of child agents, too. */
  list(options: { readonly limit: number; readonly children: boolean }): readonly SessionSummary[];
  find(id: string): WholeSession | undefined;
  /** The tokens and the cost of all turns of each of these sessions, by id. */
  usage(ids: readonly string[]): ReadonlyMap<string, UsageSum>;
  toMarkdown(session: WholeSession): string;
  /** Sessions that have all words, last used first; snippets without secrets. Must not keep the event loop busy. */
  search(query: SessionSearch): AsyncIterable<SessionHit>;
}

export interface SessionSearch {
  readonly text: string;
  readonly limit: number;
  /** Nobody waits for the result any more. */
  readonly signal: AbortSignal;
}

export interface SessionHit {
  readonly session_id: string;
  readonly title: string | null;
  readonly platform: string;
  readonly role: string;
  readonly at: string;
  readonly snippet: string;
  readonly matches: number;
}

export interface SessionRouteParts {
  readonly access: RequestAccess;
  /** Calls with the sessions of the home, undefined without a database; a failure of the database is an answer. */
  readonly read: <Value>(what: (sessions: StoredSessions | undefined) => Value | Promise<Value>) => Promise<Value>;
  readonly redact: (text: string) => string;
}

const FORMATS = ["jsonl", "markdown"] as const;
const TYPES = { jsonl: "application/jsonl; charset=utf-8", markdown: "text/markdown; charset=utf-8" };
const EXTENSIONS = { jsonl: "jsonl", markdown: "md" };
const SHOWN_MESSAGES = 300;
const SHOWN_TEXT = 4000;
const LONGEST_SEARCH = 200;
const NO_USAGE: UsageSum = { input_tokens: 0, output_tokens: 0, cost: null, unpriced_turns: 0 };

export function addSessionRoutes(app: FastifyInstance, { access, read, redact }: SessionRouteParts): void {
  const options = { onRequest: access.either };
  // One at a time, so that many searches do not slow down the stream of events more than one does.
  const searches = createLimiter(1);

  app.get("/api/sessions", options, (request) =>
    read((sessions) => {
      const list = sessions?.list({ limit: limitOf(request), children: true }) ?? [];
      return { sessions: withUsage(list, sessions).map((one) => summaryOf(one, redact)) };
    }),
  );

  app.get("/api/search", options, (request, reply) => {
    const query = { text: searchOf(request), limit: limitOf(request), signal: signalOf(reply) };
    return searches.run(() =>
      read(async (sessions) => {
        const hits = query.signal.aborted ? [] : await Array.fromAsync(sessions?.search(query) ?? []);
        return { hits: hits.map((hit) => ({ ...hit, title: titleOf(hit, redact) })) };
      }),
    );
  });

  app.get("/api/sessions/:id", options, (request) =>
    read((sessions) => {
      const { messages, ...session } = wanted(request, sessions);
      const shown = messages.slice(-SHOWN_MESSAGES).map((message) => shownMessage(message, redact));
      const [shownSession] = withUsage([session], sessions).map((one) => summaryOf(one, redact));
      return { session: shownSession, skipped: messages.length - shown.length, messages: shown };
    }),
  );

  app.get("/api/sessions/:id/export", options, (request, reply) =>
    read((sessions) => {
      const format = choiceOf(request, "format", FORMATS) ?? "jsonl";
      const session = wanted(request, sessions);
      const file = `${session.id.replaceAll(/[^\w-]/g, "_").slice(0, 80)}.${EXTENSIONS[format]}`;
      reply.type(TYPES[format]).header("content-disposition", `attachment; filename="${file}"`);
      return format === "jsonl" ? toJsonLines(session, redact) : redact(sessions!.toMarkdown(session));
    }),
  );
}

function wanted(request: FastifyRequest, sessions: StoredSessions | undefined): WholeSession {
  const { id } = request.params as { readonly id: string };
  const session = sessions?.find(id);
  if (session === undefined) throw new Refused(404, "there is no such session in state.db");
  return session;
}

function searchOf(request: FastifyRequest): string {
  const { q } = request.query as { readonly q?: unknown };
  if (typeof q !== "string" || q.trim() === "" || q.length > LONGEST_SEARCH)
    throw new Refused(400, `'q' must be a text of at most ${LONGEST_SEARCH} characters`);
  return q;
}

/** Aborted when the client has gone before the response was sent. */
function signalOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => gone.abort());
  return gone.signal;
}

function titleOf({ title }: { readonly title: string | null }, redact: (text: string) => string): string | null {
  return title === null ? null : truncate(redact(title), LISTED_TEXT);
}

function withUsage(list: readonly SessionSummary[], sessions: StoredSessions | undefined): readonly UsedSession[] {
  const usage = sessions?.usage(list.map(({ id }) => id));
  return list.map((session) => ({ ...session, usage: usage?.get(session.id) ?? NO_USAGE }));
}

function summaryOf(session: UsedSession, redact: (text: string) => string): UsedSession {
  const { id, platform, model, created_at, updated_at, message_count, usage } = session;
  return { id, title: titleOf(session, redact), platform, model, created_at, updated_at, message_count, usage };
}

/** A message as the page shows it: its text, and what it called. */
function shownMessage(message: ChatMessage, redact: (text: string) => string) {
  const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
  return {
    role: message.role,
    text: truncate(redact(message.content ?? ""), SHOWN_TEXT),
    calls: calls.map(({ function: called }) => ({
      name: called.name,
      arguments: truncate(redact(called.arguments), SHOWN_TEXT),
    })),
  };
}

/** The session on the first line, then a line for each message. */
function toJsonLines({ messages, ...session }: WholeSession, redact: (text: string) => string): string {
  // Before JSON's escapes could hide a secret.
  const cleaned = (_key: string, value: unknown) => (typeof value === "string" ? redact(value) : value);
  return [session, ...messages].map((line) => `${JSON.stringify(line, cleaned)}\n`).join("");
}
