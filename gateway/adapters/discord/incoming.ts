/** Turns Discord's events into messages for the gateway. */
import { GatewayDispatchEvents, type GatewayDispatchPayload } from "discord-api-types/v10";
import { BoundedMap } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { MessageSource } from "#core/ports/platform";
import type { Arrival } from "#gateway/adapters/shared/arrivals";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { LARGEST_FILE } from "#gateway/adapters/shared/files";
import type { Channels, KnownChannel } from "./channels.ts";
import type { DiscordClient } from "./client.ts";
import { FINISHED_WITHIN_MS, readInteraction, type DiscordInteraction, type Interactions } from "./interactions.ts";
import { inboundMessage, isAddressed, isFromUser, mentionsOf, readWords, type DiscordMessage } from "./messages.ts";

export interface IncomingDeps {
  readonly client: Pick<DiscordClient, "download" | "getRoles">;
  readonly channels: Channels;
  readonly interactions: Interactions;
  readonly arrive: (arrival: Arrival) => Promise<void>;
  readonly botId: string;
  /** The ids of the channels of servers where the bot answers; null for all. */
  readonly allowed: ReadonlySet<string> | null;
  readonly log: Log;
}

const MOST_SERVERS = 1000;
const NOT_HERE = "I don't answer in this channel.";

/** Returns a function that takes an event. It returns at once and never throws. */
export function createIncoming(deps: IncomingDeps): (event: GatewayDispatchPayload) => void {
  const { channels, log } = deps;
  const find = createAddressee(deps);
  /** The last message of each channel that is being looked at: the next ones wait for it. */
  const looking = new Map<string, Promise<void>>();

  /** Does the work after what came before in the channel. */
  async function inOrder(channel: string, work: () => Promise<(() => Promise<void>) | null>): Promise<void> {
    const before = looking.get(channel);
    const { promise, resolve } = Promise.withResolvers<void>();
    looking.set(channel, promise);
    const release = () => {
      resolve();
      if (looking.get(channel) === promise) looking.delete(channel);
    };
    try {
      await before;
      const hand = await work();
      // It is handed over before the next message is looked at; its answer may take long.
      const done = hand?.();
      release();
      await done;
    } catch (thrown) {
      // An event of an unknown form is dropped.
      log.warn(`discord: an event could not be processed: ${problemOf(thrown)}`);
    } finally {
      release();
    }
  }

  function takeMessage(message: DiscordMessage): void {
    const { channel_id: channel } = message;
    if (!isFromUser(message) || channel === undefined) return;
    void inOrder(channel, async () => {
      const found = await find.message(message);
      if (found === null) return null;
      const words = readWords(message, found.mentions);
      const images = words.images.map(({ url, type }) => async () => {
        const data = await deps.client.download(url, LARGEST_FILE);
        return { media_type: type, data: data.toString("base64") };
      });
      const arrival = { message: inboundMessage(message, found.source, words, deps.botId), images };
      return () => deps.arrive(arrival);
    });
  }

  function takeInteraction(given: DiscordInteraction): void {
    const interaction = readInteraction(given);
    if (interaction === null) return;
    const { id, channel, user, text } = interaction;
    channels.note(given.channel);
    const isRefused = given.guild_id !== undefined && find.isElsewhere(channel);
    // Discord waits three seconds, so this waits for nothing.
    if (isRefused) return void deps.interactions.decline(interaction, NOT_HERE);
    void deps.interactions.acknowledge(interaction);
    void inOrder(channel, async () => {
      const source = await find.source(given.guild_id, channel, user);
      return async () => {
        const late = setTimeout(() => void deps.interactions.finish(interaction), FINISHED_WITHIN_MS).unref();
        if (source !== null) await deps.arrive({ message: { text, source, message_id: id, internal: false } });
        clearTimeout(late);
        await deps.interactions.finish(interaction);
      };
    });
  }

  return (event) => {
    switch (event.t) {
      case GatewayDispatchEvents.MessageCreate:
        return takeMessage(event.d);
      case GatewayDispatchEvents.InteractionCreate:
        return takeInteraction(event.d as DiscordInteraction);
      case GatewayDispatchEvents.GuildCreate: {
        const { channels: all, threads } = event.d as { channels?: unknown; threads?: unknown };
        channels.note(all ?? []);
        channels.note(threads ?? []);
        return undefined;
      }
      case GatewayDispatchEvents.ThreadListSync:
        return channels.note((event.d as { threads?: unknown }).threads ?? []);
      case GatewayDispatchEvents.ChannelCreate:
      case GatewayDispatchEvents.ThreadCreate:
        return channels.note(event.d);
      default:
        return undefined;
    }
  };
}

interface Addressee {
  readonly source: MessageSource;
  /** How the message mentions the bot. */
  readonly mentions: readonly string[];
}

/** Decides whether a message is for the bot, and which conversation it belongs to. */
function createAddressee({ client, channels, botId, allowed, log }: IncomingDeps) {
  /** The role of the bot in each server, which people mention by mistake: it has the same name. */
  const roles = new BoundedMap<string, string | null>(MOST_SERVERS);

  async function roleIn(guild: string): Promise<string | null> {
    const known = roles.get(guild);
    if (known !== undefined) return known;
    try {
      const all = (await client.getRoles(guild)) as readonly { id?: string; tags?: { bot_id?: string } }[];
      const own = all.find(({ tags }) => tags?.bot_id === botId)?.id ?? null;
      roles.set(guild, own);
      return own;
    } catch (thrown) {
      log.debug(`discord: the roles of a server could not be read: ${callFailureOf(thrown).message}`);
      return null;
    }
  }

  function isAllowed({ id, parent }: KnownChannel): boolean {
    return allowed === null || allowed.has(parent ?? id);
  }

  async function message(given: DiscordMessage): Promise<Addressee | null> {
    const { guild_id: guild, channel_id: id = "", author, mention_roles: mentioned = [] } = given;
    const user = author?.id ?? "";
    if (guild === undefined) return { source: direct(id, user), mentions: mentionsOf(botId) };
    const channel = channels.known(id) ?? (await channels.find(id));
    if (!isAllowed(channel)) return null;
    const role = mentioned.length === 0 ? null : await roleIn(guild);
    const isRole = role !== null && mentioned.includes(role);
    if (!isRole && !isAddressed(given, botId) && !(await channels.isStarted(channel))) return null;
    return { source: inServer(channel, user), mentions: [...mentionsOf(botId), ...(isRole ? [`<@&${role}>`] : [])] };
  }

  async function source(guild: string | undefined, id: string, user: string): Promise<MessageSource | null> {
    if (guild === undefined) return direct(id, user);
    const channel = channels.known(id) ?? (await channels.find(id));
    return isAllowed(channel) ? inServer(channel, user) : null;
  }

  /** True for a channel where the bot does not answer, as far as it is known. */
  function isElsewhere(id: string): boolean {
    const channel = channels.known(id);
    return channel !== undefined && !isAllowed(channel);
  }

  return { message, source, isElsewhere };
}

function direct(channel: string, user: string): MessageSource {
  return { platform: "discord", chat_type: "dm", chat_id: channel, user_id: user, thread_id: null };
}

function inServer({ id, parent }: KnownChannel, user: string): MessageSource {
  return parent === null
    ? { platform: "discord", chat_type: "group", chat_id: id, user_id: user, thread_id: null }
    : { platform: "discord", chat_type: "thread", chat_id: parent, user_id: user, thread_id: id };
}
