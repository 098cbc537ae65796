/** `hermes gateway` on Discord, as a person sees it in a chat: the real program against a Discord on loopback. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { GatewayCloseCodes } from "discord-api-types/v10";
import { buttonsOf, DiscordServer, TOKEN } from "../../helpers/discord-server.ts";
import { ADA, BOB, BOT_ID, directChannel, GENERAL_ID } from "../../helpers/discord-shapes.ts";
import { examplesOf } from "../../helpers/examples.ts";
import { startGateway } from "../../helpers/gateway.ts";
import { Home } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";
import { linesOf, WATCHING, watchMessages } from "../../helpers/watched-messages.ts";

const CHAT = directChannel(ADA);

/** The section of the documentation, for users of the test. By default a message would end the turn before it. */
const config = (url: string, users: readonly string[]) => {
  const [section] = examplesOf("docs/discord.md", "yaml").values();
  const own = section!
    .replace('["123456789012345678"]', JSON.stringify(users))
    .replace("enabled: true\n", `enabled: true\n      api_root: ${url}\n`);
  return `${own}
    api_server: { enabled: true, port: 0 }
  busy: queue
  home_channel: { platform: discord, chat_id: "${GENERAL_ID}" }
`;
};

async function prepare(t: TestContext, users: readonly string[] = []) {
  const server = await new DiscordServer().start();
  t.after(() => server.stop());
  const home = new Home(t);
  watchMessages(home);
  // Under this name it is told apart from the gateway's own address in what the gateway says.
  const url = server.url.replace("127.0.0.1", "localhost");
  const options = { config: config(url, users) + WATCHING, env: { DISCORD_BOT_TOKEN: TOKEN } };
  return { server, home, options, texts: () => server.textsIn(CHAT) };
}

test("a new user: pairing, an answer, a guard, a question with buttons, a long answer, /new, a restart", async (t) => {
  const { server, home, options, texts } = await prepare(t);
  const gateway = await startGateway(t, home, options);
  await gateway.sees("discord");
  server.say("hello?");
  const code = await until(() => /approve (\w{8})/.exec(texts()[0] ?? "")?.[1], "a pairing code");
  assert.equal((await home.start(["pairing", "approve", code]).ended).code, 0);
  server.say("hello!");
  await until(() => texts().some((text) => text.includes("hello!")), "an answer");

  server.say("run `echo forbidden`");
  await until(() => texts().some((text) => text.includes("This is forbidden.")), "the guard's answer");

  server.say("run `echo deploy-$((40 + 2))`");
  const question = await until(
    () => server.answersIn(CHAT).find((message) => buttonsOf(message).length > 0),
    "a question with buttons",
  );
  assert.match(question.content, /This deploys\./);
  server.press(question, "Approve", BOB);
  server.press(question, "Approve");
  await until(() => texts().some((text) => text.includes("deploy-42")), "the approved answer");
  await until(() => buttonsOf(question).length === 0, "the buttons are gone");

  const before = texts().length;
  server.say(`please repeat: ${"a long line of words, again and again. ".repeat(150)} the end`);
  await until(
    () =>
      texts()
        .slice(before)
        .some((text) => text.includes("the end")),
    "a long answer",
    { seen: texts },
  );
  assert.ok(texts().length - before >= 3 && texts().every((text) => text.length <= 2000), "in pieces");

  const fresh = server.command("new");
  await until(() => server.interactions.get(fresh)?.original === "deleted", "nothing is left thinking");
  assert.match(texts().at(-1)!, /new session/i);

  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
  server.say("are you there?");
  const second = await startGateway(t, home, options);
  await until(() => texts().some((text) => text.includes("are you there?")), "what was said meanwhile is answered");
  assert.equal(server.gateway.identified.length, 1, "the session was resumed");

  server.say("run `sleep 600` for me");
  await until(
    () => linesOf(home, "events.jsonl").some((event) => String(event["message"]).includes("sleep")),
    "the turn runs",
  );
  second.kill("SIGKILL");
  await second.ended;
  await startGateway(t, home, options);
  const notice = 'The answer to "run `sleep 600` for me" was cut off; send it again.';
  await until(() => texts().includes(notice), "the notice");
  const said = gateway.stdout() + gateway.stderr() + second.stderr() + home.read("logs/hermes.log");
  assert.ok(!said.includes(TOKEN.split(".")[2]!), "the token is nowhere");
});

