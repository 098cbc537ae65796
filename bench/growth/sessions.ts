import { transaction } from "#core/home/database";
import type { Log } from "#core/home/log";
import type { Adapter, Inbox } from "#core/ports/platform";
import { HookDispatcher } from "#core/dispatch";
import { HookRegistry } from "#core/registry";
import { createGateway } from "#gateway/gateway";
import { fillHistory, openAgent, type OpenAgent } from "./agent.ts";
import type { Topic, Work } from "./topic.ts";

const MESSAGES_EACH = 4;
const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Sessions of as many chats of a gateway. */
function filled(home: string, size: number): OpenAgent {
  const agent = openAgent(home);
  const platform = "memory";
  const ids = transaction(agent.database, () =>
    Array.from({ length: size }, (_, chat) => {
      const session = agent.sessions.create({ platform, source: "gateway", key: `agent:main:memory:dm:${chat}` });
      return session.id;
    }),
  );
  for (const id of ids) fillHistory(agent, id, MESSAGES_EACH);
  return agent;
}

/** A gateway whose one platform is in memory: a message of a chat until its answer is sent. */
async function answering(agent: OpenAgent, size: number): Promise<Work> {
  let inbox: Inbox | undefined;
  let sent = 0;
  const adapter: Adapter = {
    name: "memory",
    start: async (given) => {
      inbox = given;
    },
    stop: async () => undefined,
    send: async () => {
      sent++;
    },
  };
  const gateway = createGateway({
    runner: agent.runner,
    dispatcher: new HookDispatcher(),
    registry: new HookRegistry(),
    sessions: agent.sessions,
    database: agent.database,
    settings: () => ({ allowed_users: ["*"] }),
    model: { describe: () => ({ id: "offline", provider: "offline" }), prices: () => undefined, use: () => undefined },
    tasks: {
      list: async () => [],
      get: async () => undefined,
      find: async () => [],
      lastLines: async () => [],
      cancel: async () => undefined,
    },
    commands: () => [],
    clean: String,
    log: silent,
    warn: (sentence) => {
      throw new Error(sentence);
    },
  });
  await gateway.start([adapter]);
  let count = 0;
  return {
    once: async () => {
      // Chats take turns, so that no history grows long.
      const chat_id = String(count++ % size);
      const source = { platform: "memory", chat_type: "dm", chat_id, user_id: chat_id, thread_id: null };
      const before = sent;
      await inbox!.receive({ text: "hello", message_id: `m${count}`, internal: false, source });
      if (sent === before) throw new Error("the message got no answer");
    },
  };
}

/** Sessions of a home: a message in the gateway, and the lists of a person. */
export const sessions: Topic = {
  title: "Sessions in the gateway",
  input: "sessions",
  sizes: [10, 100, 1000, 3000, 10_000],
  lines: [
    { name: "a message and its answer", prepare: (size, home) => answering(filled(home, size), size) },
    {
      name: "the last 20 sessions",
      prepare: (size, home) => {
        const agent = filled(home, size);
        return { once: () => void agent.sessions.list({ limit: 20 }) };
      },
    },
    {
      name: "the last one of a platform",
      prepare: (size, home) => {
        const agent = filled(home, size);
        return { once: () => void agent.sessions.latest("memory") };
      },
    },
  ],
};
