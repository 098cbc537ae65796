/** `discord`: starts, and the gateway connection through everything that can happen to it. */
import test from "node:test";
import assert from "node:assert/strict";
import { GatewayCloseCodes } from "discord-api-types/v10";
import type { DiscordAdapter } from "#gateway/adapters/discord/adapter";
import { ADA, directChannel } from "../../helpers/discord-shapes.ts";
import { TestInbox } from "../../helpers/inbox.ts";
import { until } from "../../helpers/poll.ts";
import { makeBench, startBench, type Bench } from "./discord-bench.ts";

async function startError(adapter: DiscordAdapter): Promise<{ code: string; message: string }> {
  return (await adapter.start(new TestInbox()).then(
    () => assert.fail("it started"),
    (error: unknown) => error,
  )) as { code: string; message: string };
}

/** Ends the connection in some way, and waits until it is back. */
async function lose({ server: { gateway } }: Bench, way: () => unknown): Promise<void> {
  const before = gateway.log.filter((one) => one === "Identify" || one === "Resume").length;
  way();
  await until(
    () => gateway.log.filter((one) => one === "Identify" || one === "Resume").length > before && gateway.isReady,
    "it is connected again",
  );
}

test("a connection that breaks is resumed, and nothing that was said meanwhile is lost", async (t) => {
  const bench = await startBench(t);
  const { server, inbox } = bench;
  server.say("before");
  await inbox.count(1);
  server.gateway.drop();
  server.say("meanwhile");
  server.say("and more");
  await inbox.count(3);
  await lose(bench, () => server.gateway.reconnect());
  await lose(bench, () => server.gateway.close(GatewayCloseCodes.UnknownError));
  await lose(bench, () => server.gateway.close(GatewayCloseCodes.SessionTimedOut));
  server.say("after");
  await inbox.count(4);
  assert.deepEqual(inbox.texts, ["before", "meanwhile", "and more", "after"]);
  assert.deepEqual([server.gateway.identified.length, server.gateway.resumed.length], [1, 4]);
});

test("a server that is down for a while: pauses grow, it is logged once, and nothing is lost", async (t) => {
  const { server, inbox, lines, warnings } = await startBench(t);
  await until(() => server.commands.length > 0, "the commands are registered");
  server.say("before");
  await inbox.count(1);
  await server.stop();
  server.say("while it was down");
  await until(() => lines.some((line) => line.startsWith("warn discord: cannot receive")), "it is logged");
  await server.start();
  await inbox.count(2);
  assert.deepEqual(inbox.texts, ["before", "while it was down"]);
  await until(() => lines.includes("info discord: receiving messages again"), "its end is logged");
  assert.match(
    lines.filter((line) => line.startsWith("warn")).join("\n"),
    /^warn discord: cannot receive messages: .*ECONN.*; retrying$/,
  );
  assert.deepEqual([warnings, server.gateway.identified.length], [[], 1]);
});

test("heartbeats without an answer: the connection is given up and the session resumed", async (t) => {
  const bench = await makeBench(t);
  const { server, adapter, inbox } = bench;
  server.gateway.heartbeatMs = 60;
  await adapter.start(inbox);
  await until(() => server.gateway.log.includes("Heartbeat"), "it beats");
  await lose(bench, () => (server.gateway.acknowledges = false));
  server.gateway.acknowledges = true;
  server.say("alive");
  await inbox.count(1);
  assert.equal(server.gateway.identified.length, 1);
});

test("sessions that Discord invalidates: a resumable one is resumed, another one replaced", async (t) => {
  const bench = await startBench(t);
  const { server, inbox } = bench;
  server.gateway.invalidate(true);
  await until(() => server.gateway.resumed.length === 1, "it is resumed");
  await lose(bench, () => server.gateway.invalidate(false));
  assert.deepEqual([server.gateway.identified.length, server.gateway.resumed.length], [2, 1]);
  server.say("after");
  await inbox.count(1);
});

test("a refused resume gets a new session", async (t) => {
  const bench = await startBench(t);
  const { server, inbox, warnings, lines } = bench;
  server.gateway.resumes = false;
  server.gateway.drop();
  await until(() => server.gateway.identified.length === 2 && server.gateway.isReady, "a new session");
  server.say("after");
  await inbox.count(1);
  assert.deepEqual([warnings, lines.filter((line) => line.startsWith("warn"))], [[], []]);
});

