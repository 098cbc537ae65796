import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { demandVisible } from "#core/home/hidden";
import { describeHooks } from "#cli/daemon/addresses";
import { daemonsEverywhere, type RunningDaemon } from "#cli/daemon/statuses";
import type { CliContext } from "../context.ts";
import { withHomeState } from "../home-state.ts";
import { printList, type Column, type Row } from "../list.ts";

const EXAMPLES = `
Examples:
  hermes ps                                   list the daemons that run
  hermes ps --json | jq '.sessions[].name'    print their names`;

const COLUMNS: readonly Column[] = [
  { head: "NAME" },
  { head: "SESSION", isOptional: true },
  { head: "HOST" },
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
      const daemons = await withHomeState(command, context, { creates: false }, ({ storage }) =>
        daemonsEverywhere(paths.run, { answerMs: ANSWER_MS, storage }),
      );
      if (json) return context.json({ sessions: daemons.map(({ status, host }) => ({ ...status, host })) });
      if (daemons.length === 0) return context.out("No daemons are running.");
      printList(context, COLUMNS, daemons.map(rowOf));
    });
}

/** A machine is named when it is not this one. */
function rowOf({ status, addresses, host = "", isHere }: RunningDaemon): Row {
  const { name, session_id, pid, state, queued, hooks, started_at } = status;
  const machine = isHere ? "" : visible(host);
  const served = describeHooks(hooks, addresses) || "-";
  return [visible(name), session_id, machine, String(pid), state, String(queued), served, started_at];
}
