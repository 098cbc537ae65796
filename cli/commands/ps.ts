import type { Command } from "commander";
import { visible } from "#allowlist/visible";
import { demandVisible } from "#core/home/hidden";
import type { HomePaths } from "#core/home/paths";
import { withDeadline } from "#core/deadline";
import { DaemonClient } from "#daemon/session/client";
import { listDaemons, type DaemonEntry } from "#daemon/session/place";
import type { DaemonStatus } from "#daemon/session/wire";
import { columns } from "../columns.ts";
import type { CliContext } from "../context.ts";

const EXAMPLES = `
Examples:
  hermes ps                                   list the daemons that run
  hermes ps --json | jq '.sessions[].name'    print their names`;

/** How long a daemon may take to say how it is. */
const ANSWER_MS = 2000;

/** `hermes ps` (CONTRACT §13). */
export function addPsCommand(program: Command, context: CliContext): void {
  program
    .command("ps")
    .description("List the daemons that run.")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action(async ({ json }: { json?: true }, command: Command) => {
      const paths = context.paths(command);
      demandVisible(paths, "hermes ps");
      const found = await Promise.all(listDaemons(paths.run).map((entry) => statusOf(entry, paths)));
      const sessions = found.filter((one) => one !== undefined);
      if (json) return context.json({ sessions });
      if (sessions.length === 0) return context.out("No daemons are running.");
      const rows = sessions.map(({ name, session_id, pid, state, queued, hooks, started_at }) => [
        visible(name),
        session_id,
        String(pid),
        state,
        String(queued),
        visible(hooks.join(", ")) || "-",
        started_at,
      ]);
      context.out(columns([["NAME", "SESSION", "PID", "STATE", "QUEUED", "HOOKS", "STARTED"], ...rows]).join("\n"));
    });
}

/** Undefined for one that has ended meanwhile. */
async function statusOf(entry: DaemonEntry, paths: HomePaths): Promise<DaemonStatus | undefined> {
  const asked = await withDeadline(ANSWER_MS, () => ask(entry), { keepsAlive: false });
  if (asked.kind === "value") return asked.value;
  if (!listDaemons(paths.run).some(({ pid }) => pid === entry.pid)) return undefined;
  // It is too busy to answer, but what waits is in the database.
  const { name, session_id, pid, hooks, started_at } = entry;
  return { name, session_id, pid, state: "running", queued: await countQueued(paths, name), hooks, started_at };
}

async function ask(entry: DaemonEntry): Promise<DaemonStatus> {
  using client = await DaemonClient.connect(entry);
  client.say({ type: "status" });
  const { type: _, ...status } = await client.expect("status");
  return status;
}

async function countQueued({ state }: HomePaths, name: string): Promise<number> {
  const { openDatabase } = await import("#core/home/database");
  const { EmbeddedInbox } = await import("#daemon/storage/embedded-inbox");
  const database = openDatabase(state);
  try {
    const counts = await new EmbeddedInbox(database).queued(name);
    return [...counts.values()].reduce((sum, count) => sum + count, 0);
  } finally {
    database.close();
  }
}
