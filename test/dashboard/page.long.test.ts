/**
 * The page under load: 200 events a second for five minutes (or PAGE_SOAK_SECONDS) while a person uses it. Memory
 * stays flat and input is answered; how quickly is reported.
 */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import type { CDPSession, Page } from "playwright-core";
import { openTab, startBrowser } from "../helpers/browser.ts";
import { TestDashboard } from "../helpers/dashboard.ts";
import { Conversation, type EventFrame } from "../helpers/dashboard-events.ts";

const SECONDS = Number(process.env["PAGE_SOAK_SECONDS"] ?? 300);
const PER_SECOND = 200;
const BATCHES_PER_SECOND = 10;
const SAMPLES = 6;
/** What an answer to input may take at worst on a busy machine; the aim is 100 ms, and the figure is reported. */
const MOST_P95_MS = 500;

test(`${PER_SECOND} events a second for ${SECONDS} s: memory flat, input answered`, async (t) => {
  const dashboard = await TestDashboard.start(t);
  const tab = await openTab(await startBrowser(t, ["--enable-precise-memory-info"]));
  await tab.page.addInitScript(OBSERVE_INPUT);
  const inspector = await tab.context.newCDPSession(tab.page);
  await tab.page.goto(dashboard.dashboard.signInUrl());
  await tab.page.locator("#connection", { hasText: "Live" }).waitFor();

  // Only a full page can be flat: 10,000 events, sessions, turns and items at their bounds.
  const supply = endlessFrames();
  await post(dashboard, supply, 40_000);
  await tab.page.locator("#feed-count", { hasText: "10,000" }).waitFor();

  const sender = sendSteadily(dashboard, supply, SECONDS);
  const samples: Sample[] = [];
  const started = performance.now();
  for (let round = 0; round < SAMPLES; round++) {
    const end = started + ((round + 1) * SECONDS * 1000) / SAMPLES;
    while (performance.now() < end) await useThePage(tab.page);
    samples.push(await sample(inspector));
  }
  const sent = await sender;
  await report(t, tab.page, samples, sent);
  assert.deepEqual(tab.errors, []);
});

/** A second or so of a person's work. Every one of these gives the page something to draw. */
async function useThePage(page: Page): Promise<void> {
  for (const key of ["j", "j", "k", "Enter", "j", "Escape", "Escape", "p", "p"]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(40);
  }
  await page.keyboard.press("/");
  await page.keyboard.type("hook", { delay: 40 });
  await page.waitForTimeout(150);
  await page.getByRole("button", { name: "Clear filter" }).click();
  await page.locator("#sessions-list .session").nth(2).click();
  await page.keyboard.press("Escape");
  await page.locator("#rows").evaluate((list) => list.scrollTo(0, 3000));
  await page.waitForTimeout(100);
  await page.locator("#rows").evaluate((list) => list.scrollTo(0, 0));
}

