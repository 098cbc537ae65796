/** What the slash commands of a conversation do. */
import { age } from "#core/age";
import { HermesError, problemOf } from "#core/errors";
import { EVENT_NAMES } from "#core/events";
import type { Frame } from "#core/frames";
import { findSlashCommand, noSlashCommand, slashHelp, slashWords, type SlashCommandName } from "#core/slash-commands";
import { shownUrl } from "#agent/models/select";
import { DELEGATE_TASK } from "#agent/delegate";
import { tasksCommand } from "#core/tasks-command";
import { truncate } from "#core/truncate";
import { costText, NOTHING_TO_COMPACT } from "#core/usage-text";
import { fittedColumns } from "../columns.ts";
import type { Host } from "../host/host.ts";
import type { ChatRepl } from "./chat-repl.ts";
import { contextMeter } from "./context-meter.ts";
import type { ReadAnswer } from "./input-line.ts";
import type { ReasoningSwitch } from "./renderers.ts";
import { resumedText } from "./resumed.ts";
import { chosenSession, offeredSessions, offerText, WHICH_SESSION } from "./session-picker.ts";
import type { VerboseSwitch } from "./tool-view.ts";

export interface SlashContext {
  readonly host: Host;
  readonly conversation: ChatRepl;
  readonly say: (text: string) => void;
  readonly onFrame: (frame: Frame) => void;
  readonly reasoning: ReasoningSwitch;
  readonly verbose: VerboseSwitch;
  readonly signal: AbortSignal;
  /** Asks the user; absent where nobody can answer. */
  readonly ask?: ReadAnswer | undefined;
  /** Stops the turn that runs meanwhile; false when there is none. */
  readonly stopTurn: () => boolean;
}

/** What the surface does after a command: nothing, ask the model again, end the program. */
export type AfterCommand = { readonly next: "nothing" | "quit" } | { readonly next: "send"; readonly message: string };

type RunCommand = (args: string, given: SlashContext) => AfterCommand | Promise<AfterCommand>;

const NOTHING: AfterCommand = { next: "nothing" };

const RUN: Readonly<Record<SlashCommandName<"chat">, RunCommand>> = {
  help: (_, { host, say }) => (say(helpText(host)), NOTHING),
  async new(_, { conversation, say, signal, onFrame }) {
    await conversation.reset({ signal, onFrame });
    say(`New session ${conversation.session?.id ?? ""}.`);
    return NOTHING;
  },
  stop(_, { say, stopTurn }) {
    if (!stopTurn()) say("No turn is running.");
    return NOTHING;
  },
  status: (_, here) => (here.say(statusText(here)), NOTHING),
  sessions: (_, { host, say }) => (say(sessionLines(host) || "No sessions yet."), NOTHING),
  async resume(args, here) {
    const { host, conversation, say, signal, onFrame } = here;
    const id = args || (await chooseSession(here));
    if (id !== undefined) say(resumedText(host.sessions, await conversation.switchTo(id, { signal, onFrame })));
    return NOTHING;
  },
  async compact(args, { conversation, say, signal, onFrame }) {
    // What was done is a frame, which is shown as those of a session that compacts itself.
    if ((await conversation.compact(args, { signal, onFrame })) === null) say(NOTHING_TO_COMPACT);
    return NOTHING;
  },
  cost(_, { host, conversation, say }) {
    const { session } = conversation;
    say(costText(session === undefined ? [] : host.sessions.usage.of(session.id), host.model.prices()));
    return NOTHING;
  },
  title(args, { host, conversation, say }) {
    const { session } = conversation;
    if (session === undefined) say("There is no session yet. It starts with your first message.");
    else {
      if (args !== "") host.sessions.rename(session.id, args);
      say(host.sessions.get(session.id)?.title ?? "This session has no title.");
    }
    return NOTHING;
  },
  retry(_, here) {
    const message = undo(here);
    if (message === null) here.say("There is no message to send again.");
    return message === null ? NOTHING : { next: "send", message };
  },
  undo(_, here) {
    const message = undo(here);
    here.say(message === null ? "There is no turn to remove." : `Removed: ${message.slice(0, 200)}`);
    return NOTHING;
  },
  model(args, { host, say }) {
    if (args !== "") host.model.use(args);
    say(modelText(host));
    return NOTHING;
  },
  reasoning(args, { reasoning, say }) {
    if (args !== "") reasoning.on = isOn("reasoning", args);
    say(`The model's reasoning is ${reasoning.on ? "shown" : "hidden"}.`);
    return NOTHING;
  },
  verbose(args, { verbose, say }) {
    verbose.on = args === "" ? !verbose.on : isOn("verbose", args);
    say(verbose.on ? "Tool calls and results are shown in full." : "Tool calls and results are shown short.");
    return NOTHING;
  },
  tools: (_, { host, say }) => (say(toolText(host)), NOTHING),
  async hooks(_, { host, say }) {
    const { registeredHooks } = await import("./hook-list.ts");
    say(registeredHooks(host, process.env));
    return NOTHING;
  },
  async tasks(args, { host, say }) {
    const { taskDeskOf } = await import("../tasks/desk.ts");
    say(await tasksCommand(args, taskDeskOf(host)));
    return NOTHING;
  },
  history(_, { host, conversation, say }) {
    const messages = conversation.session === undefined ? [] : host.sessions.history(conversation.session.id);
    say(messages.length === 0 ? "No messages yet." : messages.map(messageLine).join("\n"));
    return NOTHING;
  },
  quit: () => ({ next: "quit" }),
};

