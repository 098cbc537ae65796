/** The parts that every messaging platform has: they are made for a client of its API, and stop together. */
import type { Log } from "#core/home/log";
import type { Draft, Inbox, ReplyButtons, ReplyTarget } from "#core/ports/platform";
import { createArrivals, type Arrival } from "./arrivals.ts";
import { createDraft } from "./draft.ts";
import { createHousekeeping, type Housekeeping, type HousekeepingTiming } from "./housekeeping.ts";
import type { EditingClient, MessageClient, TypingClient } from "./message-client.ts";
import { createOutgoing, type OutgoingTiming } from "./outgoing.ts";
import { createTyping, type TypingTiming } from "./typing.ts";

export type MessengerTiming = OutgoingTiming &
  HousekeepingTiming &
  TypingTiming & {
    /** How long an answer waits for the last edit of its draft. */
    readonly settleMs: number;
    /** How long a stop waits for messages on their way. */
    readonly stopMs: number;
  };

/** What no platform needs to change. */
export const MESSENGER_TIMING: Omit<MessengerTiming, "typingMs"> = {
  retryMs: 500,
  budgetMs: 40_000,
  tidyCallMs: 5000,
  tidyMs: 120_000,
  typingDelayMs: 1000,
  settleMs: 1000,
  stopMs: 4000,
};

export interface MessengerOptions<Client> {
  readonly platform: string;
  readonly client: Client;
  readonly inbox: Inbox;
  readonly log: Log;
  readonly timing: MessengerTiming;
  /** Aborted when what is on its way has had its time. */
  readonly sending?: AbortController;
}

export interface Messenger {
  /** Hands a message to the gateway. Resolves when it is done; never rejects. */
  readonly arrive: (arrival: Arrival) => Promise<void>;
  readonly later: Housekeeping["later"];
  /** Sends a text in pieces. Rejects with HERMES_ADAPTER_SEND. */
  send(target: ReplyTarget, pieces: readonly string[], buttons?: ReplyButtons): Promise<void>;
  /** Ends receiving with `endReceiving`, then waits for what is being sent. */
  stop(endReceiving: () => Promise<unknown>): Promise<void>;
}

export interface DraftingMessenger extends Messenger {
  draft(target: ReplyTarget, options: DraftChoices): Draft;
}

export interface DraftChoices {
  /** Minimum time between two edits of a message, in milliseconds. */
  readonly editMs: number;
  /** A text in the platform's own form, in the pieces that it accepts. */
  readonly split: (text: string) => readonly string[];
  /** False: nothing is shown before the answer is complete. */
  readonly live: boolean;
}

export function createMessenger<Id>(options: MessengerOptions<MessageClient<Id> & TypingClient>): Messenger {
  return partsOf(options).messenger;
}

/** For a platform that can change messages. */
export function createDraftingMessenger<Id>(
  options: MessengerOptions<EditingClient<Id> & TypingClient>,
): DraftingMessenger {
  const { platform, client, log, timing } = options;
  const { messenger, outgoing, housekeeping } = partsOf(options);
  return {
    ...messenger,
    draft(target, choices) {
      const { settleMs } = timing;
      return createDraft({ platform, client, outgoing, housekeeping, log, settleMs, ...choices }, target);
    },
  };
}

function partsOf<Id>(options: MessengerOptions<MessageClient<Id> & TypingClient>) {
  const { platform, client, inbox, log, timing, sending = new AbortController() } = options;
  const { signal } = sending;
  const typing = createTyping(client, timing);
  const housekeeping = createHousekeeping({ platform, log, timing, closing: signal });
  const outgoing = createOutgoing({ platform, client, timing, housekeeping, signal });
  const messenger: Messenger = {
    arrive: createArrivals({ platform, inbox, typing, log }),
    later: (chatId, call) => housekeeping.later(chatId, call),
    send: (target, pieces, buttons) => outgoing.send(target, pieces, buttons),
    async stop(endReceiving) {
      const late = setTimeout(() => sending.abort(), timing.stopMs);
      typing.stop();
      await endReceiving();
      await Promise.all([outgoing.idle(), housekeeping.idle()]);
      clearTimeout(late);
    },
  };
  return { messenger, outgoing, housekeeping };
}
