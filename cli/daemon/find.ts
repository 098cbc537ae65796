/** How commands find a session that stays, and talk to it. */
import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { demandVisible } from "#core/home/hidden";
import type { DaemonDirectory, PlacedDaemon } from "#core/ports/daemon-directory";
import type { Storage } from "#core/ports/storage";
import { didYouMean } from "#core/suggest";
import { DaemonClient } from "#daemon/session/client";
import { findDaemon, listDaemons, nameProblem, type DaemonEntry } from "#daemon/session/place";
import { commandPath } from "../command-path.ts";
import type { CliContext } from "../context.ts";
import { withHomeState } from "../home-state.ts";

/** The name of a daemon as it was given. Throws HERMES_USAGE. */
export function checkedName(name: string | undefined, example: string): string {
  if (name === undefined) throw new HermesError("HERMES_USAGE", { problem: `A daemon needs a name: ${example}` });
  const problem = nameProblem(name);
  if (problem === null) return name;
  throw new HermesError("HERMES_USAGE", { problem: `A daemon's name ${problem}.` });
}

/** A running session: of this home, or of another one that shares its storage. */
export type FoundDaemon =
  | { readonly kind: "here"; readonly entry: DaemonEntry }
  | { readonly kind: "elsewhere"; readonly daemon: PlacedDaemon; readonly storage: SharedStorage };

export type SharedStorage = Storage & { readonly daemons: DaemonDirectory };

/**
 * Finds the running session of a name for `use`. One of this home is found without the storage. Rejects with
 * HERMES_DAEMON_UNKNOWN, HERMES_DATABASE_*, in the sandbox HERMES_HIDDEN, and what `use` throws.
 */
export async function withRunningDaemon(
  name: string,
  command: Command,
  context: CliContext,
  use: (found: FoundDaemon) => Promise<void>,
): Promise<void> {
  const paths = context.paths(command);
  demandVisible(paths, `hermes ${commandPath(command)}`);
  const entry = findDaemon(paths.run, name);
  if (entry !== undefined) return use({ kind: "here", entry });
  await withHomeState(command, context, { creates: false }, async (state) => {
    const storage = await state.storage();
    const others = isShared(storage) ? await storage.daemons.list() : [];
    const daemon = others.find((one) => one.name === name);
    if (daemon !== undefined && isShared(storage)) return use({ kind: "elsewhere", daemon, storage });
    const names = new Set([...listDaemons(paths.run), ...others].map((one) => one.name));
    throw new HermesError("HERMES_DAEMON_UNKNOWN", { name, hint: didYouMean(name, [...names]) });
  });
}

function isShared(storage: Storage): storage is SharedStorage {
  return storage.daemons !== undefined;
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