/** Lists the sessions and, where the user can answer, asks for one of them. */
async function chooseSession({ host, say, ask, signal }: SlashContext): Promise<string | undefined> {
  const offered = offeredSessions(host.sessions);
  say(offerText(offered) || "No sessions yet.");
  if (ask === undefined || offered.length === 0) return undefined;
  return chosenSession(await ask(WHICH_SESSION, signal), offered);
}

/** The value of a switch. Throws HERMES_USAGE. */
function isOn(command: string, value: string): boolean {
  if (value === "on" || value === "off") return value === "on";
  throw new HermesError("HERMES_USAGE", { problem: `"/${command} ${value}": say "on" or "off".` });
}

/** The names of all slash commands, built-in ones and those of plugins. */
export function commandNames(host: Host): readonly string[] {
  return [...slashWords("chat"), ...pluginCommands(host)];
}

/**
 * Runs `/name args`: asks the handlers of `command:<name>`, then ours or a plugin's command.
 * Throws HERMES_USAGE with a suggestion for an unknown name.
 */
export async function runSlash(name: string, args: string, given: SlashContext): Promise<AfterCommand> {
  const { host, conversation, say } = given;
  const decision = await conversation.announce(name, args);
  if (decision.kind !== "run") {
    if (decision.message !== "") say(decision.message);
    return NOTHING;
  }
  const own = findSlashCommand("chat", decision.name);
  if (own !== undefined) return RUN[own](decision.args, given);
  const plugins = host.plugins.commands().find((command) => command.name === decision.name);
  if (plugins === undefined) {
    throw new HermesError("HERMES_USAGE", { problem: noSlashCommand("chat", decision.name, pluginCommands(host)) });
  }
  const running = plugins.run(decision.args).catch((thrown: unknown) => {
    const fields = { plugin: plugins.plugin, command: plugins.name, problem: problemOf(thrown) };
    throw new HermesError("HERMES_PLUGIN_COMMAND", fields, { cause: thrown });
  });
  const answer = await untilStopped(running, given.signal);
  if (answer) say(answer);
  return NOTHING;
}

/** Waits for a plugin's command. Throws HERMES_INTERRUPTED if the user stops it. */
function untilStopped<Value>(running: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const stop = () => reject(new HermesError("HERMES_INTERRUPTED", {}));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  running.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener("abort", stop));
}

function pluginCommands(host: Host): readonly string[] {
  return host.plugins.commands().map(({ name }) => name);
}

function undo({ host, conversation }: SlashContext): string | null {
  return conversation.session === undefined ? null : host.sessions.undo(conversation.session.id);
}

/** Columns for the terminal; in a pipe, a row is a line. */
function inColumns(rows: readonly (readonly string[])[]): string[] {
  return fittedColumns(rows, process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY);
}

function helpText(host: Host): string {
  const plugins = host.plugins
    .commands()
    .map(({ name, description, plugin }) => [`/${name}`, `${description} (plugin ${plugin})`]);
  return [
    ...inColumns([...slashHelp("chat"), ...plugins]),
    "",
    "!CMD runs a command with its hooks, without the model.",
    "Ctrl+J, Alt+Enter, or \\ and Enter start a new line. Tab completes commands, paths, @files, sessions and models.",
    "Ctrl+R searches earlier messages. A message that you send during a turn waits for its end.",
    "Esc or Ctrl+C stops the turn; Ctrl+C twice exits. Ctrl+D exits.",
  ].join("\n");
}

function statusText({ host, conversation }: SlashContext): string {
  const hooks = EVENT_NAMES.reduce((sum, event) => sum + host.dispatcher.hooksOf(event).length, 0);
  const { session } = conversation;
  const count = session === undefined ? 0 : host.sessions.history(session.id).length;
  return inColumns([
    ["session", session === undefined ? "none yet" : `${session.id}, ${count} messages`],
    ["model", modelText(host)],
    ["context", contextMeter(host, session?.id) || "nothing sent yet"],
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

/** The model and where its requests go. */
function modelText(host: Host): string {
  const { id, provider, baseUrl } = host.model.describe();
  return `${id} (${provider}${baseUrl === "" ? "" : `, ${shownUrl(baseUrl)}`})`;
}

function sessionLines(host: Host): string {
  return inColumns(
    host.sessions
      .list({ limit: 20 })
      .map((session) => [
        session.id,
        whenText(session.updated_at),
        `${session.message_count} messages`,
        session.title ?? "",
      ]),
  ).join("\n");
}

/** For people how long ago; a pipe gets the time. */
function whenText(time: string): string {
  if (!process.stdout.isTTY) return time;
  const ago = age(time, Date.now());
  return ago === "now" ? ago : `${ago} ago`;
}

function toolText(host: Host): string {
  const own = host.tools().map(({ name, description }) => [name, firstSentence(description)]);
  const starting = host.startingServers().map((name) => `The MCP server ${JSON.stringify(name)} is still starting.`);
  return [...inColumns([...own, [DELEGATE_TASK.name, firstSentence(DELEGATE_TASK.description)]]), ...starting].join(
    "\n",
  );
}

function messageLine({ role, content }: { readonly role: string; readonly content: string | null }): string {
  const text = (content ?? "(tool calls)").replaceAll("\n", "\n  ");
  return `${role}: ${truncate(text, 400)}`;
}

function firstSentence(text: string): string {
  return /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text;
}