test("a connection that breaks while it is being made is made again with the same session", async (t) => {
  const { server, inbox } = await startBench(t);
  server.gateway.invalidations.push(true, true);
  server.gateway.drop();
  server.say("meanwhile");
  await inbox.count(1);
  assert.deepEqual([server.gateway.identified.length, server.gateway.resumed.length], [1, 3]);
});

test("reconnects in a row: every message arrives once and in order, with one session", async (t) => {
  const bench = await startBench(t);
  const { server, inbox } = bench;
  const { gateway } = server;
  const ways = [() => gateway.drop(), () => gateway.reconnect(), () => gateway.close(4000)];
  for (let count = 0; count < 6; count++) {
    await lose(bench, ways[count % 3]!);
    server.say(`message ${count}`);
  }
  await inbox.count(6);
  assert.deepEqual(
    inbox.texts,
    Array.from({ length: 6 }, (_, count) => `message ${count}`),
  );
  assert.equal(gateway.identified.length, 1);
  assert.equal(gateway.connections, 1);
});

test("a connection without a greeting is given up, and the session is resumed", async (t) => {
  const { server, inbox } = await startBench(t, { timing: { helloMs: 200 } });
  const { gateway } = server;
  gateway.silent = true;
  const before = gateway.log.length;
  gateway.drop();
  server.say("meanwhile");
  await until(() => gateway.log.indexOf("Upgrade", before) > 0, "it connects");
  await until(() => gateway.connections === 0, "it is given up");
  gateway.silent = false;
  await inbox.count(1);
  assert.equal(gateway.identified.length, 1);
});

test("a stop while a connection is being made: its failure afterwards harms nothing", async (t) => {
  const { server, adapter, inbox } = await startBench(t);
  const { gateway } = server;
  gateway.hangs = true;
  const before = gateway.log.length;
  gateway.drop();
  await until(() => gateway.log.indexOf("Upgrade", before) > 0, "it connects");
  await adapter.stop();
  // An error of the socket that nobody takes would end the process.
  await server.stop();
  await server.start();
  gateway.hangs = false;
  await adapter.start(inbox);
  server.say("again");
  await inbox.count(1);
});

test("new sessions are spaced, longer and longer", async (t) => {
  const bench = await startBench(t, { timing: { identify: { firstPause: 100, longestPause: 200 } } });
  const { server } = bench;
  const at: number[] = [performance.now()];
  for (let count = 0; count < 3; count++) {
    await lose(bench, () => server.gateway.invalidate(false));
    at.push(performance.now());
  }
  assert.equal(server.gateway.identified.length, 4);
  assert.ok(at[3]! - at[1]! >= 350, at.join(" "));
});

test("a token that is revoked: said once, retried, and said when it works again", async (t) => {
  const { server, inbox, warnings } = await startBench(t);
  const { token } = server;
  server.token = "another";
  server.gateway.close(GatewayCloseCodes.AuthenticationFailed);
  await until(() => server.gateway.identified.length >= 4, "it is tried again and again");
  assert.deepEqual(warnings, [
    "discord: cannot receive messages: Discord rejected the bot's token. Check gateway.platforms.discord.token; " +
      "retrying with increasing delays.",
  ]);
  server.token = token;
  await until(() => warnings.length === 2, "it works again");
  assert.equal(warnings[1], "discord: receiving messages again.");
  server.say("hello");
  await inbox.count(1);
});

test("intents that are switched off while it runs: said once, with where to switch them on", async (t) => {
  const { server, warnings } = await startBench(t);
  const { flags } = server;
  server.flags = 0;
  server.gateway.close(GatewayCloseCodes.DisallowedIntents);
  await until(() => server.gateway.identified.length >= 3, "it is tried again");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /Message Content Intent is off\. Switch on Message Content Intent at https:\/\/discord/);
  server.flags = flags;
  await until(() => server.gateway.isReady, "it works again");
});

test("a restarted gateway resumes the session, and gets what was said meanwhile", async (t) => {
  const { server, adapter, inbox, another } = await startBench(t);
  server.say("before");
  await inbox.count(1);
  await adapter.stop();
  server.say("while it was off");
  const next = another();
  await next.start(inbox);
  await inbox.count(2);
  assert.deepEqual(inbox.texts, ["before", "while it was off"]);
  await next.stop();
  server.gateway.invalidate(false);
  await another().start(inbox);
  assert.equal(server.gateway.identified.length, 2, "an ended session is replaced");
});

