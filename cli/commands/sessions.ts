import type { DatabaseSync } from "node:sqlite";
import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import type { SqliteSessions } from "#agent/sessions";
import { demandVisible } from "#core/home/hidden";
import { commandPath } from "../command-path.ts";
import type { CliContext } from "../context.ts";
import { printList, type Column } from "../list.ts";
import { wholeNumber } from "../whole-number.ts";

/** `hermes sessions list|show|search|export|delete` */
export function addSessionsCommand(program: Command, context: CliContext): void {
  const sessions = program.command("sessions").description("Manage past conversations.");
  sessions
    .command("list")
    .description("list the sessions, last used first")
    .option("--json", "print JSON")
    .option("--all", "include the sessions of child agents")
    .option("--limit <n>", "number of sessions", wholeNumber("--limit"), 50)
    .action((options: { json?: true; all?: true; limit: number }, command: Command) =>
      withStore(command, context, (store) => list(store, options, context)),
    );
  sessions
    .command("show")
    .description("show the messages of a session")
    .argument("<id>", "session id, the start of one, or latest")
    .option("--json", "print JSON")
    .action((id: string, options: { json?: true }, command: Command) =>
      withStore(command, context, (store) => show(store, id, options.json === true, context)),
    );
  sessions
    .command("search")
    .description("find sessions by the words of their titles and messages")
    .argument("<text>", "words that a message or the title has, in any order")
    .option("--json", "print JSON")
    .option("--limit <n>", "number of sessions", wholeNumber("--limit"), 20)
    .action((text: string, options: { json?: true; limit: number }, command: Command) =>
      withStore(command, context, async (_, database) => {
        const { search } = await import("./sessions/search.ts");
        await search(database, text, options, context);
      }),
    );
  sessions
    .command("export")
    .description("print a session with all its messages")
    .argument("<id>", "session id, the start of one, or latest")
    .addOption(new Option("--format <format>", "output format").choices(["json", "markdown"]).default("json"))
    .action((id: string, { format }: { format: string }, command: Command) =>
      withStore(command, context, async (store) => {
        const exported = store.export(find(store, id).id)!;
        if (format === "json") return context.json(exported);
        const { toMarkdown } = await import("./sessions/markdown.ts");
        context.out(toMarkdown(exported));
      }),
    );
  sessions
    .command("delete")
    .description("delete a session and the sessions of its child agents")
    .argument("<id>", "session id, the start of one, or latest")
    .option("-y, --yes", "delete without asking")
    .action((id: string, { yes }: { yes?: true }, command: Command) =>
      withStore(command, context, async (store) => {
        const { deleteSession } = await import("./sessions/delete.ts");
        const files = context.paths(command).sessionFiles;
        await deleteSession({ store, session: find(store, id), files, yes: yes === true, context });
      }),
    );
}

async function withStore(
  command: Command,
  context: CliContext,
  use: (store: SqliteSessions, database: DatabaseSync) => void | Promise<void>,
): Promise<void> {
  const { existsSync } = await import("node:fs");
  const { openDatabase, openForReading, openMemoryDatabase } = await import("#core/home/database");
  const { SqliteSessions: Store } = await import("#agent/sessions");
  const paths = context.paths(command);
  demandVisible(paths, `hermes ${commandPath(command)}`);
  const { state } = paths;
  // Listing sessions must not create a database.
  const database = existsSync(state) ? open() : openMemoryDatabase();
  try {
    await use(new Store(database, (error) => context.warn(problemOf(error))), database);
  } finally {
    database.close();
  }

  function open() {
    try {
      return openDatabase(state, context.warn);
    } catch (error) {
      // A read-only database can still be read.
      const readable = isHermesError(error) && error.code === "HERMES_STATE_UNAVAILABLE" && openForReading(state);
      if (readable) return readable;
      throw error;
    }
  }
}

function find(store: SqliteSessions, id: string) {
  if (id !== "latest") return store.named(id);
  const latest = store.latest("cli");
  if (latest === undefined) throw new HermesError("HERMES_SESSION_UNKNOWN", { session: id });
  return latest;
}

const COLUMNS: readonly Column[] = [
  { head: "SESSION" },
  { head: "LAST USED", kind: "time" },
  { head: "PLATFORM", isOptional: true },
  { head: "MESSAGES" },
  { head: "TITLE", kind: "line" },
];

function list(store: SqliteSessions, options: { json?: true; all?: true; limit: number }, context: CliContext): void {
  const sessions = store.list({ children: options.all === true, limit: options.limit });
  if (options.json) return context.json({ sessions });
  if (sessions.length === 0) return context.out("No sessions yet.");
  const rows = sessions.map((session) => [
    session.id,
    session.updated_at,
    session.platform,
    String(session.message_count),
    session.title ?? "",
  ]);
  printList(context, COLUMNS, rows);
}

function show(store: SqliteSessions, id: string, json: boolean, context: CliContext): void {
  const session = find(store, id);
  const messages = store.history(session.id);
  if (json) return context.json({ session, messages });
  context.out(`${session.id}  ${session.platform}  ${session.updated_at}  ${session.model ?? ""}`.trimEnd());
  for (const message of messages) {
    const calls = "tool_calls" in message ? (message.tool_calls ?? []) : [];
    context.out(`\n${message.role}:`);
    if (message.content) context.out(message.content);
    for (const call of calls) context.out(`  ${call.function.name} ${call.function.arguments}`);
  }
}
