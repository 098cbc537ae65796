/** What counts as a difference between a recorded firing and its replay. */
import assert from "node:assert/strict";
import test from "node:test";
import { HookDispatcher } from "#core/dispatch";
import { HookRegistry } from "#core/registry";
import { EVENTS } from "#core/events";
import { openMemoryDatabase } from "#core/home/database";
import type { HookReply } from "#core/ports/hook";
import { FiringRecorder } from "#daemon/recordings/recorder";
import { EmbeddedRecordings } from "#daemon/storage/embedded-recordings";
import { replayFirings, type ReplayReport } from "#daemon/recordings/replay";

type Answer = (args: Readonly<Record<string, unknown>>) => unknown;
type Hooks = Readonly<Record<string, Answer>>;

const redact = (text: string) => text.replaceAll("SECRET", "[redacted]");
const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

function dispatcherOf(hooks: Hooks): HookDispatcher {
  const dispatcher = new HookDispatcher();
  for (const [name, answer] of Object.entries(hooks)) {
    dispatcher.register({
      source: "plugin",
      name,
      command: null,
      event: "pre_tool_call",
      onFailure: "skip",
      deadlineSeconds: 5,
      sideBySide: false,
      background: false,
      matches: () => true,
      run: ({ payload }): HookReply => ({ answer: answer((payload as { args: Record<string, unknown> }).args) }),
    });
  }
  return dispatcher;
}

/** Records calls with these arguments at some hooks, and replays them at others. */
async function replay(calls: readonly object[], then: Hooks, now: Hooks, hook?: string): Promise<ReplayReport> {
  const store = new EmbeddedRecordings(openMemoryDatabase());
  const recorder = new FiringRecorder({ store, redact, log, surface: "cli" });
  const before = dispatcherOf(then);
  before.listen("pre_tool_call", (payload, origin) => recorder.watch("pre_tool_call", payload, origin));
  for (const args of calls) {
    await before.invoke_hook("pre_tool_call", { ...EVENTS.pre_tool_call.sample(), args: { ...args } });
  }
  await recorder.flush();
  const { signal } = new AbortController();
  return replayFirings(store.read({}), {
    dispatcher: dispatcherOf(now),
    registry: new HookRegistry(),
    hook,
    redact,
    signal,
    onProgress() {},
  });
}

const block = (message: string) => () => ({ action: "block", message });
const modify = (args: object) => () => ({ action: "modify", args });
const changesOf = ({ changed }: ReplayReport) =>
  changed.map(({ recorded, now, hook, message }) => [recorded, now, hook, message]);

test("another message of a block is no difference; a new block and a lost one are", async () => {
  const calls = [{ command: "a" }];
  const hooks = { added: [], removed: [] };
  const same = await replay(calls, { g: block("one") }, { g: block("two") });
  assert.deepEqual(same, { firings: 1, same: 1, changed: [], hooks });
  assert.deepEqual(changesOf(await replay(calls, {}, { g: block("SECRET two") })), [
    ["pass", "block", "g", "[redacted] two"],
  ]);
  assert.deepEqual(changesOf(await replay(calls, { g: block("one") }, {})), [["block", "pass", "g", "one"]]);
});

test("other arguments are a difference, in another order they are not", async () => {
  const then = { g: modify({ a: 1, b: 2 }) };
  assert.equal((await replay([{}], then, { g: modify({ b: 2, a: 1 }) })).same, 1);
  assert.deepEqual(changesOf(await replay([{}], then, { g: modify({ a: 1, b: 3 }) })), [
    ["modify", "modify", "g", "The changed arguments differ."],
  ]);
});

test("a hook that fails now makes a difference", async () => {
  const fails = () => {
    throw new Error("broken");
  };
  const [change] = (await replay([{}], { g: () => null }, { g: fails })).changed;
  assert.deepEqual([change?.recorded, change?.now, change?.hook], ["pass", "error", "g"]);
  assert.match(change?.message ?? "", /broken/);
});

test("a payload without its secret is marked, and its contents are not compared", async () => {
  const calls = [{ command: "echo SECRET" }];
  const upper = (args: Readonly<Record<string, unknown>>) => modify({ command: `${String(args["command"])}!` })();
  assert.equal((await replay(calls, { g: upper }, { g: upper })).same, 1);
  const [change] = (await replay(calls, {}, { g: block("no") })).changed;
  assert.equal(change?.redacted, true);
  assert.ok(!("truncated" in change));
});

test("with a hook, only its runs are compared", async () => {
  const then = { first: () => null, second: block("no") };
  const now = { first: block("new"), second: block("no") };
  assert.deepEqual(changesOf(await replay([{}], then, now)), []);
  assert.deepEqual(changesOf(await replay([{}], then, now, "first")), [["pass", "block", "first", "new"]]);
  assert.deepEqual(changesOf(await replay([{}], then, now, "second")), [["block", "pass", "second", "no"]]);
});

test("hooks that only ran then, and those that only run now, are named", async () => {
  const then = { SECRET: () => null, both: () => null, gone: () => null };
  const { hooks } = await replay([{}, {}], then, { SECRET: () => null, both: () => null, later: () => null });
  assert.deepEqual(hooks, { added: ["later"], removed: ["gone"] });
});

test("an interrupted replay ends", async () => {
  const store = new EmbeddedRecordings(openMemoryDatabase());
  const marks = { outcome: "pass", answer: null, redacted: false, truncated: false } as const;
  const facts = {
    at: 1,
    event: "pre_tool_call",
    session_id: "s",
    tool_name: null,
    runs: [],
    origin: null,
    surface: null,
  } as const;
  await store.add(Array.from({ length: 10 }, () => ({ ...facts, ...marks, payload: "{}" })));
  const stop = new AbortController();
  const onProgress = (firings: number) => void (firings === 3 && stop.abort());
  const options = {
    dispatcher: new HookDispatcher(),
    registry: new HookRegistry(),
    redact,
    signal: stop.signal,
    onProgress,
  };
  await assert.rejects(replayFirings(store.read({}), options), { code: "HERMES_INTERRUPTED" });
});
