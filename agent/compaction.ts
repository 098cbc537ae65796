/**
 * What the model gets of a session that was compacted, and where to compact it. Nothing is deleted: a summary is one
 * more stored message, which says how many messages from the beginning it replaces.
 */
import type { ChatMessage } from "#core/messages";
import { startsTurn } from "./history.ts";

type SummaryMessage = Extract<ChatMessage, { role: "system" }> & { compacts: number };

/** Part of the context that the kept messages may take when a session compacts itself. */
const KEPT_SHARE = 0.2;
/** Exchanges that `/compact` keeps. */
const KEPT_EXCHANGES = 2;

/** Where the messages of a session are read from. A position counts them from 0. */
export interface StoredMessages {
  /** The messages with the role `system`, in order. */
  systemMessages(): readonly { readonly position: number; readonly message: ChatMessage }[];
  /** The messages from a position on. */
  from(position: number): readonly ChatMessage[];
  /** The last message before a position that starts a turn. */
  turnBefore(position: number): ChatMessage | undefined;
}

/**
 * The messages for the model: texts that a surface stored, the last summary, and what came after the part it replaces.
 * Reads no more of the session than that, so that a turn does not take longer the older its session is.
 */
export function activeMessages(stored: StoredMessages): ChatMessage[] {
  const system = stored.systemMessages();
  const summary = system.map(({ message }) => message).findLast(isSummary);
  if (summary === undefined) return [...stored.from(0)];
  const texts = system.filter(({ position, message }) => position < summary.compacts && !isSummary(message));
  return [...texts.map(({ message }) => message), summary, ...keptFrom(stored, summary.compacts)];
}

/** {@link activeMessages} of all messages of a session. */
export function withoutCompacted(stored: readonly ChatMessage[]): ChatMessage[] {
  return activeMessages(readerOf(stored));
}

export interface CompactionPlan {
  /** How many stored messages the summary replaces. */
  readonly compacts: number;
  /** The messages to summarize, an earlier summary among them. */
  readonly older: readonly ChatMessage[];
  /** How many messages stay as they are. */
  readonly kept: number;
}

/**
 * Plans to compact a session: with `contextLength`, so that little of the context is used afterwards; else all but the
 * last exchanges. A call and its results stay together. Undefined when there is nothing to summarize.
 */
export function planCompaction(stored: readonly ChatMessage[], contextLength?: number): CompactionPlan | undefined {
  const cut = contextLength === undefined ? exchangeCut(stored) : fittingCut(stored, contextLength * KEPT_SHARE);
  const summary = stored.findLast(isSummary);
  const from = summary?.compacts ?? 0;
  const added = stored.slice(from, cut).filter((message) => message.role !== "system");
  // A turn's own message stays with its later steps, so that alone it is not worth a summary.
  if (cut === undefined || added.length < 2) return undefined;
  const older = [...(summary === undefined ? [] : [summary]), ...added];
  return { compacts: cut, older, kept: keptFrom(readerOf(stored), cut).length };
}

/** Tokens of messages, roughly: servers count differently, and only they know how. */
export function approximateTokens(messages: readonly unknown[]): number {
  return Math.ceil(JSON.stringify(messages).length / 4);
}

function isSummary(message: ChatMessage): message is SummaryMessage {
  return message.role === "system" && message.compacts !== undefined;
}

/** The messages from here on; a turn that is cut inside begins with its user's message. */
function keptFrom(stored: StoredMessages, cut: number): ChatMessage[] {
  const rest = stored.from(cut);
  const first = rest[0];
  const opening = first === undefined || startsTurn(first) ? undefined : stored.turnBefore(cut);
  const kept = rest.filter((message) => !isSummary(message));
  return opening === undefined ? kept : [opening, ...kept];
}

function readerOf(stored: readonly ChatMessage[]): StoredMessages {
  const numbered = stored.map((message, position) => ({ position, message }));
  return {
    systemMessages: () => numbered.filter(({ message }) => message.role === "system"),
    from: (position) => stored.slice(position),
    turnBefore: (position) => stored.slice(0, position).findLast(startsTurn),
  };
}

/** The start of the exchanges to keep; fewer of them when there are no more. */
function exchangeCut(stored: readonly ChatMessage[]): number | undefined {
  const starts = stored.flatMap((message, index) => (startsTurn(message) ? [index] : []));
  return starts.at(-Math.min(KEPT_EXCHANGES, Math.max(1, starts.length - 1)));
}

/** The first start of a turn behind which the messages fit, else of a step of the last turn, else its last step. */
function fittingCut(stored: readonly ChatMessage[], most: number): number | undefined {
  let last: number | undefined;
  let turn: number | undefined;
  let step: number | undefined;
  let tokens = 0;
  for (let index = stored.length - 1; index >= 0; index--) {
    const message = stored[index]!;
    if (!isSummary(message)) tokens += approximateTokens([message]);
    if (message.role === "tool" || message.role === "system") continue;
    last ??= index;
    if (tokens > most) break;
    if (startsTurn(message)) turn = index;
    else if (turn === undefined) step = index;
  }
  return turn ?? step ?? last;
}
