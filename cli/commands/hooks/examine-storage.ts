/** What `hermes hooks doctor` says about the database that several machines share. */
import type { Config } from "#core/home/config";
import { problemOf } from "#core/errors";
import { shownDatabase } from "#core/home/database-url";
import { storageUrl } from "#cli/storage";

/** Connects, and changes nothing there. Never throws. */
export async function examineStorage(config: Config, env: NodeJS.ProcessEnv) {
  try {
    config.demand("storage");
    const url = storageUrl(config, env);
    if (url === undefined) return { problems: [], notes: [] };
    const { checkDatabase } = await import("#daemon/storage/postgres/check");
    return { problems: [], notes: [`PostgreSQL at ${shownDatabase(url)}: ${await checkDatabase(url)}.`] };
  } catch (error) {
    return { problems: [problemOf(error)], notes: [] };
  }
}
