/** What is kept of a firing, and when it is written. */
import assert from "node:assert/strict";
import test from "node:test";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
import { openMemoryDatabase } from "#core/home/database";
import type { Log } from "#core/home/log";
import { createRedactor } from "#core/home/redact";
import type { Hook } from "#core/ports/hook";
import type { NewRecording, Recording } from "#core/ports/recordings";
import { FiringRecorder, type RecorderOptions } from "#daemon/recordings/recorder";
import { EmbeddedRecordings } from "#daemon/storage/embedded-recordings";

const SECRET = "hunter2-hunter2";
const CALL = { ...EVENTS.pre_tool_call.sample(), session_id: "s1" };
const errors: string[] = [];
const say = (sentence: string) => void errors.push(sentence);
const log: Log = { debug: say, info: say, warn: say, error: say, child: () => log };

function open(store?: RecorderOptions["store"]) {
  const database = openMemoryDatabase();
  const recordings = new EmbeddedRecordings(database);
  const redact = createRedactor({ MY_TOKEN: SECRET });
  const recorder = new FiringRecorder({ store: store ?? recordings, redact, log, surface: "cli" });
  const dispatcher = new HookDispatcher();
  dispatcher.listen("pre_tool_call", (payload, origin) => recorder.watch("pre_tool_call", payload, origin));
  const all = async (): Promise<readonly Recording[]> => {
    await recorder.flush();
    return Array.fromAsync(recordings.read({}));
  };
  return { database, recorder, dispatcher, recordings, all };
}

function hook(name: string, run: Hook["run"]): Hook {
  const fixed = { source: "plugin", command: null, onFailure: "skip", deadlineSeconds: 5 } as const;
  return { ...fixed, name, event: "pre_tool_call", sideBySide: false, background: false, matches: () => true, run };
}

test("a firing without hooks is recorded, with its payload and origin", async () => {
  const { dispatcher, all } = open();
  const origin = { user_session_id: "s0", agent: { id: "a", type: "child" } };
  assert.deepEqual(dispatcher.invoke_hook("pre_tool_call", CALL, { origin }), { kind: "pass" });
  const [recording, ...others] = await all();
  assert.deepEqual(others, []);
  assert.deepEqual(JSON.parse(recording!.payload), CALL);
  const { event, session_id, tool_name, outcome, answer, redacted, truncated, runs } = recording!;
  assert.deepEqual(
    { event, session_id, tool_name, outcome, answer, redacted, truncated, runs },
    {
      event: "pre_tool_call",
      session_id: "s1",
      tool_name: CALL.tool_name,
      outcome: "pass",
      answer: null,
      redacted: false,
      truncated: false,
      runs: [],
    },
  );
  assert.deepEqual(recording!.origin, origin);
  assert.ok(Math.abs(recording!.at - Date.now()) < 60_000);
});

test("what the hooks decided is recorded with their runs; the caller gets it as before", async () => {
  const { dispatcher, all } = open();
  dispatcher.register(hook("editor", () => ({ answer: { action: "modify", args: { command: "ls" } } })));
  dispatcher.register(hook("later", async () => ({ answer: { action: "block", message: `no ${SECRET}` } })));
  const decision = await dispatcher.invoke_hook("pre_tool_call", CALL);
  assert.deepEqual(decision, { kind: "block", message: `no ${SECRET}` });
  const [{ outcome, runs, payload, answer }] = (await all()) as [Recording];
  assert.equal(outcome, "block");
  assert.equal(answer, null);
  assert.deepEqual(JSON.parse(payload), CALL);
  assert.deepEqual(
    runs.map(({ name, outcome: one, detail, background }) => [name, one, detail, background]),
    [
      ["editor", "modify", null, false],
      ["later", "block", "no [redacted]", false],
    ],
  );
});

test("a secret is removed from a payload, which is marked", async () => {
  const { dispatcher, all } = open();
  const args = { command: `curl -H "Authorization: ${SECRET}"`, api_key: "short" };
  void dispatcher.invoke_hook("pre_tool_call", { ...CALL, args });
  void dispatcher.invoke_hook("pre_tool_call", { ...CALL, args: { command: `echo ${SECRET}` } });
  const recordings = await all();
  assert.equal(recordings.length, 2);
  for (const { payload, redacted, truncated } of recordings) {
    assert.ok(!payload.includes(SECRET) && !payload.includes("short"), payload);
    assert.deepEqual([redacted, truncated], [true, false]);
  }
});

