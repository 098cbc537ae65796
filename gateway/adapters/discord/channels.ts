/** What the bot knows of channels: which are threads, of which channel, and whether the bot started them. */
import { ChannelType } from "discord-api-types/v10";
import { BoundedMap } from "#core/bounded-map";
import type { Log } from "#core/home/log";
import { CallFailure, callFailureOf } from "#gateway/adapters/shared/call-failure";
import type { DiscordClient } from "./client.ts";

export interface KnownChannel {
  readonly id: string;
  /** The channel of a thread; null for other channels. */
  readonly parent: string | null;
  /** Who opened a thread. */
  readonly owner: string | null;
}

export interface Channels {
  /** Notes channels and threads of an event. */
  note(channels: unknown): void;
  /** What is known of a channel, at once; undefined when Discord has to be asked. */
  known(id: string): KnownChannel | undefined;
  /** Asks Discord. A channel that cannot be looked up is taken for one that is no thread. */
  find(id: string): Promise<KnownChannel>;
  /** True for a thread that the bot opened, or that somebody opened from a message of the bot. */
  isStarted(thread: KnownChannel): Promise<boolean>;
}

const MOST_CHANNELS = 10_000;
const MOST_THREADS = 10_000;
const THREADS: ReadonlySet<unknown> = new Set([
  ChannelType.AnnouncementThread,
  ChannelType.PublicThread,
  ChannelType.PrivateThread,
]);

export interface ChannelsDeps {
  readonly client: Pick<DiscordClient, "getChannel" | "getMessage">;
  readonly botId: string;
  readonly log: Log;
}

export function createChannels({ client, botId, log }: ChannelsDeps): Channels {
  const channels = new BoundedMap<string, KnownChannel>(MOST_CHANNELS);
  const started = new BoundedMap<string, boolean>(MOST_THREADS);

  async function find(id: string): Promise<KnownChannel> {
    const before = channels.get(id);
    if (before !== undefined) return before;
    try {
      const channel = channelOf(await client.getChannel(id));
      if (channel === null) throw new CallFailure("the server does not speak Discord's API");
      channels.set(id, channel);
      return channel;
    } catch (thrown) {
      log.warn(`discord: channel ${id} could not be looked up: ${callFailureOf(thrown).message}`);
      return { id, parent: null, owner: null };
    }
  }

  async function isStarted({ id, parent, owner }: KnownChannel): Promise<boolean> {
    if (parent === null) return false;
    if (owner === botId) return true;
    const before = started.get(id);
    if (before !== undefined) return before;
    try {
      // A thread that was opened from a message has its id.
      const { author } = (await client.getMessage(parent, id)) as { author?: { id?: unknown } };
      const isOurs = author?.id === botId;
      started.set(id, isOurs);
      return isOurs;
    } catch (thrown) {
      const { kind, message } = callFailureOf(thrown);
      log.debug(`discord: it is unknown who started the thread ${id}: ${message}`);
      // It was opened without a message, or the message is gone.
      if (kind === "permanent") started.set(id, false);
      return false;
    }
  }

  return {
    note(given) {
      for (const one of Array.isArray(given) ? (given as unknown[]) : [given]) {
        const channel = channelOf(one);
        if (channel !== null) channels.set(channel.id, channel);
      }
    },
    known: (id) => channels.get(id),
    find,
    isStarted,
  };
}

/** Null for what is no channel. */
function channelOf(given: unknown): KnownChannel | null {
  const { id, type, parent_id: parent, owner_id: owner } = (given ?? {}) as Record<string, unknown>;
  if (typeof id !== "string") return null;
  const isThread = THREADS.has(type) && typeof parent === "string";
  return isThread ? { id, parent, owner: typeof owner === "string" ? owner : null } : { id, parent: null, owner: null };
}
