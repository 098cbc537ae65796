/** The HTTP API for daemons, their inboxes and their schedules. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { DaemonDesk } from "#core/ports/daemons";
import { INBOX_STATES } from "#core/ports/inbox";
import type { Schedule } from "#core/ports/schedules";
import { truncate } from "#core/truncate";
import { Refused, type RequestAccess } from "./access.ts";
import { choiceOf, LISTED_TEXT, limitOf } from "./list-query.ts";

export interface DaemonRouteParts {
  readonly access: RequestAccess;
  /** Calls with the daemons of the home; their failure is an answer. */
  readonly read: <Value>(what: (daemons: DaemonDesk) => Promise<Value>) => Promise<Value>;
}

const MOST_SCHEDULES = 100;
const MESSAGE_TEXT = 1000;

export function addDaemonRoutes(app: FastifyInstance, { access, read }: DaemonRouteParts): void {
  const options = { onRequest: access.either };

  app.get("/api/daemons", options, () =>
    read(async (desk) => ({
      daemons: await desk.list(),
      schedules: (await desk.schedules()).slice(0, MOST_SCHEDULES).map(cut),
    })),
  );

  // A name may hold everything that a path gives a meaning to.
  app.get("/api/daemons/inbox", options, (request) =>
    read(async (desk) => {
      const name = nameOf(request);
      const filter = { state: choiceOf(request, "state", INBOX_STATES), limit: limitOf(request) };
      const daemon = await desk.get(name);
      if (daemon === undefined) throw new Refused(404, "no daemon of this name runs, and nothing waits for one");
      const messages = await desk.messages(name, filter);
      return {
        daemon,
        queued: Object.fromEntries(await desk.queued(name)),
        schedules: (await desk.schedules(name)).slice(0, MOST_SCHEDULES).map(cut),
        messages: messages.map((one) => ({
          ...one,
          label: truncate(one.label, LISTED_TEXT),
          content: truncate(one.content, MESSAGE_TEXT),
        })),
      };
    }),
  );
}

function cut({ id, name, when, prompt, next_at }: Schedule): Schedule {
  return { id, name, when, prompt: truncate(prompt, LISTED_TEXT), next_at };
}

function nameOf(request: FastifyRequest): string {
  const { name } = request.query as { readonly name?: unknown };
  if (typeof name === "string" && name !== "") return name;
  throw new Refused(400, "'name' must be the name of a daemon");
}
