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

/** The messages for the model: texts that a surface stored, the last summary, and what came after the part it replaces. */
export function withoutCompacted(stored: readonly ChatMessage[]): ChatMessage[] {
  const summary = stored.findLast(isSummary);
  if (summary === undefined) return [...stored];
  const cut = Math.min(summary.compacts, stored.length);
  return [...stored.slice(0, cut).filter(isOtherSystemText), summary, ...keptFrom(stored, cut)];
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
  return { compacts: cut, older, kept: keptFrom(stored, cut).length };
}

/** Tokens of messages, roughly: servers count differently, and only they know how. */
export function approximateTokens(messages: readonly unknown[]): number {
  return Math.ceil(JSON.stringify(messages).length / 4);
}

function isSummary(message: ChatMessage): message is SummaryMessage {
  return message.role === "system" && message.compacts !== undefined;
}

function isOtherSystemText(message: ChatMessage): boolean {
  return message.role === "system" && !isSummary(message);
}

/** The messages from here on; a turn that is cut inside begins with its user's message. */
function keptFrom(stored: readonly ChatMessage[], cut: number): ChatMessage[] {
  const first = stored[cut];
  const opening = first === undefined || startsTurn(first) ? undefined : stored.slice(0, cut).findLast(startsTurn);
  const kept = stored.slice(cut).filter((message) => !isSummary(message));
  return opening === undefined ? kept : [opening, ...kept];
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