test("a session whose address is gone is resumed at Discord's usual one, also by the next start", async (t) => {
  const { server, adapter, inbox, another } = await makeBench(t);
  server.gateway.resumeUrl = "ws://127.0.0.1:1";
  await adapter.start(inbox);
  server.gateway.drop();
  server.say("meanwhile");
  await inbox.count(1);
  await adapter.stop();
  server.say("while it was off");
  await another().start(inbox);
  await inbox.count(2);
  assert.equal(server.gateway.identified.length, 1);
});

test("a server that is down: start says which one and why, and can be tried again", async (t) => {
  const { server, adapter, inbox } = await makeBench(t);
  await server.stop();
  const error = await startError(adapter);
  assert.equal(error.code, "HERMES_ADAPTER_START");
  assert.match(error.message, new RegExp(`${server.url} cannot be reached: .*ECONNREFUSED`));
  await server.start();
  await adapter.start(inbox);
  server.say("there you are");
  await inbox.count(1);
});

test("a wrong token, and none, are named by their setting", async (t) => {
  const { server, adapter } = await makeBench(t);
  server.token = "another";
  const wrong = await startError(adapter);
  assert.equal(wrong.code, "HERMES_ADAPTER_CONFIG");
  assert.match(
    wrong.message,
    /rejected the token \(401: Unauthorized \(401\)\)\. Check gateway\.platforms\.discord\.token/,
  );
  const { adapter: without } = await makeBench(t, { token: "" });
  const missing = await startError(without);
  assert.equal(missing.code, "HERMES_ADAPTER_CONFIG");
  assert.match(missing.message, /discord\.token is missing\. Get a token at https:\/\/discord\.com\/developers/);
});

test("a Message Content Intent that is off is said at the start, in one sentence", async (t) => {
  const { server, adapter } = await makeBench(t);
  server.flags = 0;
  const error = await startError(adapter);
  assert.equal(error.code, "HERMES_ADAPTER_START");
  assert.match(error.message, /Message Content Intent is off\. Switch on Message Content Intent at https:\/\/discord/);
});

test("a gateway that refuses, says nothing, or allows no more sessions: start fails, and can be tried again", async (t) => {
  const { server, adapter, inbox } = await makeBench(t, { timing: { startMs: 2000 } });
  const { token } = server;
  server.gateway.refuses = true;
  assert.match((await startError(adapter)).message, /Discord rejected the bot's token\. Check/);
  server.gateway.refuses = false;
  server.misbehave("GET /gateway/bot", {
    status: 200,
    body: { url: "wss://x", session_start_limit: { remaining: 0, reset_after: 120_000 } },
  });
  assert.match((await startError(adapter)).message, /connected too often today; Discord refuses it for 2 minutes/);
  server.misbehave("GET /gateway/bot", { status: 200, body: { url: "not a socket" } });
  assert.match((await startError(adapter)).message, /does not speak Discord's API/);
  server.misbehave("GET /gateway/bot", { status: 200, body: { url: "ws://127.0.0.1:1" } });
  assert.match((await startError(adapter)).message, /ECONNREFUSED/);
  await adapter.start(inbox);
  server.say("at last");
  await inbox.count(1);
  assert.equal(server.token, token);
});

test("a server without Discord's path, one that is not Discord's, and one that repeats the token", async (t) => {
  const { server, adapter, inbox, lines } = await makeBench(t);
  const { token } = server;
  server.misbehave(
    "GET /users/@me",
    "html",
    { status: 500, body: `broken at ${token}` },
    {
      status: 400,
      body: { message: `no ${token}`, code: 7 },
    },
  );
  assert.match((await startError(adapter)).message, /does not speak Discord's API/);
  assert.match((await startError(adapter)).message, /cannot be reached: Internal Server Error \(500\)/);
  assert.match((await startError(adapter)).message, /cannot be reached: no \[redacted\] \(7\)/);
  server.prefix = "/elsewhere";
  assert.match((await startError(adapter)).message, /does not have Discord's API, version 10/);
  server.prefix = "";
  await adapter.start(inbox);
  await adapter.send(directChannel(ADA), "hello");
  assert.deepEqual(server.textsIn(directChannel(ADA)), ["hello"]);
  assert.ok(!lines.join("\n").includes(token));
});
