import type { Command } from "#cli/command-line/command";
import type { CliContext } from "../context.ts";
import { withHomeState } from "../home-state.ts";
import { printList, type Column } from "../list.ts";

const EXAMPLES = `
Examples:
  hermes workers                             list the workers that run
  hermes workers --json | jq '.workers[].tags'`;

const COLUMNS: readonly Column[] = [
  { head: "WORKER" },
  { head: "HOST" },
  { head: "PID" },
  { head: "TAGS", kind: "text" },
  { head: "TASKS" },
  { head: "STARTED", kind: "time", isOptional: true },
  { head: "HEARTBEAT", kind: "time" },
];

/** `hermes workers` (CONTRACT §16). */
export function addWorkersCommand(program: Command, context: CliContext): void {
  program
    .command("workers")
    .description("List the workers that run tasks, on every machine that shares the storage.")
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action(({ json }: { json?: true }, command: Command) =>
      withHomeState(command, context, { creates: false }, async ({ storage }) => {
        const workers = await (await storage()).workers.list();
        if (json) return context.json({ workers });
        if (workers.length === 0) return context.out("No workers are running.");
        const rows = workers.map(({ id, host, pid, tags, running, concurrency, started_at, last_heartbeat }) => [
          id,
          host,
          String(pid),
          tags.join(", "),
          `${running} of ${concurrency}`,
          started_at,
          last_heartbeat,
        ]);
        printList(context, COLUMNS, rows);
      }),
    );
}
