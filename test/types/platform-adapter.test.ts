/** A platform of a plugin, written against the types that authors get: `npm run check` fails when they do not fit. */
import test from "node:test";
import assert from "node:assert/strict";
import { definePlugin } from "#plugins/api";
import type {
  Draft,
  Inbox,
  InboundMessage,
  MessageSource,
  PlatformAdapter,
  PluginContext,
  Reply,
  ReplyTarget,
} from "hermes-hooks/plugin";

/** The least platform: messages are lines that somebody hands in, answers are lines that go out. */
class Lines implements PlatformAdapter {
  readonly name = "lines";
  readonly out: string[] = [];
  #inbox: Inbox | undefined;
  #count = 0;

  start(inbox: Inbox): Promise<void> {
    this.#inbox = inbox;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#inbox = undefined;
    return Promise.resolve();
  }

  async send(chat_id: string, text: string, options?: { readonly thread_id?: string | null }): Promise<void> {
    this.out.push(`${chat_id}/${options?.thread_id ?? ""}: ${text}`);
  }

  say(text: string): Promise<void> | undefined {
    const source: MessageSource = {
      platform: this.name,
      chat_type: "dm",
      chat_id: "1",
      user_id: "1",
      thread_id: null,
    };
    const message: InboundMessage = { text, source, message_id: String(++this.#count), internal: false };
    return this.#inbox?.receive(message);
  }

  /** As an HTTP platform does: the answer is the response. */
  ask(text: string): Promise<string | null> {
    return new Promise((resolve) => {
      let words = "";
      const reply: Reply = {
        onFrame(frame) {
          if (frame.type === "text") words += frame.delta;
          // @ts-expect-error -- only text frames have words
          void frame.delta;
        },
        onEnd: ({ text: answer, problem }) => resolve(answer ?? problem?.message ?? words),
        signal: new AbortController().signal,
        history: [{ role: "system", content: "Be brief." }],
      };
      const source = { platform: this.name, chat_type: "dm", chat_id: "1", user_id: "1", thread_id: null };
      void this.#inbox?.receive({ text, source, message_id: "", internal: false }, reply);
    });
  }
}

/** A platform that can edit its messages. */
class Growing extends Lines {
  draft({ chat_id, thread_id }: ReplyTarget): Draft {
    return {
      update: (text) => void this.out.push(`${chat_id} … ${text}`),
      finish: (text) => this.send(chat_id, text, { thread_id }),
      discard: () => Promise.resolve(),
    };
  }
}

test("a plugin's platform fits, and a plugin can register it", async () => {
  const registered: PlatformAdapter[] = [];
  const plugin = definePlugin({
    register(ctx) {
      const unregister: () => void = ctx.register_platform(new Growing());
      ctx.on_unload(unregister);
    },
  });
  const ctx = {
    register_platform: (adapter: PlatformAdapter) => {
      registered.push(adapter);
      return () => undefined;
    },
    on_unload: () => undefined,
  } as unknown as PluginContext;
  await plugin.register?.(ctx);
  assert.equal(registered[0]?.name, "lines");
});

test("the platform works against an inbox", async () => {
  const platform = new Lines();
  await platform.start({
    async receive({ text, source: { chat_id, thread_id } }, reply) {
      if (reply !== undefined) return reply.onEnd({ text: `asked: ${text}`, problem: null });
      await platform.send(chat_id, `heard: ${text}`, { thread_id });
    },
    isOpen: () => true,
  });
  await platform.say("hello");
  assert.deepEqual(platform.out, ["1/: heard: hello"]);
  assert.equal(await platform.ask("hello"), "asked: hello");
});

test("an invalid platform does not type-check", () => {
  const wrong = (ctx: PluginContext) => {
    // @ts-expect-error -- a platform has a name, and can start, stop and send
    ctx.register_platform({ name: "half", send: () => Promise.resolve() });
    // @ts-expect-error -- start is given an inbox, not a port
    const port: PlatformAdapter["start"] = (inbox: number) => Promise.resolve(void inbox);
    // @ts-expect-error -- a draft says when it is finished
    const draft: Draft = { update: () => undefined, finish: () => undefined, discard: () => Promise.resolve() };
    // @ts-expect-error -- a message says where it came from
    const message: InboundMessage = { text: "x", message_id: "1", internal: false };
    return [port, draft, message];
  };
  assert.equal(typeof wrong, "function");
});
