/** The slash commands of a conversation: their table, and what runs one. */
import { HermesError, problemOf } from "#core/errors";
import { EVENT_NAMES } from "#core/events";
import type { Frame } from "#core/frames";
import { nearest } from "#core/suggest";
import { DELEGATE_TASK } from "#agent/delegate";
import { columns } from "../columns.ts";
import type { Host } from "../compose.ts";
import type { ChatRepl } from "./chat-repl.ts";

export interface CommandSurroundings {
  readonly host: Host;
  readonly conversation: ChatRepl;
  readonly say: (text: string) => void;
  readonly onFrame: (frame: Frame) => void;
  readonly signal: AbortSignal;
}

/** What the surface does after a command: nothing, ask the model again, end the program. */
export type AfterCommand = { readonly next: "nothing" | "quit" } | { readonly next: "send"; readonly message: string };

interface SlashCommand {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly usage?: string;
  readonly summary: string;
  readonly run: (args: string, surroundings: CommandSurroundings) => AfterCommand | Promise<AfterCommand>;
}

const NOTHING: AfterCommand = { next: "nothing" };

const SLASH_COMMANDS: readonly SlashCommand[] = [
  { name: "help", summary: "show this help", run: (_, { host, say }) => (say(helpText(host)), NOTHING) },
  {
    name: "new",
    aliases: ["reset", "clear"],
    summary: "start a new session",
    run: async (_, { conversation, say, signal, onFrame }) => {
      await conversation.reset({ signal, onFrame });
      say(`New session ${conversation.session?.id ?? ""}.`);
      return NOTHING;
    },
  },
  {
    name: "status",
    summary: "show the session, model, hooks and plugins",
    run: (_, here) => (here.say(statusText(here)), NOTHING),
  },
  {
    name: "sessions",
    summary: "list recent sessions",
    run: (_, { host, say }) => {
      say(sessionLines(host) || "No sessions yet.");
      return NOTHING;
    },
  },
  {
    name: "resume",
    usage: "ID|latest",
    summary: "continue another session",
    run: async (args, { conversation, say, signal, onFrame }) => {
      const session = await conversation.switchTo(args || "latest", { signal, onFrame });
      say(`Resumed ${session.id}${session.title ? ` "${session.title}"` : ""}, ${session.message_count} messages.`);
      return NOTHING;
    },
  },
  {
    name: "title",
    usage: "[TEXT]",
    summary: "name this session",
    run: (args, { host, conversation, say }) => {
      const { session } = conversation;
      if (session === undefined) say("There is no session yet. It starts with your first message.");
      else {
        if (args !== "") host.sessions.rename(session.id, args);
        say(host.sessions.get(session.id)?.title ?? "This session has no title.");
      }
      return NOTHING;
    },
  },
  {
    name: "retry",
    summary: "send your last message again",
    run: (_, here) => {
      const message = undo(here);
      if (message === null) here.say("There is no message to send again.");
      return message === null ? NOTHING : { next: "send", message };
    },
  },
  {
    name: "undo",
    summary: "remove the last turn",
    run: (_, here) => {
      const message = undo(here);
      here.say(message === null ? "There is no turn to remove." : `Removed: ${message.slice(0, 200)}`);
      return NOTHING;
    },
  },
  {
    name: "model",
    usage: "[ID]",
    summary: "show the model, or switch to another one of the same provider",
    run: (args, { host, say }) => {
      if (args !== "") host.model.use(args);
      const { id, provider, baseUrl } = host.model.describe();
      say(`${id} (${provider}${baseUrl === "" ? "" : `, ${baseUrl}`})`);
      return NOTHING;
    },
  },
  {
    name: "tools",
    summary: "list the model's tools",
    run: (_, { host, say }) => (say(toolText(host)), NOTHING),
  },
  {
    name: "hooks",
    summary: "list the registered hooks",
    run: (_, { host, say }) => (say(hookText(host)), NOTHING),
  },
  {
    name: "history",
    summary: "show the messages of this session",
    run: (_, { host, conversation, say }) => {
      const messages = conversation.session === undefined ? [] : host.sessions.history(conversation.session.id);
      say(messages.length === 0 ? "No messages yet." : messages.map(messageLine).join("\n"));
      return NOTHING;
    },
  },
  {
    name: "stop",
    summary: "stop the running turn",
    // While one runs, the surface takes the word itself.
    run: (_, { say }) => (say("No turn is running."), NOTHING),
  },
  { name: "quit", aliases: ["exit"], summary: "exit (also Ctrl+D)", run: () => ({ next: "quit" }) },
];

export const SLASH_COMMAND_NAMES: readonly string[] = SLASH_COMMANDS.flatMap(({ name, aliases }) => [
  name,
  ...(aliases ?? []),
]);

