/** Many messages over 20 chats of each messaging platform, over a disconnect: every one is answered once and in order. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { ADA as DISCORD_ADA, directChannel } from "../../helpers/discord-shapes.ts";
import { DiscordServer, TOKEN as DISCORD_TOKEN } from "../../helpers/discord-server.ts";
import { startGateway } from "../../helpers/gateway.ts";
import { Home } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";
import { APP_TOKEN, BOT_TOKEN } from "../../helpers/slack-events.ts";
import { SlackServer } from "../../helpers/slack-server.ts";
import { TelegramServer, TOKEN as TELEGRAM_TOKEN } from "../../helpers/telegram-server.ts";
import { prepareWhatsApp } from "../../helpers/whatsapp-gateway.ts";
import { deliver, messageOf, webhookOf } from "../../helpers/whatsapp-webhooks.ts";

/** The gateway on a platform, which breaks as a test says. */
interface Load {
  /** The chats, each with one user. */
  readonly chats: readonly string[];
  /** Sends a message of a chat's user. With `again`, the platform delivers it twice. */
  say(chat: string, text: string, again: boolean): unknown;
  textsOf(chat: string): readonly string[];
  /** What breaks, and what is then mended, after these shares of the messages. */
  readonly disturbances: readonly (readonly [share: number, disturb: () => unknown])[];
  /** What else must be true at the end. */
  check?(): void;
}

const CHATS = 20;
/** A conversation takes 100 waiting messages. */
const MOST_AHEAD = 10;
/** Every seventh message is delivered twice. */
const TWICE_EVERY = 7;
/** A thousand turns take 20 s of processor time, of which a busy machine gives little. */
const WITHIN_MS = 120_000;

const PLATFORMS: Readonly<Record<string, (t: TestContext) => Promise<Load>>> = {
  async discord(t) {
    const server = await new DiscordServer().start();
    t.after(() => server.stop());
    const users = range(CHATS).map((index) => ({
      ...DISCORD_ADA,
      id: String(4_500_000_000_000_000_000n + BigInt(index)),
    }));
    for (const user of users) server.addChannel({ id: directChannel(user), type: 1 });
    await start(t, { discord: { token: DISCORD_TOKEN, api_root: server.url } });
    const user = (chat: string) => users.find((one) => directChannel(one) === chat)!;
    return {
      chats: users.map(directChannel),
      say(chat, text, again) {
        const id = server.say(text, { user: user(chat) });
        if (again) server.say(text, { user: user(chat), fields: { id } });
      },
      textsOf: (chat) => server.textsIn(chat),
      disturbances: [[0.5, () => server.gateway.drop()]],
      check: () => assert.deepEqual([server.gateway.identified.length, server.gateway.resumed.length], [1, 1]),
    };
  },

  async slack(t) {
    const server = await new SlackServer().start();
    t.after(() => server.stop());
    await start(t, { slack: { bot_token: BOT_TOKEN, app_token: APP_TOKEN, api_root: server.url } });
    return {
      chats: range(CHATS).map((index) => `D${index}`),
      say(chat, text, again) {
        server.socket.twice = again;
        server.say(text, { channel: chat, user: chat.replace("D", "U") });
        server.socket.twice = false;
      },
      textsOf: (chat) => server.textsOf(chat),
      disturbances: [
        [0.4, () => server.socket.drop()],
        [0.7, () => server.socket.disconnect("refresh_requested")],
      ],
      check: () => assert.equal(server.socket.connections, 1),
    };
  },

  async telegram(t) {
    const server = await new TelegramServer().start();
    t.after(() => server.stop());
    await start(t, { telegram: { token: TELEGRAM_TOKEN, api_root: server.url } });
    let count = 0;
    return {
      chats: range(CHATS).map((index) => String(index + 100)),
      say(chat, text, again) {
        const who = { id: Number(chat), is_bot: false };
        const message = { message_id: 10_000 + count++, date: 1, chat: { ...who, type: "private" }, from: who, text };
        server.push(...(again ? [{ message }, { message }] : [{ message }]));
      },
      textsOf: (chat) => server.textsOf(chat),
      disturbances: [
        [0.4, () => server.stop()],
        [0.7, () => server.start()],
      ],
    };
  },

  async whatsapp(t) {
    const { server, url, start: startWhatsApp } = await prepareWhatsApp(t, { allowed: "*" });
    await startWhatsApp();
    return {
      chats: range(CHATS).map((index) => String(4900 + index)),
      async say(chat, text, again) {
        const webhook = webhookOf(messageOf(Number(chat), text));
        await deliver(url, webhook);
        if (again) await deliver(url, webhook);
      },
      textsOf: (chat) => server.textsOf(chat),
      disturbances: [
        [0.4, () => server.stop()],
        [0.7, () => server.start()],
      ],
    };
  },
};

/** A test for each platform, with this many messages in each of 20 chats. */
export function testLoad(rounds: number): void {
  for (const [name, prepare] of Object.entries(PLATFORMS)) {
    const title = `${name}: ${CHATS * rounds} messages over ${CHATS} chats and a disconnect: each is answered once, and in order`;
    test(title, { timeout: 2 * WITHIN_MS }, async (t) => {
      const load = await prepare(t);
      await send(load, rounds);
      const isDone = () => load.chats.every((chat) => answered(load, chat).length >= rounds);
      await until(isDone, "all are answered", {
        withinMs: WITHIN_MS,
        seen: () => load.chats.map((chat) => answered(load, chat).length),
      });
      for (const chat of load.chats) assert.deepEqual(answered(load, chat), range(rounds));
      load.check?.();
    });
  }
}

async function send(load: Load, rounds: number): Promise<void> {
  const { chats, say, disturbances } = load;
  const isDown = { now: false };
  for (const round of range(rounds)) {
    for (const chat of chats) await say(chat, `word-${round}.`, round % TWICE_EVERY === 3);
    for (const [share, disturb] of disturbances) {
      if (round !== Math.floor(rounds * share)) continue;
      await disturb();
      // Between the first and the last disturbance, answers may have to wait.
      isDown.now = share !== disturbances.at(-1)![0];
    }
    if (isDown.now || round % MOST_AHEAD < MOST_AHEAD - 1) continue;
    const isClose = () => chats.every((chat) => answered(load, chat).length > round - MOST_AHEAD);
    await until(isClose, "the answers keep up", { withinMs: WITHIN_MS });
  }
}

/** The numbers of the messages that a chat has answers to. */
function answered({ textsOf }: Load, chat: string): readonly number[] {
  return textsOf(chat).flatMap((text) =>
    [...text.matchAll(/word-(\d+)\./g)].slice(0, 1).map(([, number]) => Number(number)),
  );
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** Starts the gateway with a platform that everybody may use. */
async function start(t: TestContext, platforms: Readonly<Record<string, object>>): Promise<void> {
  const [name, section] = Object.entries(platforms)[0]!;
  const own = JSON.stringify({ enabled: true, allowed_users: ["*"], ...section });
  // By default a message would end the turn of the one before it, if that still runs.
  const config = `gateway:
  busy: queue
  platforms:
    api_server: { enabled: true, port: 0 }
    ${name}: ${own}
`;
  await startGateway(t, new Home(t), { config });
}
