/** `api_server` of a real gateway: session ids, a drain, a crash, a conversation of sixty turns. */
import test from "node:test";
import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";

const HEADER = "x-hermes-session-id";

test("the header answers with the session's id, and takes ids and names", async (t) => {
  const gateway = await startGateway(t, new Home(t), { config: API_SERVER });
  const idOf = async (text: string, session?: string) => (await gateway.say(text, session)).headers.get(HEADER)!;
  const named = await idOf("hello", "notes");
  assert.equal(await idOf("again", named), named);
  assert.equal(await idOf("again", "notes"), named);
  const stateless = await idOf("hello");
  assert.notEqual(stateless, named);
  assert.equal(await idOf("more", stateless), stateless);
  assert.equal(await idOf("/status", "notes"), named);
  assert.equal(await idOf("/status", stateless), stateless);
  const renewed = await idOf("/new", named);
  assert.notEqual(renewed, named);
  assert.equal(await idOf("hello", renewed), renewed);
  assert.equal(await idOf("hello", "notes"), renewed);
  assert.equal(await idOf("back again", named), named);
});

test("health is 503 while a turn ends after SIGTERM, and 200 before", async (t) => {
  const home = new Home(t);
  const gateway = await startGateway(t, home, { config: API_SERVER });
  const go = join(home.work, "go");
  const asked = gateway.say(`run \`touch begun; until [ -e ${go} ]; do sleep 0.05; done; echo over\``);
  await until(() => existsSync(join(home.work, "begun")), "the turn runs");
  const health = async () => {
    const response = await fetch(`${gateway.url}/v1/health`);
    return [response.status, await response.json()];
  };
  assert.deepEqual(await health(), [200, { status: "ok" }]);
  gateway.kill("SIGTERM");
  await until(async () => (await health())[0] === 503, "the gateway drains");
  assert.deepEqual(await health(), [503, { status: "draining" }]);
  assert.equal((await gateway.say("hello")).status, 503);
  home.write("../work/go", "");
  assert.match((await asked).text, /over/);
  assert.equal((await gateway.ended).code, 0);
});

test("a request whose turn a crash cut can be sent again with its Idempotency-Key; a finished one is not run again", async (t) => {
  const home = new Home(t);
  const send = (url: string, content: string, key: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify({ messages: [{ role: "user", content }] }),
    });
  const first = await startGateway(t, home, { config: API_SERVER });
  const finished = await send(first.url, "run `echo x >> finished`", "k1");
  const answer = await finished.text();
  const cut = send(first.url, "run `echo x >> cut; [ -e again ] || sleep 600`", "k2");
  await until(() => existsSync(join(home.work, "cut")), "the second turn runs");
  first.kill("SIGKILL");
  await assert.rejects(cut);
  await first.ended;
  home.write("../work/again", "");
  const second = await startGateway(t, home);
  assert.equal(await (await send(second.url, "run `echo x >> finished`", "k1")).text(), answer);
  assert.equal((await send(second.url, "run `echo x >> cut; [ -e again ] || sleep 600`", "k2")).status, 200);
  assert.equal(home.read("../work/finished"), "x\n");
  assert.equal(home.read("../work/cut"), "x\nx\n");
});

test("a chat of sixty turns whose client sends all of it each time is stored once", async (t) => {
  const home = new Home(t);
  const gateway = await startGateway(t, home, { config: API_SERVER });
  const size = () =>
    ["state.db", "state.db-wal"].reduce(
      (sum, file) => sum + (home.has(file) ? statSync(join(home.path, file)).size : 0),
      0,
    );
  const before = size();
  const messages = [{ role: "system", content: "Be brief." }];
  for (let turn = 0; turn < 60; turn++) {
    messages.push({ role: "user", content: `turn ${turn}: ${"lorem ipsum dolor sit amet ".repeat(75)}` });
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages }),
    });
    const { choices } = (await response.json()) as { choices: { message: { role: string; content: string } }[] };
    messages.push(choices[0]!.message);
  }
  gateway.kill("SIGTERM");
  await gateway.ended;
  const { stdout } = await home.run(["sessions", "list", "--json"]);
  const { sessions } = JSON.parse(stdout) as { sessions: { message_count: number }[] };
  assert.deepEqual(
    sessions.map(({ message_count }) => message_count),
    [120],
  );
  // It was 70 times the chat when each request was a session of its own.
  assert.ok(size() - before < 4 * JSON.stringify(messages).length, `${size() - before} bytes`);
});