/** Every name that can stand behind the slash: ours and the plugins'. */
export function commandNames(host: Host): readonly string[] {
  return [...SLASH_COMMAND_NAMES, ...host.plugins.commands().map(({ name }) => name)];
}

/**
 * Runs `/name args`: asks the handlers of `command:<name>`, then ours or a plugin's command.
 * Throws HERMES_USAGE with a did-you-mean for a name that nobody has.
 */
export async function runSlash(name: string, args: string, surroundings: CommandSurroundings): Promise<AfterCommand> {
  const { host, conversation, say } = surroundings;
  const decision = await conversation.announce(name, args);
  if (decision.kind !== "run") {
    if (decision.message !== "") say(decision.message);
    return NOTHING;
  }
  const own = SLASH_COMMANDS.find(
    (command) => command.name === decision.name || command.aliases?.includes(decision.name),
  );
  if (own !== undefined) return own.run(decision.args, surroundings);
  const plugins = host.plugins.commands().find((command) => command.name === decision.name);
  if (plugins === undefined) {
    const meant = nearest(decision.name, commandNames(host));
    const hint = meant === undefined ? ' "/help" lists them.' : ` Did you mean "/${meant}"?`;
    throw new HermesError("HERMES_USAGE", { problem: `There is no command "/${decision.name}".${hint}` });
  }
  const running = plugins.run(decision.args).catch((thrown: unknown) => {
    const fields = { plugin: plugins.plugin, command: plugins.name, problem: problemOf(thrown) };
    throw new HermesError("HERMES_PLUGIN_COMMAND", fields, { cause: thrown });
  });
  const answer = await untilStopped(running, surroundings.signal);
  if (answer) say(answer);
  return NOTHING;
}

/** Waits for a plugin's command, but not past the person's stop. Throws HERMES_INTERRUPTED then. */
function untilStopped<Value>(running: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const stop = () => reject(new HermesError("HERMES_INTERRUPTED", {}));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  running.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

function undo({ host, conversation }: CommandSurroundings): string | null {
  return conversation.session === undefined ? null : host.sessions.undo(conversation.session.id);
}

function helpText(host: Host): string {
  const own = SLASH_COMMANDS.map(({ name, aliases = [], usage, summary }) => [
    [name, ...aliases].map((word) => `/${word}`).join(" ") + (usage === undefined ? "" : ` ${usage}`),
    summary,
  ]);
  const plugins = host.plugins
    .commands()
    .map(({ name, description, plugin }) => [`/${name}`, `${description} (plugin ${plugin})`]);
  return [
    ...columns([...own, ...plugins]),
    "",
    "!CMD runs a command with its hooks, without the model.",
    "A line that ends in \\ continues on the next line; pasted lines stay together.",
    "Ctrl+C stops the turn, twice exits. Ctrl+D exits.",
  ].join("\n");
}

function statusText({ host, conversation }: CommandSurroundings): string {
  const { id, provider } = host.model.describe();
  const hooks = EVENT_NAMES.reduce((sum, event) => sum + host.dispatcher.hooksOf(event).length, 0);
  const { session } = conversation;
  const count = session === undefined ? 0 : host.sessions.history(session.id).length;
  return columns([
    ["session", session === undefined ? "none yet" : `${session.id}, ${count} messages`],
    ["model", `${id} (${provider})`],
    ["hooks", String(hooks)],
    [
      "plugins",
      host.plugins
        .list()
        .filter(({ state }) => state === "enabled")
        .map(({ name }) => name)
        .join(", ") || "none",
    ],
    ["home", host.paths.home],
  ]).join("\n");
}

function sessionLines(host: Host): string {
  return columns(
    host.sessions
      .list({ limit: 20 })
      .map((session) => [session.id, session.updated_at, `${session.message_count} messages`, session.title ?? ""]),
  ).join("\n");
}

function toolText(host: Host): string {
  const own = host.tools().map(({ name, description }) => [name, firstSentence(description)]);
  return columns([...own, [DELEGATE_TASK.name, firstSentence(DELEGATE_TASK.description)]]).join("\n");
}

function hookText(host: Host): string {
  const rows = EVENT_NAMES.flatMap((event) =>
    host.dispatcher.hooksOf(event).map(({ source, name }) => [event, source, name]),
  );
  return rows.length === 0
    ? 'No hooks are registered. "hermes hooks list" shows the configured hooks.'
    : columns(rows).join("\n");
}

function messageLine({ role, content }: { readonly role: string; readonly content: string | null }): string {
  const text = (content ?? "(tool calls)").replaceAll("\n", "\n  ");
  return `${role}: ${text.length > 400 ? `${text.slice(0, 400)}…` : text}`;
}

function firstSentence(text: string): string {
  return /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text;
}