test("a large payload is shortened and marked", async () => {
  const { dispatcher, all } = open();
  void dispatcher.invoke_hook("pre_tool_call", { ...CALL, args: { content: "x".repeat(3_000_000) } });
  const [{ payload, truncated, redacted }] = (await all()) as [Recording];
  assert.deepEqual([truncated, redacted], [true, false]);
  assert.ok(payload.length < 600_000);
  assert.match((JSON.parse(payload) as { args: { content: string } }).args.content, /^x{1000}.*more characters\)$/);
});

test("a payload that cannot be read is no reason for a firing to fail", async () => {
  const { dispatcher, all } = open();
  const args: Record<string, unknown> = {};
  args["self"] = args;
  Object.defineProperty(args, "trap", { enumerable: true, get: () => assert.fail("trapped") });
  assert.deepEqual(dispatcher.invoke_hook("pre_tool_call", { ...CALL, args }), { kind: "pass" });
  assert.match((await all())[0]!.payload, /unreadable/);
});

test("many firings are one write; what cannot be written is written later", async () => {
  const writes: (readonly NewRecording[])[] = [];
  let isFull = true;
  const { dispatcher, recorder } = open({
    async add(batch) {
      if (isFull) throw new Error("disk full");
      writes.push(batch);
    },
    prune: async () => undefined,
  });
  for (let count = 0; count < 50; count++) void dispatcher.invoke_hook("pre_tool_call", CALL);
  await recorder.flush();
  assert.deepEqual(writes, []);
  assert.match(errors.join("\n"), /cannot be recorded yet: disk full/);
  isFull = false;
  void dispatcher.invoke_hook("pre_tool_call", CALL);
  await recorder[Symbol.asyncDispose]();
  assert.deepEqual(
    writes.map(({ length }) => length),
    [51],
  );
});

test("old recordings and the oldest of too many are deleted", async () => {
  const { recorder, recordings, dispatcher, all } = open();
  const old = { ...blank("s1", 1000), payload: "{}" };
  await recordings.add([old, ...[1, 2, 3].map((back) => blank(`s${back}`, Date.now() - back * 1000))]);
  recorder.limits = { keepDays: 1, maxMb: 2.5 };
  void dispatcher.invoke_hook("pre_tool_call", CALL);
  const kept = await all();
  assert.deepEqual(
    kept.map(({ session_id }) => session_id),
    ["s2", "s1", "s1"],
  );
  assert.equal(await recordings.count({ session: "s1" }), 2);
  assert.equal(await recordings.count({ since: Date.now() - 1500, event: "pre_tool_call" }), 2);
  assert.equal(await recordings.count({ event: "post_tool_call" }), 0);
});

test("what was recorded of a session is deleted with it", async () => {
  const { database, recordings } = open();
  database.exec(`INSERT INTO sessions (id, platform, source, created_at, updated_at)
    VALUES ('s1', 'cli', 'cli', '', ''), ('s2', 'cli', 'cli', '', '')`);
  await recordings.add(["s1", "s2", "s1"].map((session) => blank(session, 1, "{}")));
  database.exec("DELETE FROM sessions WHERE id = 's1'");
  assert.deepEqual([await recordings.count({ session: "s1" }), await recordings.count({})], [0, 1]);
});

test("more recordings than fit into a piece are read once each, by time", async () => {
  const { recordings } = open();
  await recordings.add(Array.from({ length: 250 }, (_, index) => blank(String(index % 7), 1000 - (index % 10), "{}")));
  const read = await Array.fromAsync(recordings.read({}));
  assert.equal(new Set(read.map(({ number }) => number)).size, 250);
  assert.deepEqual(
    read,
    read.toSorted((a, b) => a.at - b.at || a.number - b.number),
  );
});

function blank(session_id: string, at: number, payload = JSON.stringify("x".repeat(1024 * 1024))): NewRecording {
  const marks = { outcome: "pass", answer: null, redacted: false, truncated: false } as const;
  return {
    at,
    event: "pre_tool_call",
    session_id,
    tool_name: null,
    ...marks,
    runs: [],
    origin: null,
    surface: null,
    payload,
  };
}
