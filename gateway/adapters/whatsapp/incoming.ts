/** Takes webhooks: keeps their messages, and hands them to the gateway in order per user. */
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { InboundMessage } from "#core/ports/platform";
import type { Arrival } from "#gateway/adapters/shared/arrivals";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { isLoadable, LARGEST_FILE, mediaType, withFiles, type SentFile } from "#gateway/adapters/shared/files";
import type { WhatsAppClient } from "./client.ts";
import type { Graph } from "./graph.ts";
import type { KeptMessages } from "./kept-messages.ts";
import type { RecentMessages } from "./recent-messages.ts";
import { readWebhook, type WebhookFile, type WebhookMessage } from "./webhook-message.ts";

export interface IncomingDeps {
  readonly platform: string;
  readonly phoneNumberId: string;
  readonly client: Pick<WhatsAppClient, "findFile">;
  readonly graph: Pick<Graph, "download">;
  readonly kept: KeptMessages;
  readonly recent: RecentMessages;
  readonly arrive: (arrival: Arrival) => Promise<void>;
  /** False while messages are refused. */
  readonly isOpen: () => boolean;
  readonly log: Log;
}

export interface Incoming {
  /** Takes the body of a webhook. Throws when its messages cannot be kept: then Meta has to send it again. */
  take(body: unknown): void;
  /** Hands over what an earlier run of the gateway left. */
  resume(): void;
}

/** Maximum number of messages that are not done. */
const MOST_OPEN = 10_000;

/** `take` and `resume` return at once; what they hand over is done later. */
export function createIncoming(deps: IncomingDeps): Incoming {
  const { platform, phoneNumberId, client, graph, kept, recent, arrive, isOpen, log } = deps;
  /** The ids of messages that are not done. */
  const open = new Set<string>();
  /** Users with a message whose file is looked up: their next messages wait for it. */
  const preparing = new Map<string, Promise<unknown>>();
  let isResumed = false;

  function take(body: unknown): void {
    const { messages, problems, ignored } = readWebhook(body, phoneNumberId);
    for (const problem of problems) log.warn(`${platform}: ${problem}`);
    for (const what of ignored) log.debug(`${platform}: ignored ${what}`);
    // Those that are open are kept already.
    const fresh = messages.filter(({ id }) => !open.has(id));
    if (fresh.length === 0) return;
    // What an earlier run left is older.
    resume();
    if (open.size + fresh.length > MOST_OPEN) throw new Error("too many messages wait for their answers");
    kept.keep(fresh);
    handleAll(fresh);
  }

  function resume(): void {
    if (isResumed) return;
    isResumed = true;
    handleAll(kept.left());
  }

  function handleAll(messages: readonly WebhookMessage[]): void {
    for (const message of messages) {
      handle(message).catch((error: unknown) =>
        log.error(`${platform}: a message could not be handled: ${problemOf(error)}`),
      );
    }
  }

  async function handle(message: WebhookMessage): Promise<void> {
    const { id, user, file } = message;
    if (open.has(id)) return;
    open.add(id);
    recent.noteFrom(user, id);
    // An await would let later messages overtake this one.
    const isReady = file === null && !preparing.has(user);
    const arrival = isReady ? arrivalOf(message, null) : await inOrder(message);
    const isInTime = isOpen();
    if (isInTime) await arrive(arrival);
    open.delete(id);
    // What came too late for this run is left to the next one; an image may have been loaded for too long. If it was in
    // time, the gateway recognises it.
    if (isInTime && (arrival.images === undefined || isOpen())) kept.forget(id);
  }

  async function inOrder(message: WebhookMessage): Promise<Arrival> {
    const { user, file } = message;
    const found = file === null ? null : findFile(file);
    const ready = Promise.all([found, preparing.get(user)]);
    preparing.set(user, ready);
    const [known] = await ready;
    if (preparing.get(user) === ready) preparing.delete(user);
    return arrivalOf(message, known);
  }

  /** Webhooks do not say how large a file is, nor where. */
  async function findFile({ id, type, name }: WebhookFile): Promise<FoundFile> {
    try {
      const { url, bytes } = await client.findFile(id);
      return { name, type, bytes, url };
    } catch (thrown) {
      log.warn(`${platform}: a file could not be looked up: ${callFailureOf(thrown).message}`);
      return { name, type, bytes: null, url: null };
    }
  }

  function arrivalOf(given: WebhookMessage, file: FoundFile | null): Arrival {
    const message = inboundMessage(given, file);
    recent.note(given.id, { speaker: given.name || "the user", text: message.text });
    if (file === null || !isLoadable(file) || message.text.startsWith("/")) return { message };
    return { message, images: [() => load(file)] };
  }

  function inboundMessage({ id, user, words, repliesTo }: WebhookMessage, file: FoundFile | null): InboundMessage {
    const original = repliesTo === null ? undefined : recent.find(repliesTo);
    return {
      text: file === null || words.startsWith("/") ? words : withFiles(words, [file]),
      ...(original === undefined ? {} : { reply_to: original }),
      source: { platform, chat_type: "dm", chat_id: user, user_id: user, thread_id: null },
      message_id: id,
      internal: false,
    };
  }

  async function load({ url, type }: FoundFile) {
    if (url === null) throw new Error("its address is unknown");
    const data = await graph.download(url, LARGEST_FILE);
    return { media_type: mediaType(type), data: data.toString("base64") };
  }

  return { take, resume };
}

interface FoundFile extends SentFile {
  /** Null when it could not be found out. */
  readonly url: string | null;
}
