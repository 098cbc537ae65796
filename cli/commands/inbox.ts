import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { visible } from "#allowlist/visible";
import { INBOX_STATES, type InboxState } from "#core/ports/inbox";
import type { CliContext } from "../context.ts";
import { checkedName } from "#cli/daemon/find";
import { withHomeState } from "../home-state.ts";
import { asShownInsideAgent } from "../inside-agent-texts.ts";
import { printList, type Column } from "../list.ts";
import { wholeNumber } from "../whole-number.ts";

const EXAMPLES = `
Examples:
  hermes inbox list --name ci-watcher                   list its messages, oldest first
  hermes inbox list --name ci-watcher --state queued    only those that wait`;

interface ListOptions {
  readonly name: string;
  readonly state?: InboxState;
  readonly limit?: number;
  readonly json?: true;
}

const COLUMNS: readonly Column[] = [
  { head: "MESSAGE" },
  { head: "CREATED", kind: "time" },
  { head: "STATE", kind: "state" },
  { head: "SOURCE" },
  { head: "LABEL", kind: "line", isOptional: true },
  { head: "CONTENT", kind: "line" },
];

/** `hermes inbox list` (CONTRACT §13). */
export function addInboxCommand(program: Command, context: CliContext): void {
  const inbox = program.command("inbox").description("See the messages of a daemon.");
  inbox
    .command("list")
    .description("list the messages of a daemon, oldest first, whether it runs or not")
    .requiredOption("--name <name>", "the daemon")
    .addOption(new Option("--state <state>", "only messages in this state").choices(INBOX_STATES))
    .option("--limit <n>", "only the latest messages", wholeNumber("--limit"))
    .option("--json", "print JSON")
    .addHelpText("after", EXAMPLES)
    .action((options: ListOptions, command: Command) =>
      withHomeState(command, context, { creates: false }, async ({ config, storage }) => {
        const name = checkedName(options.name, "hermes inbox list --name ci-watcher");
        const stored = await storage();
        const found = await stored.inbox.list(name, options);
        const messages = await asShownInsideAgent(found, config, context.env);
        if (options.json) return context.json({ messages });
        if (messages.length === 0) return context.out("No messages.");
        const rows = messages.map(({ id, created_at, state, source, label, content }) => [
          id,
          created_at,
          state,
          source,
          visible(label),
          content,
        ]);
        printList(context, COLUMNS, rows);
      }),
    );
}
