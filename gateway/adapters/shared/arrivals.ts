/** Hands a platform's messages to the gateway: in order per chat, with their images, showing that it types. */
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { ChatImage } from "#core/messages";
import type { Inbox, InboundMessage } from "#core/ports/platform";
import { LARGEST_IMAGES } from "#gateway/message";
import { callFailureOf } from "./call-failure.ts";
import type { Typing } from "./typing.ts";

export interface Arrival {
  readonly message: InboundMessage;
  /** Load the images of the message. The model learns of a failure. */
  readonly images?: readonly (() => Promise<ChatImage>)[];
}

export interface ArrivalsDeps {
  readonly platform: string;
  readonly inbox: Pick<Inbox, "receive">;
  readonly typing: Typing;
  readonly log: Log;
}

const NOT_LOADED = "(An image was sent with this message, but it could not be loaded.)";

/** Returns a function that takes a message and resolves when it is done. It never rejects. */
export function createArrivals({ platform, inbox, typing, log }: ArrivalsDeps): (arrival: Arrival) => Promise<void> {
  /** Messages that are being loaded, by chat: the next ones wait for them. */
  const loading = new Map<string, Promise<unknown>>();

  async function load({ message, images = [] }: Arrival): Promise<InboundMessage> {
    const loaded: ChatImage[] = [];
    let text = message.text;
    let size = 0;
    for (const one of images) {
      const image = await one().catch((thrown: unknown) => {
        log.warn(`${platform}: an image could not be loaded: ${callFailureOf(thrown).message}`);
        return null;
      });
      if (image === null || size + image.data.length > LARGEST_IMAGES) {
        text = text === "" ? NOT_LOADED : `${text}\n\n${NOT_LOADED}`;
        continue;
      }
      size += image.data.length;
      loaded.push(image);
    }
    return { ...message, text, ...(loaded.length === 0 ? {} : { images: loaded }) };
  }

  async function inOrder(arrival: Arrival): Promise<InboundMessage> {
    const { chat_id: chat } = arrival.message.source;
    const ready = Promise.all([load(arrival), loading.get(chat)]);
    loading.set(chat, ready);
    const [whole] = await ready;
    if (loading.get(chat) === ready) loading.delete(chat);
    return whole;
  }

  return async (arrival) => {
    try {
      const { message, images = [] } = arrival;
      // An await would let later messages overtake this one.
      const isReady = images.length === 0 && !loading.has(message.source.chat_id);
      const whole = isReady ? message : await inOrder(arrival);
      await typing.while(whole.source, inbox.receive(whole));
    } catch (error) {
      log.warn(`${platform}: a message could not be processed: ${problemOf(error)}`);
    }
  };
}
