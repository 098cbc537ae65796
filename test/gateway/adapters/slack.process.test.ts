/** `hermes gateway` on Slack, as a person sees it: the real program against a Slack on loopback. */
import test from "node:test";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { startGateway } from "../../helpers/gateway.ts";
import { Home } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";
import { ADA, APP_TOKEN, BOT_TOKEN, CHANNEL, DIRECT } from "../../helpers/slack-events.ts";
import { SlackServer } from "../../helpers/slack-server.ts";
import { linesOf, WATCHING, watchMessages } from "../../helpers/watched-messages.ts";

/** By default a message would end the turn of the one before it, if that still runs. */
const config = (url: string, users: readonly string[]) => `gateway:
  busy: queue
  home_channel: { platform: slack, chat_id: C5 }
  platforms:
    api_server: { enabled: true, port: 0 }
    slack:
      enabled: true
      bot_token: \${SLACK_BOT_TOKEN}
      app_token: \${SLACK_APP_TOKEN}
      api_root: ${url}
      allowed_users: ${JSON.stringify(users)}
`;

interface Given {
  readonly users?: readonly string[];
  /** With the plugin and the hook, which every message then waits for. */
  readonly watched?: boolean;
}

async function prepare(t: { after(fn: () => unknown): void }, { users = [], watched = false }: Given) {
  const server = await new SlackServer().start();
  t.after(() => server.stop());
  const home = new Home(t);
  if (watched) {
    watchMessages(home);
  }
  // Under this name it is told apart from the gateway's own address in what the gateway says.
  const url = server.url.replace("127.0.0.1", "localhost");
  const env = { SLACK_BOT_TOKEN: BOT_TOKEN, SLACK_APP_TOKEN: APP_TOKEN };
  const plugins = watched ? WATCHING : "";
  const options = { config: config(url, users) + plugins, env };
  return { server, home, options, texts: () => server.textsOf(DIRECT) };
}

test("a new user: pairing, an answer, a guard, a question with buttons, a long answer, /new, restarts", async (t) => {
  const { server, home, options, texts } = await prepare(t, { watched: true });
  const gateway = await startGateway(t, home, options);
  await gateway.sees("slack");
  server.say("hello?");
  const code = await until(() => /code is (\w{8})/.exec(texts()[0] ?? "")?.[1], "a pairing code");
  assert.equal((await home.run(["pairing", "approve", code])).code, 0);
  server.say("hello!");
  const sees = (words: string) => until(() => texts().some((text) => text.includes(words)), words, { seen: texts });
  await sees("hello!");
  server.say("run `echo forbidden`");
  await sees("This is forbidden.");

  server.say("run `echo deploy-$((40 + 2))`");
  const hasButtons = ({ blocks }: { blocks: readonly { type: string }[] }) =>
    blocks.some(({ type }) => type === "actions");
  const question = await until(() => server.sentTo(DIRECT).find(hasButtons), "a question with buttons");
  assert.match(question.text, /This deploys\./);
  server.press(question, "Approve", "U7");
  server.press(question, "Approve");
  await sees("deploy-42");
  await until(() => !hasButtons(question), "the buttons are gone");

  const before = texts().length;
  server.say(`please repeat: ${"a long line of words, again and again. ".repeat(250)} the end`);
  await sees("the end");
  assert.ok(texts().length - before >= 3 && texts().every((text) => text.length <= 4000), "in pieces");
  server.command("new");
  await until(() => /new session/i.test(texts().at(-1) ?? ""), "the command's answer");

  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
  server.say("are you there?");
  const second = await startGateway(t, home, options);
  await sees("are you there?");
  server.say("run `sleep 600` for me");
  const runs = () => linesOf(home, "events.jsonl").some((event) => String(event["message"]).includes("sleep"));
  await until(runs, "the turn runs");
  second.kill("SIGKILL");
  await second.ended;
  await startGateway(t, home, options);
  await sees('The answer to "run `sleep 600` for me" was cut off; send it again.');
  const said = gateway.stdout() + gateway.stderr() + second.stderr() + home.read("logs/hermes.log");
  for (const secret of [BOT_TOKEN, APP_TOKEN, "ticket-"]) assert.ok(!said.includes(secret), `${secret} is nowhere`);
});

