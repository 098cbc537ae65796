/**
 * The real dashboard under large frames: 60 KB each, until everything that is kept has been replaced several times,
 * with subscribers that read and one that does not. Its memory stays below 300 MB.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { readDiscovery, type DiscoveredDashboard } from "#core/forward/discovery";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";

const FRAME_CHARACTERS = 60 * 1024;
const BATCH = 16;
/** 64 million characters are kept: these replace them four times. */
const BATCHES = 260;
const MOST_MB = 300;
const skip = process.platform !== "linux" && "resident memory is read from /proc";

test("60 KB frames: the dashboard's memory stays below 300 MB", { skip }, async (t) => {
  const home = new Home(t);
  const running = home.start(["dashboard", "--port", "0"]);
  t.after(async () => {
    running.kill("SIGKILL");
    await running.ended;
  });
  const dashboard = await until(
    () => readDiscovery(join(home.path, "dashboard.json"), { env: {} }).dashboard,
    "the dashboard runs",
  );
  const subscribers = new AbortController();
  t.after(() => subscribers.abort());
  let received = 0;
  for (const reads of [true, true, false]) {
    const { body } = await fetch(`${dashboard.url}/api/events`, {
      headers: { authorization: `Bearer ${dashboard.token}` },
      signal: subscribers.signal,
    });
    if (reads) void readAll(body!, (bytes) => (received += bytes));
  }
  const residents: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    await send(dashboard, batch);
    residents.push(memoryOf(running.pid, "VmRSS"));
  }
  await sleep(1000);
  residents.push(memoryOf(running.pid, "VmRSS"));
  const peak = memoryOf(running.pid, "VmHWM");
  t.diagnostic(`peak ${Math.round(peak)} MB, at the end ${Math.round(residents.at(-1)!)} MB, ${received} bytes read`);
  assert.ok(received > 0);
  assert.ok(peak < MOST_MB, `${Math.round(peak)} MB`);
});

async function send({ url, token }: DiscoveredDashboard, batch: number): Promise<void> {
  const frames = Array.from({ length: BATCH }, (_, index) => ({
    event_type: "tui:tool.complete",
    context: {
      session_id: `s${index}`,
      n: batch,
      payload: { content: `${batch} ${"large ".repeat(FRAME_CHARACTERS / 6)}` },
    },
    src: "test",
  }));
  const response = await fetch(`${url}/api/hooks/ingest`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(frames),
  });
  assert.deepEqual(await response.json(), { ok: true, accepted: BATCH });
}

async function readAll(body: ReadableStream<Uint8Array>, onBytes: (bytes: number) => void): Promise<void> {
  try {
    for await (const chunk of body) onBytes(chunk.byteLength);
  } catch {
    // The test is over, or the dashboard ended the stream because it did not keep up.
  }
}

/** Megabytes. */
function memoryOf(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}
