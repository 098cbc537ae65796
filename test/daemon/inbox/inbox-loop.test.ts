/** The loop that handles an inbox, with a runner whose turns a test ends. */
import assert from "node:assert/strict";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import type { Frame } from "#core/frames";
import type { AgentRunner, Session, TurnRequest, TurnResult } from "#core/ports/agent";
import { MOST_QUEUED, type InboxSource } from "#core/ports/inbox";
import { InboxLoop } from "#daemon/inbox/inbox-loop";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";
import { until } from "../../helpers/poll.ts";

const SESSION: Session = {
  id: "session",
  key: "daemon:s",
  platform: "daemon",
  source: "daemon",
  parent: null,
  started_at: null,
  updated_at: "",
};
const OK = { text: "answer", finish_reason: "stop", notice: null, duration_ms: 1 } as const;
const DONE: TurnResult = { ...OK, completed: true, interrupted: false, exit_code: 0 };
const INTERRUPTED: TurnResult = { ...DONE, text: null, completed: false, interrupted: true, exit_code: 130 };

interface HeldTurn {
  readonly request: TurnRequest;
  readonly end: (result: TurnResult) => void;
  readonly fail: (error: Error) => void;
  readonly injected: string[];
  /** False when the turn takes nothing more. */
  accepts: boolean;
}

function open(own: Partial<Pick<AgentRunner, "turn">> = {}) {
  const store = new EmbeddedInbox(openMemoryDatabase());
  const turns: HeldTurn[] = [];
  const frames: Frame[] = [];
  const problems: string[] = [];
  let running: HeldTurn | undefined;
  let answering: ((turn: HeldTurn) => void) | undefined;
  const onTurn = (answer: typeof answering) => void (answering = answer);
  const runner: Pick<AgentRunner, "turn" | "inject"> = {
    async turn(request) {
      const { promise, resolve: end, reject: fail } = Promise.withResolvers<TurnResult>();
      request.signal.addEventListener("abort", () => end(INTERRUPTED));
      running = { request, end, fail, injected: [], accepts: true };
      turns.push(running);
      answering?.(running);
      return promise.finally(() => (running = undefined));
    },
    inject(_session, message) {
      if (running?.accepts !== true) return false;
      running.injected.push(message);
      return true;
    },
    ...own,
  };
  const conversation = { session: () => SESSION };
  const silent = () => undefined;
  const error = (message: string) => void problems.push(message);
  const log = { debug: silent, info: silent, warn: silent, error, child: () => log };
  const loop = new InboxLoop({
    name: "s",
    store,
    holder: { pid: process.pid, start: null },
    session: () => conversation.session(),
    platform: "daemon",
    runner,
    order: () => "priority",
    onFrame: (frame) => frames.push(frame),
    beforeTurn: async () => undefined,
    tools: () => [],
    log,
  });
  async function post(source: InboxSource, content: string): Promise<string> {
    const added = await store.add({ session: "s", source, label: source, content });
    loop.wake(source);
    return added.kind === "stored" ? added.id : assert.fail(added.kind);
  }
  const turn = (index: number) => until(() => turns[index], `turn ${index} runs`);
  const stateOf = async (id: string) => (await store.get(id))?.state;
  const becomes = (id: string, state: string) => until(async () => (await stateOf(id)) === state, `${id} is ${state}`);
  return { store, loop, turns, frames, problems, conversation, onTurn, post, turn, stateOf, becomes };
}

test("one message is one turn, and whoever waits for it gets its answer", async () => {
  const { loop, turns, post, turn, becomes, stateOf } = open();
  loop.start();
  const first = await post("inject", "first");
  const handled = loop.whenHandled(first);
  const second = await post("webhook", "second");
  const { request, end } = await turn(0);
  assert.deepEqual([request.message, request.injected], ["first", { kind: "inject", label: "inject" }]);
  assert.deepEqual([loop.isRunning, turns.length, await stateOf(second)], [true, 1, "queued"]);
  end(DONE);
  assert.deepEqual(await handled, { text: "answer", problem: null });
  (await turn(1)).end({ ...DONE, text: null, completed: false, exit_code: 53 });
  await becomes(first, "done");
  await becomes(second, "failed");
  await loop.drain(1000);
});

test("reports and skills enter the running turn and end with it; other sources do not", async () => {
  const { loop, turns, post, turn, becomes, stateOf } = open();
  loop.start();
  await post("inject", "first");
  const running = await turn(0);
  const report = await post("background", "report");
  const skill = await post("skill", "skill");
  const other = await post("schedule", "other");
  await until(() => running.injected.length === 2, "both have entered");
  assert.deepEqual(running.injected, ["report", "skill"]);
  assert.deepEqual([await stateOf(report), await stateOf(other)], ["running", "queued"]);
  running.end(DONE);
  for (const id of [report, skill]) await becomes(id, "done");
  assert.equal((await turn(1)).request.message, "other");
  turns[1]!.end(DONE);
  await loop.drain(1000);
});

test("a message that cannot enter the running turn costs no write until its end", async (t) => {
  const { store, loop, turns, post, turn, becomes } = open();
  loop.start();
  await post("inject", "first");
  const running = await turn(0);
  const claim = t.mock.method(store, "claim");
  for (const source of ["inject", "webhook", "schedule"] as const) await post(source, source);
  const entered = await post("background", "report");
  await until(() => running.injected.length === 1, "the report has entered");
  assert.ok(claim.mock.calls.every(({ arguments: [options] }) => options.sources !== undefined));
  // One claim finds the report, the next one nothing.
  assert.equal(claim.mock.callCount(), 2);
  running.end(DONE);
  await becomes(entered, "done");
  for (let index = 1; index <= 3; index++) (await turn(index)).end(DONE);
  await until(() => turns.length === 4 && !loop.isRunning, "the others had their turns");
  await loop.drain(1000);
});

