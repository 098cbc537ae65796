/** How commands find a session that stays, and talk to it. */
import { HermesError } from "#core/errors";
import { demandVisible } from "#core/home/hidden";
import type { HomePaths } from "#core/home/paths";
import { didYouMean } from "#core/suggest";
import { DaemonClient } from "#daemon/session/client";
import { findDaemon, listDaemons, nameProblem, type DaemonEntry } from "#daemon/session/place";

/** The name of a daemon as it was given. Throws HERMES_USAGE. */
export function checkedName(name: string | undefined, example: string): string {
  if (name === undefined) throw new HermesError("HERMES_USAGE", { problem: `A daemon needs a name: ${example}` });
  const problem = nameProblem(name);
  if (problem === null) return name;
  throw new HermesError("HERMES_USAGE", { problem: `A daemon's name ${problem}.` });
}

/** The running session of a name. Throws HERMES_DAEMON_UNKNOWN and, in the sandbox, HERMES_HIDDEN. */
export function runningDaemon(paths: HomePaths, name: string, what: string): DaemonEntry {
  demandVisible(paths, what);
  const found = findDaemon(paths.run, name);
  if (found !== undefined) return found;
  const names = listDaemons(paths.run).map((entry) => entry.name);
  throw new HermesError("HERMES_DAEMON_UNKNOWN", { name, hint: didYouMean(name, names) });
}

/** Asks the running session of this name to look for schedules and messages. It does so by itself when it starts. */
export async function wakeDaemon(run: string, name: string): Promise<void> {
  const found = findDaemon(run, name);
  if (found === undefined) return;
  try {
    using client = await DaemonClient.connect(found);
    client.say({ type: "wake" });
    await client.expect("woken");
  } catch {
    // It is ending: its next start looks.
  }
}
