/** Dashboards that are killed, stopped and started again while events flow: real processes, real signals. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { is_active, start_if_dashboard_available, stop, type Forwarder } from "#core/forwarder";
import { HookRegistry } from "#core/registry";
import { emptyHome } from "../../helpers/fake-dashboard.ts";
import { ROOT } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";

class Recorder {
  readonly home: string;
  readonly #t: TestContext;
  readonly #file: string;

  constructor(t: TestContext) {
    this.#t = t;
    this.home = emptyHome(t);
    this.#file = join(this.home, "received");
  }

  async start(): Promise<ChildProcess> {
    const program = join(ROOT, "test/fixtures/dashboards/recorder.ts");
    const child = spawn(process.execPath, [program, this.home, this.#file], { stdio: ["pipe", "pipe", "inherit"] });
    this.#t.after(() => child.kill("SIGKILL"));
    let ready = false;
    child.stdout.once("data", () => (ready = true));
    await until(() => ready, "the dashboard is ready");
    return child;
  }

  #lines(): number[][] {
    const text = existsSync(this.#file) ? readFileSync(this.#file, "utf8") : "";
    // A kill in the midst of a line leaves half of it, which was not answered.
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .slice(0, -1)
      .map((line) => line.split(" ").map(Number));
  }

  /** The numbers of all frames, in the order in which they came. */
  received(): number[] {
    return this.#lines().flatMap(([, ...numbers]) => numbers);
  }

  /** The sender's total of drops, as it told last. */
  dropped(): number {
    return this.#lines().at(-1)?.[0] ?? 0;
  }
}

function forwardTo(t: TestContext, home: string) {
  const registry = new HookRegistry();
  const log: string[] = [];
  const say = (sentence: string) => void log.push(sentence);
  const forwarder = start_if_dashboard_available(registry, { src: "test", home, env: {}, warn: say, log: say });
  t.after(stop);
  assert.ok(forwarder !== null);
  let next = 0;
  let most = 0;
  const emit = (count: number) => {
    for (let turn = 0; turn < count; turn++) registry.emit_sync("agent:step", { n: next++ });
    most = Math.max(most, forwarder.waiting);
  };
  return { forwarder, log, emit, emitted: () => next, most: () => most };
}

const allSent = (forwarder: Forwarder) => until(() => forwarder.waiting === 0, "all is sent", { withinMs: 60_000 });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("killed with -9 and started again with a new token: what was not accepted arrives, drops are exact", async (t) => {
  const recorder = new Recorder(t);
  let child = await recorder.start();
  const { forwarder, emit, emitted, most } = forwardTo(t, recorder.home);
  for (let life = 0; life < 3; life++) {
    const before = recorder.received().length;
    emit(300);
    await until(() => recorder.received().length > before, "events arrive");
    emit(300);
    child.kill("SIGKILL");
    for (let round = 0; round < 10; round++) {
      emit(200);
      await pause(5);
    }
    assert.ok(is_active(), "a dashboard that was killed leaves its file");
    child = await recorder.start();
    await allSent(forwarder);
  }
  emit(1);
  await allSent(forwarder);
  const distinct = new Set(recorder.received());
  assert.equal(distinct.size + forwarder.dropped, emitted());
  assert.equal(recorder.dropped(), forwarder.dropped);
  assert.ok(forwarder.dropped > 0);
  assert.ok(most() <= 1024);
});

test("stopped and resumed: the queue stays in its bounds, nothing comes twice or out of order, drops are exact", async (t) => {
  const recorder = new Recorder(t);
  const child = await recorder.start();
  const { forwarder, log, emit, emitted, most } = forwardTo(t, recorder.home);
  emit(100);
  await until(() => recorder.received().length === 100, "the first events");
  child.kill("SIGSTOP");
  const isFull = () => {
    emit(20);
    return most() === 1024 && log.length > 0;
  };
  await until(isFull, "the queue is full, and the minute's line is logged");
  emit(1000);
  assert.match(log[0]!, /did not answer within 2 s/);
  child.kill("SIGCONT");
  await allSent(forwarder);
  emit(10);
  await allSent(forwarder);
  const received = recorder.received();
  assert.deepEqual(
    received,
    received.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(received).size, received.length);
  assert.equal(received.length + forwarder.dropped, emitted());
  assert.equal(recorder.dropped(), forwarder.dropped);
  assert.ok(forwarder.dropped > 0);
  assert.equal(most(), 1024);
  assert.equal(log.length, 1);
});
