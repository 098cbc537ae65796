/** The platform `slack`: starts, tokens, scopes, and connections that end. */
import test from "node:test";
import assert from "node:assert/strict";
import { createSlack } from "#gateway/adapters/slack/adapter";
import type { HermesError } from "#core/errors";
import { noteLog } from "../../helpers/inbox.ts";
import { until } from "../../helpers/poll.ts";
import { APP_TOKEN, BOT_TOKEN, DIRECT } from "../../helpers/slack-events.ts";
import { makeBench, startBench, type Bench } from "./slack-bench.ts";

async function startError({ adapter, inbox }: Pick<Bench, "adapter" | "inbox">): Promise<HermesError> {
  return adapter.start(inbox).then(
    () => assert.fail("it started"),
    (error: unknown) => error as HermesError,
  );
}

test("tokens that are missing, of the wrong kind or rejected are named by their settings", async (t) => {
  const bench = await makeBench(t);
  const { server, inbox } = bench;
  const services = { log: noteLog().log, warn: () => undefined, isCommand: () => false, api_root: server.url };
  const threads = { note: () => undefined, has: () => false };
  for (const [tokens, problem] of [
    [{}, /slack\.bot_token is missing/],
    [{ bot_token: APP_TOKEN }, /slack\.bot_token must be .* starts with xoxb-/],
    [{ bot_token: BOT_TOKEN }, /slack\.app_token is missing/],
    [{ bot_token: BOT_TOKEN, app_token: BOT_TOKEN }, /slack\.app_token must be .* starts with xapp-/],
  ] as const) {
    const error = await startError({ inbox, adapter: createSlack({ ...services, ...tokens, threads }) });
    assert.equal(error.code, "HERMES_ADAPTER_CONFIG");
    assert.match(error.message, problem);
  }
  server.botToken = "xoxb-another";
  for (const code of ["invalid_auth", "token_revoked", "account_inactive"]) {
    server.tokenError = code;
    const error = await startError(bench);
    assert.equal(error.code, "HERMES_ADAPTER_CONFIG");
    assert.match(
      error.message,
      new RegExp(`rejected the token \\(${code}\\)\\. Check gateway\\.platforms\\.slack\\.bot_token`),
    );
  }
  server.botToken = BOT_TOKEN;
  server.appToken = "xapp-another";
  const error = await startError(bench);
  assert.match(error.message, /Check gateway\.platforms\.slack\.app_token/);
  server.misbehave("apps.connections.open", { error: "missing_scope", needed: "connections:write" });
  assert.match((await startError(bench)).message, /app_token lacks the scope connections:write/);
  assert.equal(server.socket.opened, 0);
});

test("missing scopes are one sentence; without the one for writing it does not start", async (t) => {
  const bench = await makeBench(t);
  const { server, adapter, inbox, warnings } = bench;
  const all = server.scopes;
  server.scopes = all.filter((scope) => scope !== "chat:write");
  const error = await startError(bench);
  assert.equal(error.code, "HERMES_ADAPTER_CONFIG");
  assert.match(error.message, /The Slack app lacks the scope chat:write: add it at/);
  server.scopes = all.filter((scope) => !["users:read", "groups:history"].includes(scope));
  await adapter.start(inbox);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^slack: The Slack app lacks the scopes groups:history, users:read: add them at/);
});

