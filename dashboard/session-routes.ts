/** The HTTP API for the home's stored sessions. */
import type { FastifyInstance } from "fastify";
import { truncate } from "#core/truncate";
import type { RequestAccess } from "./access.ts";
import { LISTED_TEXT, limitOf } from "./list-query.ts";

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

/** The sessions of the home as they are stored, secrets included. Every method throws what the database throws. */
export interface StoredSessions {
  /** Last used first; with `children`, those of child agents, too. */
  list(options: { readonly limit: number; readonly children: boolean }): readonly SessionSummary[];
}

export interface SessionRouteParts {
  readonly access: RequestAccess;
  /** Calls with the sessions of the home, undefined without a database; a failure of the database is an answer. */
  readonly read: <Value>(what: (sessions: StoredSessions | undefined) => Value) => Promise<Value>;
  readonly redact: (text: string) => string;
}

export function addSessionRoutes(app: FastifyInstance, { access, read, redact }: SessionRouteParts): void {
  app.get("/api/sessions", { onRequest: access.either }, (request) =>
    read((sessions) => ({
      sessions: (sessions?.list({ limit: limitOf(request), children: true }) ?? []).map((one) =>
        summaryOf(one, redact),
      ),
    })),
  );
}

function summaryOf(session: SessionSummary, redact: (text: string) => string): SessionSummary {
  const { id, title, platform, model, created_at, updated_at, message_count } = session;
  const shown = title === null ? null : truncate(redact(title), LISTED_TEXT);
  return { id, title: shown, platform, model, created_at, updated_at, message_count };
}