interface Sample {
  readonly heap: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** What is in use after everything that can be collected was. */
async function sample(inspector: CDPSession): Promise<Sample> {
  await inspector.send("HeapProfiler.collectGarbage");
  const { usedSize } = await inspector.send("Runtime.getHeapUsage");
  const { nodes, jsEventListeners } = await inspector.send("Memory.getDOMCounters");
  return { heap: usedSize / 1024 / 1024, nodes, listeners: jsEventListeners };
}

async function report(t: TestContext, page: Page, samples: readonly Sample[], sent: number): Promise<void> {
  const { times, inputs } = (await page.evaluate("globalThis.inputTimes")) as { times: number[]; inputs: number };
  // What is painted within 16 ms is not told one by one.
  const all = [...times, ...Array.from({ length: Math.max(0, inputs - times.length) }, () => 16)].toSorted(
    (a, b) => a - b,
  );
  const at = (share: number) => all[Math.ceil(all.length * share) - 1] ?? Number.NaN;
  t.diagnostic(`${sent} events in ${SECONDS} s, ${(sent / SECONDS).toFixed(0)} a second`);
  t.diagnostic(`input to paint of ${all.length} inputs: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`);
  for (const { heap, nodes, listeners } of samples) {
    t.diagnostic(`heap ${heap.toFixed(1)} MiB, ${nodes} nodes, ${listeners} listeners`);
  }
  assert.ok(all.length > SECONDS, `${all.length} inputs`);
  assert.ok(sent > 0.8 * SECONDS * PER_SECOND, `${sent} events`);
  assert.ok(at(0.95) < MOST_P95_MS, `p95 ${at(0.95)} ms`);
  const [first] = samples;
  const last = samples.at(-1);
  assert.ok(first && last);
  assert.ok(last.heap < first.heap * 1.15 + 2, `the heap grew from ${first.heap} to ${last.heap} MiB`);
  assert.ok(last.nodes < first.nodes * 1.5 + 500, `from ${first.nodes} to ${last.nodes} nodes`);
  assert.ok(last.listeners < first.listeners * 1.5 + 100, `from ${first.listeners} to ${last.listeners} listeners`);
}

/** Conversations of several processes, one event of each by turns, new sessions all the time. */
function* endlessFrames(): Generator<EventFrame> {
  let number = 0;
  const talks = Array.from({ length: 8 }, () => talk(number++));
  for (;;) {
    for (const [place, frames] of talks.entries()) {
      const { value, done } = frames.next();
      if (done === true) talks[place] = talk(number++);
      else yield value;
    }
  }
}

function* talk(number: number): Generator<EventFrame> {
  const id = `sess_${number.toString(36).padStart(9, "0")}${(number * 7919).toString(16).padStart(10, "0")}`;
  const src = ["cli", "gateway", "daemon", "batch"][number % 4] ?? "cli";
  const chat = new Conversation(id, { src, platform: src === "gateway" ? "telegram" : src }).begin();
  for (let turn = 0; turn < 4; turn++) {
    chat.ask(`Question ${turn} of ${id}: ${"what about this? ".repeat(4)}`);
    for (let call = 0; call < 4; call++) {
      chat.hook("pre_tool_call", `guard-${number % 40}`, call === 3 ? "block" : "pass", 5 + ((number * call) % 50));
      chat.call("terminal", { command: `make step-${call}` }, { output: "line of output\n".repeat(20), exit_code: 0 });
    }
    chat.answer("Some words of an answer. ".repeat(8));
  }
  yield* chat.end().frames;
}

async function post(dashboard: TestDashboard, supply: Generator<EventFrame>, many: number): Promise<void> {
  for (let left = many; left > 0; left -= 200) {
    const frames = Array.from({ length: Math.min(200, left) }, () => supply.next().value as EventFrame);
    const { status } = await dashboard.ingest(frames);
    assert.equal(status, 200);
  }
}

/** Sends at the rate; gives how many events it came to. */
async function sendSteadily(dashboard: TestDashboard, supply: Generator<EventFrame>, seconds: number): Promise<number> {
  const started = performance.now();
  const batches = seconds * BATCHES_PER_SECOND;
  for (let batch = 0; batch < batches; batch++) {
    await post(dashboard, supply, PER_SECOND / BATCHES_PER_SECOND);
    const wait = started + ((batch + 1) * 1000) / BATCHES_PER_SECOND - performance.now();
    if (wait > 0) await new Promise((wake) => setTimeout(wake, wait));
  }
  return batches * (PER_SECOND / BATCHES_PER_SECOND);
}

/** Collects how long each key and click took until what it changed was painted (the Event Timing API). */
const OBSERVE_INPUT = `
  globalThis.inputTimes = { times: [], inputs: 0 };
  for (const type of ["keydown", "click"]) addEventListener(type, () => globalThis.inputTimes.inputs++, true);
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) {
      if (name === "keydown" || name === "click") globalThis.inputTimes.times.push(duration);
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
`;
