/**
 * The HTTP API for what the home has stored: sessions, tasks, deliveries of webhooks, daemons, the last replay. It can
 * only be read.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { DaemonDesk } from "#core/ports/daemons";
import { DELIVERY_STATUSES, type DeliveryStore } from "#core/ports/deliveries";
import { TASK_STATUSES, type TaskDesk } from "#core/ports/tasks";
import { OncePerMinute } from "#core/rare-log";
import { truncate } from "#core/truncate";
import { Refused, type RequestAccess } from "./access.ts";
import { addDaemonRoutes } from "./daemon-routes.ts";
import { choiceOf, LISTED_TEXT, limitOf, wordOf } from "./list-query.ts";
import { addReplayRoutes, type LastReplay } from "./replay-routes.ts";
import { addSessionRoutes, type StoredSessions } from "./session-routes.ts";

/** Where sessions, tasks, deliveries, daemons and the last replay come from; the texts of tasks and daemons are without secrets. */
export interface StoredItems {
  readonly tasks: Pick<TaskDesk, "list" | "get" | "lastLines">;
  readonly deliveries: Pick<DeliveryStore, "list" | "get">;
  readonly daemons: DaemonDesk;
  readonly sessions: StoredSessions;
  readonly replays: LastReplay;
}

export interface StoredRouteParts {
  readonly access: RequestAccess;
  /** Undefined without a database. */
  readonly stored: StoredItems | undefined;
  readonly redact: (text: string) => string;
  readonly log: Log;
}

const SHOWN_TEXT = 20_000;
const SHOWN_LINES = 40;
const ID = /^[a-z0-9]{4,16}$/;

export function addStoredRoutes(app: FastifyInstance, { access, stored, redact, log }: StoredRouteParts): void {
  const options = { onRequest: access.either };
  const rare = new OncePerMinute();

  function read<Value>(what: (items: StoredItems) => Promise<Value>): Promise<Value> {
    if (stored !== undefined) return tryTo(() => what(stored));
    throw new Refused(503, "state.db cannot be used, so there are no tasks, deliveries and daemons");
  }

  /** Reads from the database; its failure is an answer, not a crash. */
  async function tryTo<Value>(what: () => Promise<Value> | Value): Promise<Value> {
    try {
      return await what();
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (rare.isDue()) log.error(`dashboard: state.db cannot be read: ${problemOf(error)}`);
      throw new Refused(503, "state.db cannot be read now; the log of the dashboard has the reason", { cause: error });
    }
  }

  addSessionRoutes(app, { access, read: (what) => tryTo(() => what(stored?.sessions)), redact });
  addReplayRoutes(app, { access, read: (what) => read(({ replays }) => what(replays)), redact });
  addDaemonRoutes(app, { access, read: (what) => read(({ daemons }) => what(daemons)) });

  app.get("/api/tasks", options, (request) =>
    read(async ({ tasks }) => {
      const list = await tasks.list({ status: choiceOf(request, "status", TASK_STATUSES), limit: limitOf(request) });
      return { tasks: list.map((task) => short(task, LISTED_TEXT)) };
    }),
  );

  app.get("/api/tasks/:id", options, (request) =>
    read(async ({ tasks }) => {
      const id = idOf(request);
      const task = await tasks.get(id);
      if (task === undefined) throw new Refused(404, "there is no such task any more");
      const output = (await tasks.lastLines(id, SHOWN_LINES)).map((line) => truncate(line, LISTED_TEXT));
      return { task: short(task, SHOWN_TEXT), output };
    }),
  );

  app.get("/api/deliveries", options, (request) =>
    read(async ({ deliveries }) => {
      const list = await deliveries.list({
        status: choiceOf(request, "status", DELIVERY_STATUSES),
        endpoint: wordOf(request, "endpoint"),
        limit: limitOf(request),
      });
      return { deliveries: list.map((delivery) => cleaned(delivery, redact)) };
    }),
  );

  app.get("/api/deliveries/:id", options, (request) =>
    read(async ({ deliveries }) => {
      const found = await deliveries.get(idOf(request));
      if (found === undefined) throw new Refused(404, "there is no such delivery any more");
      const { payload, history, ...delivery } = found;
      return {
        delivery: cleaned(delivery, redact),
        payload: truncate(redact(JSON.stringify(JSON.parse(payload), null, 2)), SHOWN_TEXT),
        history: history.slice(-SHOWN_LINES).map((attempt) => ({
          ...attempt,
          error: attempt.error === null ? null : truncate(redact(attempt.error), LISTED_TEXT),
        })),
      };
    }),
  );
}

function short<Item extends { readonly prompt: string; readonly error: string | null }>(item: Item, most: number) {
  const { prompt, error } = item;
  return { ...item, prompt: truncate(prompt, most), error: error === null ? null : truncate(error, most) };
}

function cleaned<Item extends { readonly last_error: string | null }>(item: Item, redact: (text: string) => string) {
  const { last_error: error } = item;
  return { ...item, last_error: error === null ? null : truncate(redact(error), LISTED_TEXT) };
}

function idOf(request: FastifyRequest): string {
  const { id } = request.params as { readonly id: string };
  if (ID.test(id)) return id;
  throw new Refused(404, "there is no such id");
}
