/** Measures one point of a picture in a process of its own: `node bench/growth/point.ts TOPIC LINE SIZE` prints a Figure. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "../measure.ts";
import type { Figure, Work } from "./topic.ts";
import { TOPICS } from "./topics.ts";

const ROUNDS = 7;
/** They find how much is done in a round, and let the code be compiled. */
const WARM_UP = 3;
/** A round is repeated until it takes this long, so that the clock's resolution does not matter. */
const ROUND_MS = 40;

async function measure(work: Work): Promise<Figure> {
  const given: Figure[] = [];
  const times: number[] = [];
  let batch = 1;
  for (let round = -WARM_UP; round < (work.rounds ?? ROUNDS); round++) {
    const before = process.cpuUsage();
    const started = performance.now();
    for (let turn = 0; turn < batch; turn++) {
      const figure = await work.once();
      if (figure !== undefined) given.push(figure);
    }
    const { user, system } = process.cpuUsage(before);
    if (given.length > 0) {
      if (given.length >= (work.rounds ?? ROUNDS)) return medianOf(given);
      continue;
    }
    if (round < 0) batch = Math.max(1, Math.round((batch * ROUND_MS) / Math.max(0.01, performance.now() - started)));
    else times.push((user + system) / 1000 / batch);
  }
  return given.length > 0 ? medianOf(given) : { ms: median(times), megabytes: process.memoryUsage.rss() / 1024 / 1024 };
}

function medianOf(figures: readonly Figure[]): Figure {
  return { ms: median(figures.map(({ ms }) => ms)), megabytes: median(figures.map(({ megabytes }) => megabytes)) };
}

const [topic = "", line = "", size = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "hermes-growth-"));
try {
  const { lines } = await TOPICS[topic]!();
  const work = await lines[Number(line)]!.prepare(Number(size), folder);
  const figure = await measure(work);
  await work[Symbol.asyncDispose]?.();
  process.stdout.write(JSON.stringify(figure));
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
// What is left open belongs to nothing any more.
process.exit();
