/** The bot's list of commands in Discord: registered at a start, when it differs from the registered one. */
import { ApplicationCommandOptionType, ApplicationCommandType } from "discord-api-types/v10";
import type { Log } from "#core/home/log";
import type { ListedCommand } from "#gateway/adapters/descriptor";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import type { DiscordClient } from "./client.ts";

/** https://discord.com/developers/docs/interactions/application-commands#application-command-object */
const NAME = /^[-_\p{Ll}\p{Lo}\p{N}]{1,32}$/u;
const LONGEST_DESCRIPTION = 100;
const MOST_COMMANDS = 100;

interface Command {
  readonly name: string;
  readonly description: string;
  /** The description of its argument; null for a command without one. */
  readonly usage: string | null;
}

/** Registers the commands if they differ. Never rejects: they also work as text. */
export async function registerCommands(
  client: Pick<DiscordClient, "getCommands" | "setCommands">,
  listed: readonly ListedCommand[],
  log: Log,
): Promise<void> {
  const wanted = usable(listed);
  try {
    if (isSame(await registeredBy(client, log), wanted)) return;
    await client.setCommands(wanted.map(toDiscord));
    log.info(`discord: ${wanted.length} commands were registered`);
  } catch (thrown) {
    const { message } = callFailureOf(thrown);
    log.warn(`discord: the commands could not be registered, so they only work as text: ${message}`);
  }
}

/** What Discord has; null when it does not say, and then the commands are registered again. */
async function registeredBy(client: Pick<DiscordClient, "getCommands">, log: Log): Promise<unknown> {
  try {
    return await client.getCommands();
  } catch (thrown) {
    log.debug(`discord: the registered commands could not be read: ${callFailureOf(thrown).message}`);
    return null;
  }
}

/** The commands whose names Discord accepts. */
function usable(listed: readonly ListedCommand[]): readonly Command[] {
  const named = new Map(listed.filter(({ name }) => NAME.test(name)).map((command) => [command.name, command]));
  return [...named.values()].slice(0, MOST_COMMANDS).map(({ name, usage, summary }) => ({
    name,
    description: shorten(summary.trim() === "" ? name : summary),
    usage: usage === undefined ? null : shorten(usage),
  }));
}

function toDiscord({ name, description, usage }: Command): object {
  const argument = { type: ApplicationCommandOptionType.String, name: "arguments", description: usage };
  return { type: ApplicationCommandType.ChatInput, name, description, options: usage === null ? [] : [argument] };
}

/** True when Discord has these commands, in any order, and no others. */
function isSame(registered: unknown, wanted: readonly Command[]): boolean {
  if (!Array.isArray(registered)) return false;
  const inOrder = (commands: readonly Command[]) =>
    JSON.stringify(commands.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
  return inOrder((registered as unknown[]).map(fromDiscord)) === inOrder(wanted);
}

function fromDiscord(given: unknown): Command {
  const { name, description, options } = (given ?? {}) as Record<string, unknown>;
  const [argument] = Array.isArray(options) ? (options as { description?: unknown }[]) : [];
  return {
    name: String(name),
    description: String(description),
    usage: argument === undefined ? null : String(argument.description),
  };
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST_DESCRIPTION ? `${line.slice(0, LONGEST_DESCRIPTION - 1).toWellFormed()}…` : line;
}
