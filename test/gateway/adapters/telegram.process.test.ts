/** `hermes gateway` on Telegram, as a person sees it in a chat: the real program against a Bot API server. */
import test from "node:test";
import assert from "node:assert/strict";
import { startGateway } from "../../helpers/gateway.ts";
import { Home } from "../../helpers/hermes.ts";
import { TelegramServer, TOKEN } from "../../helpers/telegram-server.ts";
import { until } from "../../helpers/poll.ts";

/** By default a message would end the turn of the one before it, if that still runs. */
const config = (url: string) => `gateway:
  busy: queue
  platforms:
    api_server: { enabled: true, port: 0 }
    telegram: { enabled: true, token: "\${BOT}", api_root: "${url}", allowed_users: [42] }
`;

async function prepare(t: { after(fn: () => unknown): void }) {
  const server = await new TelegramServer().start();
  t.after(() => server.stop());
  // Under this name it is told apart from the gateway's own address in what the gateway says.
  const url = server.url.replace("127.0.0.1", "localhost");
  return { server, options: { config: config(url), env: { BOT: TOKEN } } };
}

test("a chat on Telegram: answers, commands, tools, the same update twice, strangers", async (t) => {
  const { server, options } = await prepare(t);
  const home = new Home(t);
  const gateway = await startGateway(t, home, options);
  server.say("run `echo from-the-tool`");
  await until(() => server.textsOf(42).some((text) => text.includes("from-the-tool")), "the answer");
  server.say("/status");
  await until(() => server.textsOf(42).length >= 2, "the command's answer");

  const again = { message_id: 900, date: 1, chat: { id: 42, type: "private" }, from: { id: 42 }, text: "only once" };
  server.push({ message: again }, { message: again });
  await until(() => server.textsOf(42).some((text) => text.includes("only once")), "one answer");
  server.say("and then this");
  await until(() => server.textsOf(42).some((text) => text.includes("and then this")), "the last answer");
  assert.equal(server.textsOf(42).filter((text) => text.includes("only once")).length, 1);

  server.say("let me in", { chat: { id: 7, type: "private" }, from: { id: 7, is_bot: false } });
  await until(() => server.textsOf(7).length > 0, "the stranger is told how to pair");
  assert.ok(!server.textsOf(7).join().includes("let me in"));

  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
  const said = gateway.stdout() + gateway.stderr() + home.read("logs/hermes.log");
  assert.ok(!said.includes(TOKEN.split(":")[1]!), "the token is nowhere");
});

test("a hook's question has buttons: the press of a stranger does nothing, those of the user decide", async (t) => {
  const { server, options } = await prepare(t);
  const home = new Home(t);
  home.plugin(
    "asker",
    'export default { hooks: { pre_tool_call: () => ({ action: "ask", message: "is it wise?" }) } };',
  );
  await startGateway(t, home, { ...options, config: `${options.config}plugins: { enabled: [asker] }\n` });
  const buttons = () => [...server.messages.values()].filter((message) => message.buttons.length > 0).length;
  const has = (text: string) => server.textsOf(-5).some((each) => each.includes(text));
  const group = { chat: { id: -5, type: "supergroup" } };

  server.say("run `echo o''ne`", group);
  await until(() => buttons() === 1, "the question has buttons");
  server.press("Approve", { from: { id: 7, is_bot: false, first_name: "Bob" } });
  server.press("Deny");
  await until(() => has("Declined.") && buttons() === 0, "it is declined, and the buttons are gone");
  assert.ok(!has("one"));

  server.say("run `echo t''wo`", group);
  await until(() => buttons() === 1, "the next question has buttons");
  server.press("Approve");
  await until(() => has("Approved.") && has("two") && buttons() === 0, "it is approved, and the command has run");
});

test("100 updates at once from 10 chats: every one is answered, in order in each chat", async (t) => {
  const { server, options } = await prepare(t);
  const home = new Home(t);
  const topics = Array.from({ length: 10 }, (_, index) => index + 1);
  for (let count = 0; count < 10; count++) {
    for (const topic of topics) {
      const chat = { id: -topic, type: "group" };
      server.say(`word-${count}`, { chat, from: { id: 42, is_bot: false } });
    }
  }
  await startGateway(t, home, options);
  const all = () =>
    topics.flatMap(
      (topic) =>
        server
          .textsOf(-topic)
          .join("\n")
          .match(/word-\d+/g) ?? [],
    );
  await until(() => new Set(all()).size === 10 && all().length >= 100, "all are answered");
  for (const topic of topics) {
    const order = [
      ...new Set(
        server
          .textsOf(-topic)
          .join("\n")
          .match(/word-\d+/g),
      ),
    ];
    assert.deepEqual(
      order,
      Array.from({ length: 10 }, (_, count) => `word-${count}`),
    );
  }
});

test("if Telegram is down at the start, the gateway warns, continues, and answers once Telegram is back", async (t) => {
  const { server, options } = await prepare(t);
  await server.stop();
  const home = new Home(t);
  const gateway = await startGateway(t, home, options);
  await gateway.sees("telegram cannot start");
  assert.match((await gateway.say("hello")).text, /hello/);
  server.say("are you there?");
  await server.start();
  await until(() => server.textsOf(42).length > 0, "the answer");
  assert.match(server.textsOf(42)[0]!, /are you there/);
});

test("an answer that a crash cut off is told once at the next start, others are not", async (t) => {
  const { server, options } = await prepare(t);
  const home = new Home(t);
  const first = await startGateway(t, home, options);
  server.say("just hello");
  await until(() => server.textsOf(42).length === 1, "the first answer");
  const before = server.callsOf("sendChatAction").length;
  server.say("run `sleep 600` for me");
  await until(() => server.callsOf("sendChatAction").length > before, "the turn runs");
  first.kill("SIGKILL");
  await first.ended;
  const notice = 'The answer to "run `sleep 600` for me" was cut off; send it again.';
  const second = await startGateway(t, home, options);
  await until(() => server.textsOf(42).includes(notice), "the notice");
  second.kill("SIGTERM");
  assert.equal((await second.ended).code, 0);
  await startGateway(t, home, options);
  server.say("and now?");
  await until(() => server.textsOf(42).some((text) => text.includes("and now?")), "an answer");
  assert.equal(server.textsOf(42).filter((text) => text.includes("cut off")).length, 1);
});
