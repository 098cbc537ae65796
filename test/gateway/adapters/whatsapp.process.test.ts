/** `hermes gateway` on WhatsApp, as a person sees it in a chat. */
import test from "node:test";
import assert from "node:assert/strict";
import { countBlocks, examplesOf } from "../../helpers/examples.ts";
import { startGateway } from "../../helpers/gateway.ts";
import { Home } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";
import { freePort } from "../../helpers/ports.ts";
import { prepareWhatsApp, WHATSAPP_ENV, type WhatsAppBench } from "../../helpers/whatsapp-gateway.ts";
import { TOKEN, WhatsAppServer } from "../../helpers/whatsapp-server.ts";
import {
  APP_SECRET,
  bodyOf,
  deliver,
  messageOf,
  post,
  pressOf,
  signatureOf,
  VERIFY_TOKEN,
  webhookOf,
} from "../../helpers/whatsapp-webhooks.ts";

/** Blocks, asks and writes down what it gets; `/announce` sends to the home channel. */
const PLUGIN = `import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
const home = process.env.HERMES_HOME;
export default {
  hooks: {
    async pre_gateway_dispatch({ event }) {
      const { platform, user_id, chat_id, chat_type, thread_id } = event.source;
      appendFileSync(home + "/dispatched", JSON.stringify([event.text, platform, user_id, chat_id, chat_type, thread_id]) + "\\n");
      while (event.text.startsWith("slowly") && !existsSync(home + "/go")) await pause(10);
    },
    pre_tool_call({ args }) {
      const command = String(args?.command);
      if (command.includes("sleep")) appendFileSync(home + "/sleeping", "");
      if (command.includes("forbidden")) return { action: "block", message: "this is forbidden here" };
      if (command.includes("careful")) return { action: "ask", message: "is it wise?" };
    },
  },
  register(ctx) {
    ctx.register_command({ name: "announce", description: "", handler: (text) => ctx.deliver(text).then(() => "sent") });
  },
};`;

const HANDLER = `import { appendFileSync } from "node:fs";
import { join } from "node:path";
export function handle(event, { platform, user_id, command }) {
  appendFileSync(join(import.meta.dirname, "events"), JSON.stringify([event, platform, user_id, command ?? null]) + "\\n");
}`;

function withHooks({ home }: WhatsAppBench): void {
  home.plugin("watcher", PLUGIN);
  home.write("hooks/events/HOOK.yaml", 'name: events\nevents: ["agent:start", "session:*", "command:*"]\n');
  home.write("hooks/events/handler.mjs", HANDLER);
}

const PLUGINS = "plugins: { enabled: [watcher] }\n";

function linesOf({ home }: WhatsAppBench, file: string): readonly unknown[] {
  return home.has(file)
    ? home
        .read(file)
        .trim()
        .split("\n")
        .map((line): unknown => JSON.parse(line))
    : [];
}

test("a chat on WhatsApp: pairing, a guard, an approval, long messages, commands, a restart", async (t) => {
  const bench = await prepareWhatsApp(t, { more: PLUGINS });
  withHooks(bench);
  const { server, home, url, start, say, answer, end } = bench;
  const gateway = await start();
  await gateway.sees(`whatsapp: ${url}`);
  await say(42, "hello there");
  await answer(42, /hello there/);

  await say(7, "let me in");
  const [, code = ""] = /code is (\w+)/.exec(await answer(7, /pairing code is/)) ?? [];
  assert.equal((await home.run(["pairing", "approve", "whatsapp", code])).code, 0);
  await say(7, "and now?");
  await answer(7, /and now\?/);

  await say(42, "run `echo forbidden`");
  await answer(42, /this is forbidden here/);

  await say(42, "run `echo careful`");
  const question = await until(() => server.questionOf(42), "the question");
  assert.match(question.text, /echo careful[^]*is it wise\?/);
  const approve = question.buttons.find(({ title }) => title === "Approve")!;
  // Another user's press answers nothing.
  await deliver(url, webhookOf(pressOf(7, approve)));
  await answer(7, /Nothing waits for your approval/);
  await deliver(url, webhookOf(pressOf(42, approve)));
  await answer(42, /^Approved\.$/);
  await answer(42, /careful[^]*\bexit/);
  const [before] = [server.messages.length];
  await deliver(url, webhookOf(pressOf(42, approve)));
  await until(() => server.messages.length > before, "a late press is answered");
  assert.match(server.textsOf(42).at(-1)!, /Nothing waits for your approval/);

  const long = `long ${"word ".repeat(1600)}end`;
  await say(42, long);
  await answer(42, /\bend\b/);
  const emoji = "🦊".repeat(2000);
  await say(42, emoji);
  await until(() => server.textsOf(42).join("").match(/🦊/gu)?.length === 2000, "the emoji come back");
  assert.ok(server.messages.every(({ text }) => text.length <= 4096));

  await say(42, "/announce the news");
  await answer(42, /^the news$/);
  await say(42, "/new");
  await until(
    () => linesOf(bench, "hooks/events/events").some((line) => String(line).startsWith("session:reset")),
    "reset",
  );
  assert.ok(!home.read("logs/hermes.log").includes("did not arrive"));
  await end(gateway);

  const second = await start();
  await say(42, "after the restart");
  await answer(42, /after the restart/);
  await end(second);

  assert.deepEqual(linesOf(bench, "dispatched")[0], ["hello there", "whatsapp", "42", "42", "dm", null]);
  const events = linesOf(bench, "hooks/events/events").map((line) => JSON.stringify(line));
  for (const event of [
    ["session:start", "whatsapp", "42", null],
    ["agent:start", "whatsapp", "42", null],
    ["agent:start", "whatsapp", "7", null],
    ["command:announce", "whatsapp", "42", "announce"],
  ]) {
    assert.ok(events.includes(JSON.stringify(event)), `${JSON.stringify(event)} in ${events.join("\n")}`);
  }
});

