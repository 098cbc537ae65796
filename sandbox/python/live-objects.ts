/** The live objects of a payload, which Python reaches by asking for what they do. */
import { isMapping } from "#core/mapping";

/** The objects of `pre_gateway_dispatch`, as far as they are used here. */
interface Gateway {
  readonly adapters: Readonly<Record<string, { readonly send: (chat_id: string, text: string) => Promise<unknown> }>>;
}

interface SessionStore {
  readonly append_to_transcript: (session_id: string, message: { role: string; content: string }) => unknown;
}

export class LiveObjects {
  /** Kept after the event: a plugin may go on sending. */
  #gateway: Gateway | undefined;
  #sessions: SessionStore | undefined;

  /** The names of the running platforms. */
  get platforms(): readonly string[] {
    return Object.keys(this.#gateway?.adapters ?? {});
  }

  /** Remembers the `live` fields of a payload and returns the rest of it. */
  take(payload: object, live: readonly string[]): Readonly<Record<string, unknown>> {
    const { gateway, session_store } = payload as { gateway?: Gateway; session_store?: SessionStore };
    this.#gateway = gateway;
    this.#sessions = session_store;
    return Object.fromEntries(Object.entries(payload).filter(([key]) => !live.includes(key)));
  }

  /** Does what Python asks for. Rejects with a reason. */
  async answer(method: string, args: readonly unknown[]): Promise<unknown> {
    if (method === "send") {
      const [platform = "", chat, text] = args as string[];
      const adapter = Object.hasOwn(this.#gateway?.adapters ?? {}, platform)
        ? this.#gateway?.adapters[platform]
        : undefined;
      if (adapter === undefined) throw new Error(`there is no running platform "${platform}"`);
      return { message_id: idOf(await adapter.send(chat!, text!)) };
    }
    if (method === "append_to_transcript") {
      const [session, message] = args as [string, unknown];
      if (this.#sessions === undefined) throw new Error("there is no session store here");
      const { role, content } = isMapping(message) ? message : {};
      if (typeof role !== "string" || typeof content !== "string") {
        throw new Error('append_to_transcript expects a message with the strings "role" and "content"');
      }
      await this.#sessions.append_to_transcript(session, { role, content });
      return null;
    }
    throw new Error(`there is no "${method}" here`);
  }
}

function idOf(sent: unknown): string | null {
  const id = isMapping(sent) ? sent["message_id"] : sent;
  return typeof id === "string" || typeof id === "number" ? String(id) : null;
}
