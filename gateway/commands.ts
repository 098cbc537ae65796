/** What the gateway's slash commands do. */
import { announceCommand, type SlashCommand } from "#core/command-events";
import { problemOf } from "#core/errors";
import type { Frame } from "#core/frames";
import type { UsageRecord } from "#core/ports/agent";
import type { MessageSource } from "#core/ports/platform";
import { findSlashCommand, noSlashCommand, slashHelp, type SlashCommandName } from "#core/slash-commands";
import { contextText, costText, NOTHING_TO_COMPACT } from "#core/usage-text";
import { tasksCommand } from "#core/tasks-command";
import type { UserAccess } from "./access.ts";
import type { ChatSession, ChatTurnRequest } from "./chat-session.ts";
import type { GatewayDeps, Timings } from "./deps.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { ChatQuestions } from "./questions.ts";
import { withDeadline } from "#core/deadline";

export interface CommandDeps extends Pick<
  GatewayDeps,
  "registry" | "runner" | "sessions" | "model" | "commands" | "log" | "settings" | "tasks"
> {
  readonly access: UserAccess;
  readonly live: LiveSessions;
  readonly questions: ChatQuestions;
  readonly platforms: () => readonly string[];
  readonly closing: AbortSignal;
  readonly timings: Pick<Timings, "command">;
}

/** Where a command was sent. */
export interface CommandPlace {
  readonly source: MessageSource;
  /** The key of the conversation; null for a request that brings its own history. */
  readonly key: string | null;
  readonly conversation: Pick<ChatSession<ChatTurnRequest>, "stop" | "idle" | "status" | "command">;
  readonly show: (frame: Frame) => void;
}

type GatewayCommandName = SlashCommandName<"gateway">;
type RunCommand = (args: string, place: CommandPlace, deps: CommandDeps) => string | Promise<string>;

const RUN: Readonly<Record<GatewayCommandName, RunCommand>> = {
  start: () => GREETING,
  help: (_, __, deps) => helpText(deps),
  settings: (_, __, deps) => settingsText(deps),
  new: (_, place, deps) => reset(place, deps),
  stop: (_, { conversation }) => stopText(conversation.stop("stopped")),
  status: (_, place, deps) => statusText(place, deps),
  approve(args, { key, source: { user_id } }, { questions }) {
    const given = APPROVAL.exec(args);
    if (given === null) return "Send /approve, or /approve all for all calls of this tool.";
    const [, all, id = ""] = given;
    return questions.answer(all === undefined ? "once" : "session", { key, user_id, id });
  },
  deny(args, { key, source: { user_id } }, { questions }) {
    return questions.answer("decline", { key, user_id, id: QUESTION_ID.test(args) ? args : "" });
  },
  model(args, _, { model }) {
    if (args !== "") model.use(args);
    const { id, provider } = model.describe();
    return `${id} (${provider})`;
  },
  compact,
  cost: (_, { key }, deps) => costText(usagesOf(key, deps), deps.model.prices()),
  tasks(args, { source }, { access, tasks }) {
    if (source.chat_type !== "dm") return "Ask me about tasks in a direct message: others read along here.";
    if (!access.isKnown(source)) return "Only users whom the configuration names, and paired ones, see tasks.";
    return tasksCommand(args, tasks);
  },
};

/** The id of a question, which buttons send. */
const QUESTION_ID = /^[\da-f]{8}$/;
/** The arguments of `/approve`: `all`, the id of a question, or both. */
const APPROVAL = /^(?:(all)(?: +|$))?([\da-f]{8})?$/;

/** What a bot says first. */
const GREETING = "Hello! Write to me, and I answer. Send /help for what else I understand.";

/** Commands that need not wait for earlier messages. */
const URGENT: ReadonlySet<GatewayCommandName | undefined> = new Set([
  "start",
  "help",
  "settings",
  "stop",
  "status",
  "tasks",
  "approve",
  "deny",
  "cost",
] as const);

/** True for a command that runs immediately, even if earlier messages are still waiting. */
export function isUrgent({ name }: SlashCommand): boolean {
  return URGENT.has(findSlashCommand("gateway", name));
}

/**
 * Calls the handlers of `command:<name>`, then runs our command or a plugin's. Resolves with the text to answer with,
 * or null. Only rejects with errors of the sessions' database.
 */
