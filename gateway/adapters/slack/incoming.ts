/** Turns what Slack delivers into messages for the gateway, in order per channel. */
import { BoundedMap } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { ChatImage } from "#core/messages";
import type { InboundMessage } from "#core/ports/platform";
import type { Arrival } from "#gateway/adapters/shared/arrivals";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { isLoadable, LARGEST_FILE, mediaType, withFiles, type SentFile } from "#gateway/adapters/shared/files";
import type { StartedThreads } from "#gateway/adapters/shared/started-threads";
import type { SlackClient } from "./client.ts";
import type { Envelope } from "./connection.ts";
import { heardCommand, heardMessage, heardPress, type Heard, type SlackFile } from "./events.ts";
import type { UserNames } from "./names.ts";
import { mentionedUsers, readableText } from "./text.ts";

export interface IncomingDeps {
  readonly client: Pick<SlackClient, "download" | "findParent">;
  readonly names: UserNames;
  readonly threads: Pick<StartedThreads, "note" | "has">;
  /** The bot's own user id. */
  readonly userId: string;
  /** True for a word that is a slash command. */
  readonly isCommand: (word: string) => boolean;
  /** Hands a message over at once; its promise resolves much later. */
  readonly arrive: (arrival: Arrival) => void;
  /** Nothing is handed over before this resolves. */
  readonly ready: Promise<void>;
  readonly log: Log;
}

/** How many messages are remembered: a mention comes as two events, and Slack repeats what it is not sure of. */
const MOST_KNOWN = 5000;
/** Authors of shared messages may also be names. */
const USER_ID = /^[UW][A-Z0-9]+$/;
const EMPTY = "Please write what I should do.";

/** Returns a function that takes an envelope and resolves when the gateway has its message. It never rejects. */
export function createIncoming(deps: IncomingDeps): (envelope: Envelope) => Promise<void> {
  const { threads, userId, isCommand, arrive, ready, log } = deps;
  const known = new BoundedMap<string, true>(MOST_KNOWN);
  /** The message before, by channel. */
  const before = new Map<string, Promise<unknown>>();
  const listener = { userId, isOurThread: (channel: string, thread: string) => threads.has(channel, thread) };

  function hear({ type, body }: Envelope): Heard | null {
    if (type === "slash_commands") return heardCommand(body, isCommand);
    if (type === "interactive") return heardPress(body);
    return type === "events_api" ? heardMessage((body as { event?: unknown } | null)?.event, listener) : null;
  }

  async function inOrder(heard: Heard): Promise<void> {
    const { chat_id: channel } = heard.source;
    const turn = Promise.all([prepare(heard, deps), before.get(channel), ready]);
    before.set(channel, turn);
    const [arrival] = await turn;
    if (before.get(channel) === turn) before.delete(channel);
    arrive(arrival);
  }

  return async (envelope) => {
    try {
      const heard = hear(envelope);
      if (heard === null || known.has(heard.message_id)) return;
      if (heard.message_id !== "") known.set(heard.message_id, true);
      if (heard.startsThread) threads.note(heard.source.chat_id, heard.source.thread_id ?? "");
      await inOrder(heard);
    } catch (error) {
      // An event of an unknown form is dropped.
      log.warn(`slack: an event could not be processed: ${problemOf(error)}`);
    }
  };
}

/** The message as the model reads it. Never rejects because of Slack. */
async function prepare(heard: Heard, deps: IncomingDeps): Promise<Arrival> {
  const { names, userId } = deps;
  const { source, message_id, files } = heard;
  const base = { source, message_id, internal: false };
  // Commands do not wait for Slack.
  if (!heard.isMarked) return { message: { ...base, text: heard.text } };
  if (heard.text.startsWith("/")) return { message: { ...base, text: readableText(heard.text, names.of) } };
  const quoted = heard.shared ?? (await parentOf(heard, deps));
  const isGroup = source.chat_type !== "dm";
  const mentioned = [heard.text, quoted?.text ?? ""].flatMap(mentionedUsers);
  const people = [...(isGroup ? [source.user_id] : []), ...(quoted === null ? [] : [quoted.author]), ...mentioned];
  await names.load(people.filter((id) => USER_ID.test(id)));
  const text = withFiles(readableText(heard.text, names.of), files.map(describe));
  if (text === "") return { message: { ...base, text, unreadable: EMPTY } };
  const speakerOf = (author: string) => (author === userId ? "you" : names.of(author));
  const message: InboundMessage = {
    ...base,
    text,
    ...(isGroup ? { speaker: names.of(source.user_id) } : {}),
    ...(quoted === null
      ? {}
      : { reply_to: { speaker: speakerOf(quoted.author), text: readableText(quoted.text, names.of) } }),
  };
  return { message, images: files.filter((file) => isLoadable(describe(file))).map((file) => () => load(file, deps)) };
}

/** What the bot was mentioned below, when the thread is somebody else's. */
async function parentOf({ source, foreignThread }: Heard, { client, log }: IncomingDeps): Promise<Heard["shared"]> {
  if (foreignThread === null) return null;
  try {
    const parent = await client.findParent(source.chat_id, foreignThread);
    return parent === null ? null : { author: parent.user, text: parent.text };
  } catch (thrown) {
    log.debug(`slack: the first message of a thread cannot be read: ${callFailureOf(thrown).message}`);
    return null;
  }
}

function describe({ name, mimetype, size }: SlackFile): SentFile {
  return { name, type: mimetype, bytes: size };
}

async function load(file: SlackFile, { client }: IncomingDeps): Promise<ChatImage> {
  const data = await client.download(file.url_private ?? "", LARGEST_FILE);
  return { media_type: mediaType(file.mimetype), data: data.toString("base64") };
}