test("a server that is down or not Slack: start says which one and why, and can be tried again", async (t) => {
  const bench = await makeBench(t);
  const { server, adapter, inbox } = bench;
  await server.stop();
  const down = await startError(bench);
  assert.equal(down.code, "HERMES_ADAPTER_START");
  assert.match(down.message, new RegExp(`${server.url}/api/ cannot be reached: .*ECONNREFUSED`));
  await server.start();
  server.misbehave("auth.test", "html", { status: 503 }, { status: 429, retryAfter: "1" });
  for (const problem of [/does not speak Slack's Web API/, /status 503/, /too many calls/]) {
    const error = await startError(bench);
    assert.equal(error.code, "HERMES_ADAPTER_START");
    assert.match(error.message, problem);
  }
  server.say("there you are");
  await adapter.start(inbox);
  await inbox.count(1);
});

test("api_root: a server has its methods below /api or at its root, and a path is used as it is", async (t) => {
  for (const [prefix, path] of [
    ["/api/", ""],
    ["/api/", "/"],
    ["/", ""],
    ["/slack/v1/", "/slack/v1"],
  ] as const) {
    const { server, adapter, inbox } = await makeBench(t);
    server.prefix = prefix;
    const own = await makeBench(t, { api_root: `${server.url}${path}` });
    await own.adapter.start(inbox);
    server.say("hello");
    await inbox.count(1);
    await own.adapter.send(DIRECT, "hello");
    assert.deepEqual(server.textsOf(DIRECT), ["hello"]);
    assert.ok(adapter);
  }
});

test("a connection without a hello is given up; a start that is stopped leaves none", async (t) => {
  const bench = await makeBench(t, { timing: { helloMs: 200 } });
  bench.server.socket.silent = true;
  const error = await startError(bench);
  assert.equal(error.code, "HERMES_ADAPTER_START");
  assert.match(error.message, /did not say hello in time/);
  await until(() => bench.server.socket.connections === 0, "the connection is closed");
});

for (const reason of ["warning", "refresh_requested"]) {
  test(`${reason}: the next connection is there before the last one goes, and nothing is lost`, async (t) => {
    const { server, inbox, lines } = await startBench(t);
    server.say("before");
    server.socket.disconnect(reason, 300);
    await until(() => server.socket.opened === 2, "another connection");
    server.say("after");
    await inbox.count(2);
    await until(() => server.socket.connections === 1, "the first one is closed");
    assert.deepEqual(inbox.texts, ["before", "after"]);
    assert.ok(!lines.some((line) => line.startsWith("warn")), lines.join("\n"));
  });
}

test("a dropped connection and a server that is down lose nothing; an outage is logged once", async (t) => {
  const { server, inbox, lines } = await startBench(t);
  server.socket.drop();
  server.say("while there was none");
  await inbox.count(1);
  await server.stop();
  server.say("while it was down");
  await until(() => lines.some((line) => line.startsWith("warn")), "it says so");
  await server.start();
  await inbox.count(2);
  assert.deepEqual(lines.filter((line) => line.startsWith("warn")).length, 1, lines.join("\n"));
  assert.match(lines.join("\n"), /warn slack: cannot receive messages: .*ECONNREFUSED.*; retrying/);
  assert.match(lines.join("\n"), /info slack: receiving messages again/);
});

test("50 connections that end one after another: each message arrives once, and one connection is left", async (t) => {
  const { server, inbox } = await startBench(t, { timing: { longestPause: 20 } });
  server.socket.farewells.push(
    ...Array.from({ length: 50 }, (_, count) => (count % 2 === 0 ? "warning" : "refresh_requested")),
  );
  server.socket.drop();
  for (let count = 0; count < 50; count++) {
    await until(() => server.socket.opened > count, "another connection");
    server.say(`word-${count}`);
  }
  await until(() => server.socket.farewells.length === 0, "all have ended");
  await inbox.count(50);
  await until(() => server.socket.pending === 0 && server.socket.connections === 1, "one connection");
  assert.equal(new Set(inbox.received.map(({ message }) => message.message_id)).size, inbox.received.length);
  assert.equal(new Set(inbox.texts).size, 50);
});

test("a connection that is dead without saying so is replaced", async (t) => {
  const { server, inbox } = await startBench(t, { timing: { pongMs: 60 } });
  server.socket.deaf = true;
  server.socket.drop();
  await until(() => server.socket.opened >= 2, "a deaf connection");
  server.socket.deaf = false;
  await until(() => server.socket.opened >= 3, "it was replaced");
  server.say("alive");
  await inbox.count(1);
});

test("apps.connections.open obeys retry-after", async (t) => {
  const { server, inbox } = await startBench(t);
  server.misbehave("apps.connections.open", { status: 429, retryAfter: "1" }, { status: 429 });
  server.socket.drop();
  server.say("patience");
  await inbox.count(1);
  const [limited, next] = server.callsOf("apps.connections.open").slice(1);
  assert.ok(next!.at - limited!.at >= 980, `${next!.at - limited!.at} ms`);
});

test("an app token that is revoked while running is said once, and again when it works", async (t) => {
  const { server, inbox, warnings } = await startBench(t);
  server.appToken = "xapp-another";
  server.tokenError = "token_revoked";
  server.socket.disconnect("link_disabled");
  await until(() => server.callsOf("apps.connections.open").length >= 5, "it tries again and again");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /token_revoked.*Check gateway\.platforms\.slack\.app_token/);
  server.appToken = APP_TOKEN;
  server.say("hello");
  await inbox.count(1);
  await until(() => warnings.length === 2, "it says that it works");
  assert.match(warnings[1]!, /receiving messages again/);
});

test("Socket Mode that is turned off while running is said once", async (t) => {
  const { server, inbox, warnings } = await startBench(t);
  const off = { error: "not_allowed" };
  server.misbehave("apps.connections.open", off, off, off);
  server.socket.disconnect("link_disabled");
  server.say("hello");
  await until(() => warnings.length === 2, "it says that it works again");
  await inbox.count(1);
  assert.match(warnings[0]!, /not_allowed\. Turn on Socket Mode for the app/);
});

test("a bot token that is revoked while running is said once, and again when it works", async (t) => {
  const { server, adapter, warnings } = await startBench(t);
  server.botToken = "xoxb-another";
  server.tokenError = "token_revoked";
  await assert.rejects(adapter.send(DIRECT, "x"), /token_revoked/);
  await assert.rejects(adapter.send(DIRECT, "x"), /token_revoked/);
  await until(() => server.callsOf("auth.test").length >= 4, "it tries again and again");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /rejects the bot's token \(token_revoked\).*Check gateway\.platforms\.slack\.bot_token/);
  server.botToken = BOT_TOKEN;
  await until(() => warnings.length === 2, "it says that it works");
  assert.match(warnings[1]!, /accepts the bot's token again/);
  await adapter.send(DIRECT, "back");
});

test("a scope that is taken away while running is said once", async (t) => {
  const { server, adapter, warnings } = await startBench(t);
  server.scopes = [];
  for (let count = 0; count < 2; count++) await assert.rejects(adapter.send(DIRECT, "x"), /lacks the scope chat:write/);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /lacks the scope chat:write: add it at/);
});

test("a stop ends the connection, and it can be started again", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  await adapter.stop();
  await until(() => server.socket.connections === 0, "it is closed");
  await assert.rejects(adapter.send(DIRECT, "x"), { code: "HERMES_ADAPTER_SEND" });
  assert.throws(() => adapter.draft({ chat_id: DIRECT, thread_id: null }), { code: "HERMES_ADAPTER_SEND" });
  server.say("later");
  await adapter.start(inbox);
  await inbox.count(1);
  // Also in an outage.
  await server.stop();
  await adapter.stop();
});