test("hooks see the platform, the user, the chat and the thread; plugins send to the home channel", async (t) => {
  const { server, home, options } = await prepare(t, [ADA.id]);
  await startGateway(t, home, options);
  const thread = server.addThread({ owner_id: BOT_ID });
  server.say(`<@${BOT_ID}> in the channel`, { channel: GENERAL_ID });
  server.say(`<@${BOT_ID}> let me in`, { channel: GENERAL_ID, user: BOB });
  server.say("in the thread", { channel: thread.id });
  server.command("tell", "hello home");
  await until(() => server.textsIn(thread.id).length > 0, "the thread's answer");
  await until(() => server.textsIn(GENERAL_ID).includes("hello home"), "the home channel's text");
  await until(() => server.textsIn(GENERAL_ID).length === 2, "the channel's answer");
  assert.ok(!server.textsIn(GENERAL_ID).join().includes("let me in"), "an unknown user gets nothing in a server");
  const sources = linesOf(home, "dispatched.jsonl").map(({ text, source }) => [text, source]);
  const source = { platform: "discord", user_id: ADA.id, thread_id: null };
  assert.deepEqual(
    new Map(sources as [string, unknown][]),
    new Map<string, unknown>([
      ["in the channel", { ...source, chat_type: "group", chat_id: GENERAL_ID }],
      ["let me in", { ...source, chat_type: "group", chat_id: GENERAL_ID, user_id: BOB.id }],
      ["in the thread", { ...source, chat_type: "thread", chat_id: GENERAL_ID, thread_id: thread.id }],
      ["/tell hello home", { ...source, chat_type: "dm", chat_id: CHAT }],
    ]),
  );
  await until(() => linesOf(home, "events.jsonl").length >= 5, "the events");
  const events = linesOf(home, "events.jsonl");
  const of = (type: string) => events.filter((event) => event["type"] === type);
  assert.deepEqual(
    of("agent:start").map((event) => [event["platform"], event["user_id"]]),
    [
      ["discord", ADA.id],
      ["discord", ADA.id],
    ],
  );
  assert.equal(of("session:start").length, 2);
  assert.equal(of("command:tell").length, 1);
});

test("a storm of 50 reconnects, then a revoked token: nothing is lost, and api_server goes on", async (t) => {
  const { server, home, options, texts } = await prepare(t, [ADA.id]);
  const gateway = await startGateway(t, home, options);
  const { gateway: events } = server;
  const ways = [() => events.drop(), () => events.reconnect(), () => events.close(GatewayCloseCodes.UnknownError)];
  for (let count = 0; count < 50; count++) {
    const before = events.resumed.length;
    ways[count % 3]!();
    if (count % 10 === 0) server.say(`during ${count}`);
    await until(() => events.resumed.length > before && events.isReady, "it is connected again");
  }
  await until(
    () => [0, 10, 20, 30, 40].every((count) => texts().some((text) => text.includes(`during ${count}`))),
    "answers",
  );
  assert.deepEqual([texts().length, events.identified.length], [5, 1]);

  assert.doesNotMatch(gateway.stderr(), /Warning/, "no listeners are left behind");

  server.token = "another";
  events.close(GatewayCloseCodes.AuthenticationFailed);
  await gateway.sees("Discord rejected the bot's token. Check gateway.platforms.discord.token");
  assert.match((await gateway.say("still there?")).text, /still there/);
  await until(() => events.identified.length >= 2, "it is tried again");
  assert.equal(gateway.stderr().match(/rejected the bot's token/g)?.length, 1, "it is said once");
  server.token = TOKEN;
  await gateway.sees("discord: receiving messages again");
  server.say("and now?");
  await until(() => texts().some((text) => text.includes("and now?")), "an answer");
});

test("if Discord is down or refuses at the start, the gateway says so, continues, and answers later", async (t) => {
  const { server, home, options, texts } = await prepare(t, [ADA.id]);
  const { flags } = server;
  server.flags = 0;
  const gateway = await startGateway(t, home, options);
  await gateway.sees("Switch on Message Content Intent at https://discord.com/developers/applications");
  assert.match((await gateway.say("hello")).text, /hello/);
  server.flags = flags;
  await until(() => server.gateway.isReady, "it has started");
  server.say("are you there?");
  await until(() => texts().length > 0, "the answer");
});