export async function runCommand(
  command: SlashCommand,
  place: CommandPlace,
  deps: CommandDeps,
): Promise<string | null> {
  const { source, key } = place;
  const session_id = deps.live.find(key)?.id ?? "";
  const decision = await announceCommand(deps.registry, command, {
    platform: source.platform,
    user_id: source.user_id,
    session_id,
    session_key: key ?? "",
  });
  if (decision.kind !== "run") return decision.message === "" ? null : decision.message;
  const builtin = findSlashCommand("gateway", decision.name);
  if (builtin !== undefined) return RUN[builtin](decision.args, place, deps);
  return runOther(decision, place, deps);
}

/** A plugin's command, if it exists. */
async function runOther({ name, args }: SlashCommand, place: CommandPlace, deps: CommandDeps): Promise<string | null> {
  const commands = deps.commands();
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    return noSlashCommand(
      "gateway",
      name,
      commands.map((one) => one.name),
    );
  }
  const settled = await place.conversation.command((signal) =>
    withDeadline(deps.timings.command, () => Promise.race([command.run(args), stopOf(signal)])),
  );
  if (settled.kind === "value") return settled.value;
  if (settled.kind === "late")
    return `/${name} did not finish within ${deps.timings.command / 1000} s, so I stopped waiting for it.`;
  deps.log.error("a plugin's command failed", { command: name, problem: problemOf(settled.error) });
  return `/${name} failed. The gateway's log has the reason.`;
}

/** Resolves with null once the command is stopped. */
function stopOf(signal: AbortSignal): Promise<null> {
  return new Promise((stopped) => signal.addEventListener("abort", () => stopped(null), { once: true }));
}

async function reset({ key, source, conversation, show }: CommandPlace, deps: CommandDeps): Promise<string> {
  if (key === null) return "This request has its own history, so there is no conversation to end.";
  conversation.stop("stopped");
  await conversation.idle();
  const { platform, user_id } = source;
  const session = await deps.live.reset(key, { platform, user_id, signal: deps.closing, onFrame: show });
  return `New session ${session.id}.`;
}

/** Summarizes the conversation's older messages, after the turn that runs. */
async function compact(focus: string, place: CommandPlace, { live, runner }: CommandDeps): Promise<string> {
  const { key, source, conversation, show } = place;
  if (key === null) return "This request has its own history, which its client can shorten.";
  const { platform, user_id } = source;
  await conversation.idle();
  const session = live.find(key);
  if (session === undefined) return NOTHING_TO_COMPACT;
  // Turns of the session wait meanwhile.
  live.begin(session);
  const done = await conversation
    .command((signal) => runner.compact({ session, platform, user_id, signal, focus, onFrame: show }))
    .finally(() => live.end(session));
  if (done === null) return NOTHING_TO_COMPACT;
  return `${done.summarized} older messages are now a summary; the last ${done.kept} stay as they are.`;
}

function usagesOf(key: string | null, { live, sessions }: CommandDeps): readonly UsageRecord[] {
  const session = live.find(key);
  return session === undefined ? [] : sessions.usage.of(session.id);
}

function stopText({ running, dropped }: { readonly running: boolean; readonly dropped: number }): string {
  const waited = dropped === 1 ? "Dropped 1 waiting message." : `Dropped ${dropped} waiting messages.`;
  if (!running && dropped === 0) return "Nothing is running.";
  return dropped === 0 ? "Stopped." : `Stopped. ${waited}`;
}

function settingsText({ model, settings }: CommandDeps): string {
  const { id, provider } = model.describe();
  return [
    `model: ${id} (${provider}); /model ID switches to another one`,
    `new messages during a turn: ${settings().busy ?? "interrupt"}`,
    "Everything else is set in hermes's config.yaml.",
  ].join("\n");
}

function statusText({ key, conversation }: CommandPlace, deps: CommandDeps): string {
  const { id, provider, contextLength } = deps.model.describe();
  const context = contextText(usagesOf(key, deps), contextLength);
  const { runningSince, waiting } = conversation.status;
  const seconds = runningSince === null ? 0 : Math.max(0, Math.round((Date.now() - runningSince) / 1000));
  return [
    `session: ${deps.live.find(key)?.id ?? "none yet"}`,
    `model: ${id} (${provider})`,
    ...(context === "" ? [] : [`context: ${context}`]),
    `turn: ${runningSince === null ? "none" : `running for ${seconds} s`}, ${waiting} waiting`,
    `new messages during a turn: ${deps.settings().busy ?? "interrupt"}`,
    `platforms: ${deps.platforms().join(", ") || "none"}`,
  ].join("\n");
}

function helpText({ commands }: CommandDeps): string {
  const own = slashHelp("gateway").map((line) => line.join(": "));
  return [...own, ...commands().map(({ name, description }) => `/${name}: ${description}`)].join("\n");
}
