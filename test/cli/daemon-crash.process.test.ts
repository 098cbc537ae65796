/** What was accepted survives a crash of the daemon, and what talks to its socket cannot hurt it. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "#core/home/database";
import { MOST_QUEUED } from "#core/ports/inbox";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";
import { gate, messagesOf, send, startDaemon } from "../helpers/daemon.ts";
import { Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { until } from "../helpers/poll.ts";

const AGAIN = "[delivered again after a crash]";

test("a message whose turn was killed is delivered again, marked; the rest of the queue follows", async (t) => {
  const home = new Home(t);
  const first = await startDaemon(t, home);
  const { message, entered, open } = gate(home, "killed");
  await send(home, first.name, message);
  await entered();
  await send(home, first.name, "behind it");
  first.kill("SIGKILL");
  await first.ended;
  open();
  const second = await startDaemon(t, home);
  await second.turns(2);
  assert.deepEqual(second.injected(), [`${AGAIN}\n\n${message}`, "behind it"]);
  assert.equal(second.frames()[0]!["resumed"], true);
  const states = (await messagesOf(home, first.name)).map(({ content, state }) => [content, state]);
  assert.deepEqual(states, [
    [message, "done"],
    ["behind it", "done"],
  ]);
});

test("after three cut turns a message has failed, and the next one is handled", async (t) => {
  const home = new Home(t);
  const held = [1, 2, 3].map((number) => gate(home, `cut-${number}`));
  // One turn that comes to another gate each time it is delivered.
  const message = "run `n=1; while [ -e cut-$n-entered ]; do n=$((n+1)); done; touch cut-$n-entered; sleep 1000`";
  for (const [index, { entered }] of held.entries()) {
    const daemon = await startDaemon(t, home);
    if (index === 0) await send(home, daemon.name, message);
    if (index === 0) await send(home, daemon.name, "next");
    await entered();
    daemon.kill("SIGKILL");
    await daemon.ended;
  }
  const last = await startDaemon(t, home);
  await last.turns(1);
  assert.deepEqual(last.injected(), ["next"]);
  assert.deepEqual(
    (await messagesOf(home, last.name)).map(({ state }) => state),
    ["failed", "done"],
  );
});

test("a full inbox is 1 and stores nothing", async (t) => {
  // It is filled by way of `state.db`.
  const home = new Home(t, { storage: "embedded" });
  const daemon = await startDaemon(t, home);
  const { message, entered } = gate(home, "full");
  await send(home, daemon.name, message);
  await entered();
  const database = openDatabase(join(home.path, "state.db"));
  const inbox = new EmbeddedInbox(database);
  const waiting = { session: daemon.name, source: "inject", label: "test", content: "x" } as const;
  for (let number = 0; number < MOST_QUEUED; number++) await inbox.add(waiting);
  database.close();
  const full = await runInProcess(home, ["send", "--name", daemon.name, "one more"]);
  assert.deepEqual([full.code, full.stdout], [1, ""]);
  assert.match(full.stderr, /The inbox of "watcher" is full: 1000 messages are waiting/);
  assert.equal((await messagesOf(home, daemon.name)).length, MOST_QUEUED + 1);
});

/** A client of the socket: what it says, and the lines that it gets. */
function connect(home: Home) {
  const run = join(home.path, "run");
  const socket = createConnection(
    join(
      run,
      readdirSync(run).find((name) => name.endsWith(".sock"))!,
    ),
  );
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => socket.destroy());
  const lines = () =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    socket,
    closed,
    lines,
    say: (line: unknown) => socket.write(`${typeof line === "string" ? line : JSON.stringify(line)}\n`),
    async gets(count: number) {
      await until(() => lines().length >= count, `${count} answers`);
      return lines();
    },
  };
}

test("garbage on the socket is answered, a line that never ends is cut off, and others don't notice", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home);
  const silent = connect(home);
  silent.socket.write('{"type": "send", "content": "half');
  const client = connect(home);
  const bad = [
    "",
    "{",
    "[]",
    "null",
    "\u0000",
    '{"type":"toString"}',
    '{"type":"send"}',
    '{"type":"send","content":5}',
  ];
  for (const line of [...bad, '{"type":"send","content":"  "}']) client.say(line);
  const refused = await client.gets(bad.length + 1);
  assert.deepEqual(new Set(refused.map(({ type }) => type)), new Set(["refused"]));
  client.say({ type: "status" });
  const status = (await client.gets(bad.length + 2)).at(-1)!;
  assert.deepEqual([status["type"], status["name"], status["state"]], ["status", daemon.name, "idle"]);
  const endless = connect(home);
  const piece = "x".repeat(1024 * 1024);
  for (let sent = 0; sent < 8; sent++) endless.socket.write(piece);
  await endless.closed;
  assert.equal((await runInProcess(home, ["send", "--name", daemon.name, "--wait", "hello"])).code, 0);
  silent.socket.destroy();
});

test("fifty clients that send at once are all answered, in order for each, and every message is handled once", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home);
  const clients = Array.from({ length: 50 }, () => connect(home));
  for (const [index, client] of clients.entries()) {
    for (const number of [1, 2, 3]) client.say({ type: "send", content: `${index}-${number}` });
  }
  const ids = await Promise.all(clients.map(async (client) => (await client.gets(3)).map(({ id }) => String(id))));
  const stored = new Map((await messagesOf(home, daemon.name)).map(({ id, content }) => [id, content]));
  for (const [index, own] of ids.entries()) {
    assert.deepEqual(
      own.map((id) => stored.get(id)),
      [1, 2, 3].map((number) => `${index}-${number}`),
    );
  }
  await daemon.turns(150);
  assert.deepEqual(new Set(daemon.injected()).size, 150);
  for (const { socket } of clients) socket.destroy();
});