test("hooks see the platform, the user, the chat and the thread; plugins send to the home channel", async (t) => {
  const { server, home, options } = await prepare(t, { users: [ADA], watched: true });
  await startGateway(t, home, options);
  const { ts: thread } = server.mention("in the channel");
  server.mention("let me in", { user: "U7" });
  server.say("not for the bot", { channel: CHANNEL, channel_type: "channel" });
  server.say("from another bot", { bot_id: "B7" });
  server.command("tell hello home");
  await until(() => server.textsOf(CHANNEL, thread).length > 0, "the thread's answer");
  server.say("in the thread", { channel: CHANNEL, channel_type: "channel", thread_ts: thread, parent_user_id: ADA });
  await until(() => server.textsOf(CHANNEL, thread).length > 1, "the second answer");
  await until(() => server.textsOf("C5").includes("hello home"), "the home channel's text");
  assert.deepEqual(
    server.sentTo(CHANNEL).filter((message) => message.thread !== thread),
    [],
    "nothing else is answered",
  );
  const dispatched = linesOf(home, "dispatched.jsonl");
  const sourceOf = (text: string) => dispatched.find((event) => event["text"] === text)?.["source"];
  const source = { platform: "slack", chat_type: "thread", chat_id: CHANNEL, user_id: ADA, thread_id: thread };
  assert.equal(dispatched.length, 4, JSON.stringify(dispatched));
  assert.deepEqual(sourceOf("in the channel"), source);
  assert.deepEqual(sourceOf("in the thread"), source);
  assert.equal((sourceOf("let me in") as { user_id: string }).user_id, "U7");
  assert.deepEqual(sourceOf("/tell hello home"), { ...source, chat_type: "dm", chat_id: DIRECT, thread_id: null });
  const of = (type: string) => linesOf(home, "events.jsonl").filter((event) => event["type"] === type);
  await until(() => of("agent:start").length === 2 && of("command:tell").length === 1, "the events");
  for (const { platform, user_id: user } of of("agent:start")) assert.deepEqual([platform, user], ["slack", ADA]);
  assert.equal(of("session:start").length, 1, "the thread is one conversation");
});

test("50 disconnects in a row, limits and a revoked token: said once, and the other platform continues", async (t) => {
  const { server, home, options, texts } = await prepare(t, { users: [ADA] });
  const gateway = await startGateway(t, home, options);
  server.misbehave("chat.postMessage", { status: 429 }, { status: 429, retryAfter: "1", body: "{}" });
  server.say("word-0");
  await until(() => texts().some((text) => text.includes("word-0")), "the answer after the limits");
  const { opened } = server.socket;
  for (let count = 0; count < 50; count++) {
    server.socket.disconnect("warning", 0);
    if (count % 10 === 5) server.socket.drop();
    if (count === 25) server.say("word-1");
    await sleep(20);
  }
  server.say("word-2");
  await until(() => texts().some((text) => text.includes("word-2")), "answers");
  assert.equal(texts().filter((text) => text.includes("word-1")).length, 1);
  assert.ok(server.socket.opened - opened <= 10, "pauses between connections grow");

  server.botToken = "xoxb-another";
  server.tokenError = "token_revoked";
  server.say("word-3");
  await gateway.sees("Slack rejects the bot's token (token_revoked)");
  assert.match((await gateway.say("still here")).text, /still here/);
  server.botToken = BOT_TOKEN;
  await gateway.sees("Slack accepts the bot's token again");
  await until(() => texts().some((text) => text.includes("word-3")), "the answer that had to wait");
  assert.equal(gateway.stderr().split("Slack rejects").length, 2, gateway.stderr());
});

test("an app without a scope: what is missing is said, and the other platform runs", async (t) => {
  const { server, home, options } = await prepare(t, { users: [ADA] });
  server.scopes = ["im:history"];
  const gateway = await startGateway(t, home, options);
  await gateway.sees("lacks the scopes app_mentions:read");
  assert.match(gateway.stderr(), /chat:write.*add them at https:\/\/api\.slack\.com\/apps/);
  assert.match((await gateway.say("hello")).text, /hello/);
  assert.equal(server.socket.opened, 0);
});