test("clients are served between the turns of a long queue, also when no turn waits for anything", async () => {
  let turns = 0;
  const { loop, post, becomes } = open({
    async turn() {
      turns++;
      return DONE;
    },
  });
  const ids: string[] = [];
  for (let index = 0; index < 20; index++) ids.push(await post("inject", String(index)));
  const served = [0];
  const serve = () => {
    served.push(turns);
    if (turns < ids.length) setImmediate(serve);
  };
  setImmediate(serve);
  loop.start();
  await becomes(ids.at(-1)!, "done");
  for (let index = 1; index < served.length; index++) assert.ok(served[index]! - served[index - 1]! <= 1);
  assert.equal(served.at(-1), ids.length);
  await loop.drain(1000);
});

test("what comes too late for a turn gets one of its own", async () => {
  const { loop, post, turn, becomes } = open();
  loop.start();
  await post("inject", "first");
  const running = await turn(0);
  running.accepts = false;
  const report = await post("background", "report");
  running.end(DONE);
  const next = await turn(1);
  assert.equal(next.request.message, "report", "it is not marked: no turn of it was cut");
  next.end(DONE);
  await becomes(report, "done");
  await loop.drain(1000);
});

test("a turn that outlasts the drain is cut with all that entered it, and delivered again, marked", async () => {
  const { loop, store, post, turn, stateOf } = open();
  loop.start();
  const first = await post("inject", "first");
  const running = await turn(0);
  const report = await post("background", "report");
  await until(() => running.injected.length === 1, "it has entered");
  const handled = loop.whenHandled(first);
  const later = await post("inject", "later");
  await loop.drain(0);
  assert.deepEqual(await handled, { text: null, problem: "it was interrupted" });
  assert.deepEqual(await Promise.all([first, report, later].map(stateOf)), ["queued", "queued", "queued"]);
  const claimed = await store.claim({ session: "s", holder: { pid: 1, start: null }, order: "fifo" });
  assert.deepEqual([claimed?.id, claimed?.cuts], [first, 1]);
});

test("a turn that cannot run is an error and a result, and the loop goes on", async () => {
  const { loop, frames, post, turn, becomes } = open();
  loop.start();
  const first = await post("inject", "first");
  (await turn(0)).fail(new Error("no disk"));
  await becomes(first, "failed");
  assert.deepEqual(
    frames.map(({ type }) => type),
    ["error", "result"],
  );
  const second = await post("inject", "second");
  (await turn(1)).end(DONE);
  await becomes(second, "done");
  await loop.drain(1000);
});

test("an inbox that cannot be read is tried again", async () => {
  const { loop, store, problems, post, turn, becomes } = open();
  const { claim } = store;
  store.claim = () => Promise.reject(new Error("database is locked"));
  loop.start();
  const first = await post("inject", "first");
  await until(() => problems.length > 0, "it was said");
  store.claim = claim;
  (await turn(0)).end(DONE);
  await becomes(first, "done");
  await loop.drain(1000);
});

test("an end that cannot be stored is tried again, and the turn does not run twice", async () => {
  const { loop, store, problems, turns, post, turn, becomes } = open();
  const { end } = store;
  store.end = () => Promise.reject(new Error("database is locked"));
  loop.start();
  const first = await post("inject", "first");
  const handled = loop.whenHandled(first);
  (await turn(0)).end(DONE);
  await until(() => problems.length > 0, "it was said");
  store.end = end;
  await becomes(first, "done");
  assert.deepEqual(await handled, { text: "answer", problem: null });
  const second = await post("inject", "second");
  (await turn(1)).end(DONE);
  await becomes(second, "done");
  assert.equal(turns.length, 2);
  await loop.drain(1000);
});

test("a message whose turn cannot begin is given back, and comes next", async () => {
  const { loop, problems, post, turn, becomes, conversation } = open();
  const { session } = conversation;
  conversation.session = () => {
    throw new Error("database is locked");
  };
  loop.start();
  const first = await post("inject", "first");
  await until(() => problems.length > 0, "it was said");
  await becomes(first, "queued");
  conversation.session = session;
  const begun = await turn(0);
  assert.equal(begun.request.message, "first", "no crash has cut it");
  begun.end(DONE);
  await becomes(first, "done");
  await loop.drain(1000);
});

test("of 2,500 messages the first thousand wait, the next is refused, and each is one turn, in order", async () => {
  const { loop, store, turns, onTurn } = open();
  const [count, burst] = [2500, 50];
  let number = 0;
  const add = async () => {
    const { kind } = await store.add({ session: "s", source: "inject", label: "send", content: String(number) });
    if (kind === "stored") number++;
    return kind;
  };
  while ((await add()) === "stored");
  assert.equal(number, MOST_QUEUED);
  assert.equal(await add(), "full");
  let reached = Promise.withResolvers<void>();
  onTurn(({ end }) => {
    end(DONE);
    if (turns.length === number) reached.resolve();
  });
  loop.start();
  for (;;) {
    await reached.promise;
    if (number === count) break;
    reached = Promise.withResolvers();
    for (let added = 0; added < burst; added++) assert.equal(await add(), "stored");
    loop.wake();
  }
  await loop.drain(1000);
  assert.equal((await store.list("s", { state: "done" })).length, count);
  assert.deepEqual(
    turns.map(({ request }) => request.message),
    Array.from({ length: count }, (_, index) => String(index)),
  );
});
