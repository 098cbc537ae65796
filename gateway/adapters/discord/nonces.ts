/** Lets Discord recognise a message that is sent again because the first answer was lost. */
import { randomBytes } from "node:crypto";
import { BoundedMap } from "#core/bounded-map";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";

export interface Nonces {
  /** Sends a text with a nonce: the same as before while it is unknown whether that arrived. */
  use(channel: string, text: string, send: (nonce: string) => Promise<string>): Promise<string>;
}

interface Unknown {
  readonly nonce: string;
  readonly until: number;
}

/** Discord recognises a nonce for "the past few minutes" (Create Message, `enforce_nonce`). */
const REMEMBERED_MS = 120_000;
const MOST_UNKNOWN = 500;

export function createNonces(): Nonces {
  const unknown = new BoundedMap<string, Unknown>(MOST_UNKNOWN);
  return {
    async use(channel, text, send) {
      const key = JSON.stringify([channel, text]);
      const before = unknown.get(key);
      const isKnown = before !== undefined && before.until > performance.now();
      const nonce = isKnown ? before.nonce : randomBytes(12).toString("hex");
      try {
        const id = await send(nonce);
        unknown.delete(key);
        return id;
      } catch (thrown) {
        const { status } = callFailureOf(thrown);
        // Without an answer, or with one of a proxy, the message may be there.
        if (status === null || status >= 500) unknown.set(key, { nonce, until: performance.now() + REMEMBERED_MS });
        throw thrown;
      }
    },
  };
}
