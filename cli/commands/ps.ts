import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { demandVisible } from "#core/home/hidden";
import { totalOf } from "#core/ports/inbox";
import { describeHooks } from "#cli/daemon/addresses";
import { runningDaemons } from "#cli/daemon/statuses";
import type { CliContext } from "../context.ts";
import { withHomeState } from "../home-state.ts";
import { printList, type Column } from "../list.ts";

const EXAMPLES = `
Examples:
  hermes ps                                   list the daemons that run
  hermes ps --json | jq '.sessions[].name'    print their names`;

const COLUMNS: readonly Column[] = [
  { head: "NAME" },
  { head: "SESSION", isOptional: true },
  { head: "PID" },
  { head: "STATE", kind: "state" },
  { head: "QUEUED" },
  { head: "HOOKS", kind: "text" },
  { head: "STARTED", kind: "time" },
];

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
      const daemons = await runningDaemons(paths.run, {
        answerMs: ANSWER_MS,
        countQueued: (name) =>
          withHomeState(command, context, { creates: false }, async ({ storage }) =>
            totalOf(await (await storage()).inbox.queued(name)),
          ),
      });
      if (json) return context.json({ sessions: daemons.map(({ status }) => status) });
      if (daemons.length === 0) return context.out("No daemons are running.");
      const rows = daemons.map(({ status: { name, session_id, pid, state, queued, hooks, started_at }, addresses }) => [
        visible(name),
        session_id,
        String(pid),
        state,
        String(queued),
        describeHooks(hooks, addresses) || "-",
        started_at,
      ]);
      printList(context, COLUMNS, rows);
    });
}