test("a forged webhook gets 401, and Meta's question its answer; a revoked token is said once, answers are kept, other platforms go on", async (t) => {
  const { server, home, url, start, say, answer, end } = await prepareWhatsApp(t);
  const gateway = await start();
  await say(42, "before");
  await answer(42, /before/);
  const body = bodyOf(webhookOf(messageOf(42, "run `touch forged`")));
  const right = signatureOf(body);
  for (const signature of [null, "", right.toUpperCase(), right.replace("sha256", "sha1"), signatureOf(`${body} `)]) {
    assert.equal(await post(url, body, { signature }), 401);
  }
  const question = new URLSearchParams({
    "hub.mode": "subscribe",
    "hub.verify_token": WHATSAPP_ENV.WA_VERIFY,
    "hub.challenge": "1158201444",
  });
  assert.equal(await (await fetch(`${url}?${question.toString()}`)).text(), "1158201444");

  server.token = "another";
  await say(42, "while it is revoked");
  await gateway.sees("Meta refuses messages");
  await say(42, "and again");
  assert.match((await gateway.say("hello")).text, /hello/);
  await until(() => server.callsOf("text").length > 3, "it is tried again");
  assert.equal(gateway.stderr().match(/Meta refuses messages/g)?.length, 1);
  server.token = WHATSAPP_ENV.WA_TOKEN;
  await answer(42, /and again/);
  await answer(42, /while it is revoked/);
  await gateway.sees("Meta accepts messages again");
  await end(gateway);
  assert.ok(home.read("logs/hermes.log").includes("a platform did not accept a text"));
  assert.deepEqual(
    server.messages.filter(({ text }) => text.includes("forged")),
    [],
  );
});

test("a missing permission or secret is one sentence, and the other platforms run", async (t) => {
  const { server, home, start, end } = await prepareWhatsApp(t);
  server.misbehave("number", { code: 10 });
  const gateway = await start();
  await gateway.sees("whatsapp_business_messaging");
  assert.match((await gateway.say("hello")).text, /hello/);
  await end(gateway);
  const config = home.read("config.yaml");
  for (const [key, variable] of [
    ["app_secret", "WA_SECRET"],
    ["verify_token", "WA_VERIFY"],
  ] as const) {
    home.write("config.yaml", config.replace(new RegExp(` *${key}: .*\n`), ""));
    const { code, stderr, stdout } = await home.run(["config", "check"], { env: { ...WHATSAPP_ENV, [variable]: "" } });
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, new RegExp(`gateway\\.platforms\\.whatsapp\\.${key} is missing`));
  }
});

test("docs/whatsapp.md: the configuration runs as it stands", async (t) => {
  await using server = await new WhatsAppServer().start();
  const [port, home] = [await freePort(), new Home(t)];
  const example = examplesOf("docs/whatsapp.md", "yaml").get("whatsapp-config")!;
  const config = `${example.replace("127.0.0.1:8643", `127.0.0.1:${port}`)}      api_root: ${server.url}
    api_server: { enabled: true, port: 0 }
`;
  const env = { WHATSAPP_TOKEN: TOKEN, WHATSAPP_APP_SECRET: APP_SECRET, WHATSAPP_VERIFY_TOKEN: VERIFY_TOKEN };
  const gateway = await startGateway(t, home, { config, env });
  await gateway.sees(`whatsapp: http://127.0.0.1:${port}/whatsapp`);
  await deliver(`http://127.0.0.1:${port}/whatsapp`, webhookOf(messageOf(491_701_234_567, "hello")));
  await until(() => server.textsOf(491_701_234_567).length > 0, "the answer");
  assert.equal(countBlocks("docs/whatsapp.md", "yaml"), 1);
});

test("what was taken is not lost when the gateway is killed: before its turn, while it waits, while its turn runs", async (t) => {
  const bench = await prepareWhatsApp(t, { more: PLUGINS });
  withHooks(bench);
  const { server, home, start, say, answer, end } = bench;
  const first = await start();
  await say(42, "slowly, its hooks run");
  await say(42, "and the next one waits");
  await until(() => linesOf(bench, "dispatched").length === 1, "the hook runs");
  first.kill("SIGKILL");
  await first.ended;
  assert.deepEqual(server.messages, []);
  // Meta sends to a gateway that is down, again and again.
  const late = say(42, "sent while it was down");
  home.write("go", "");
  const second = await start();
  await late;
  await answer(42, /sent while it was down/);
  const texts = server.textsOf(42).join("\n");
  const order = ["slowly, its hooks run", "and the next one waits", "sent while it was down"];
  assert.deepEqual(
    order.map((text) => texts.split(text).length - 1 > 0),
    [true, true, true],
    texts,
  );
  assert.ok(texts.indexOf(order[0]!) < texts.indexOf(order[1]!));
  await say(42, "run `sleep 600` for me");
  await until(() => home.has("sleeping"), "its turn runs");
  second.kill("SIGKILL");
  await second.ended;
  const third = await start();
  await answer(42, /^The answer to "run `sleep 600` for me" was cut off; send it again\.$/);
  await end(third);
  assert.equal(server.textsOf(42).filter((text) => text.includes("cut off")).length, 1);
});
