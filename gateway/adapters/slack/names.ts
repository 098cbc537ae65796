/** The names of users, from a cache. */
import { BoundedMap } from "#core/bounded-map";
import type { Log } from "#core/home/log";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import type { SlackClient } from "./client.ts";

export interface UserNames {
  /** Resolves when the names of these users are known, or cannot be. Never rejects. */
  load(userIds: readonly string[]): Promise<void>;
  /** The name of a user that was loaded; else the id. */
  readonly of: (userId: string) => string;
}

const MOST_NAMES = 2000;
const KEPT_MS = 3_600_000;

export function createUserNames(client: Pick<SlackClient, "findName">, log: Log): UserNames {
  const known = new BoundedMap<string, { readonly name: string; readonly until: number }>(MOST_NAMES);
  const asked = new Map<string, Promise<void>>();
  let mayAsk = true;

  function find(id: string): Promise<void> {
    const running = asked.get(id);
    if (running !== undefined) return running;
    const asking = ask(id).finally(() => asked.delete(id));
    asked.set(id, asking);
    return asking;
  }

  async function ask(id: string): Promise<void> {
    try {
      const name = await client.findName(id);
      known.set(id, { name, until: performance.now() + KEPT_MS });
    } catch (thrown) {
      const failure = callFailureOf(thrown);
      log.debug(`slack: the name of a user cannot be found: ${failure.message}`);
      // Without the scope, Slack is not asked again; an unknown user keeps the id.
      if (failure.kind === "refused") mayAsk = false;
      else if (failure.kind === "permanent") known.set(id, { name: id, until: performance.now() + KEPT_MS });
    }
  }

  return {
    async load(ids) {
      if (!mayAsk) return;
      const unknown = ids.filter((id) => (known.get(id)?.until ?? 0) < performance.now());
      await Promise.all(unknown.map(find));
    },
    of: (id) => known.get(id)?.name ?? id,
  };
}
