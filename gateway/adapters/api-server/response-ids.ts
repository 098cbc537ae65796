/**
 * Ids of the Responses API. They contain the session's id, so that `previous_response_id` and `item_reference` find
 * their session.
 */
import type { AnswerHead } from "./running-answer.ts";

type IdKind = "resp" | "msg" | "rs";

export function createResponseId(kind: IdKind, { sessionId, id }: AnswerHead, index?: number): string {
  const session = sessionId === null ? [] : [sessionId];
  return [kind, ...session, index === undefined ? id : `${id}x${index}`].join("_");
}

/** The session in an id of ours, or null. */
export function sessionOfId(id: string): string | null {
  return /^(?:resp|msg|rs)_([\w-]+)_[0-9a-f]{32}(?:x\d+)?$/.exec(id)?.[1] ?? null;
}
