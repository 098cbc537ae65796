import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { tmpdir } from "node:os";
import type { EventLoopUtilization } from "node:perf_hooks";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { HookRegistry } from "#core/registry";
import type { GatewayHooks } from "#gateway/hooks/host";
import { createWorkerTier } from "#sandbox/worker/pool";
import { benchLog, createBenchHooks } from "../gateway-hooks.ts";
import { median, race, type Case, type Measurement } from "../measure.ts";

/** About 1 KB, flat, like the contexts of gateway events. */
const CONTEXT = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key_${index}`, "x".repeat(85)]));
/** Fewer than the queue's limit, so that nothing is dropped. */
const BURST = 500;
const DEADLINE_SECONDS = 0.2;
const PAIRS = 9;
const RUNAWAYS = 9;
const QUICK_ROUNDS = 5;

/** Answers, keeps its thread busy for a while, or runs away. */
const HANDLER = `
export function handle(event: string, context: { readonly busy?: number; readonly runaway?: boolean }) {
  if (context.runaway) for (;;);
  const end = performance.now() + (context.busy ?? 0);
  while (performance.now() < end);
  return null;
}
`;

/** What you would write without this program. */
const BARE = `
import { parentPort } from "node:worker_threads";
parentPort!.on("message", (context: unknown) => {
  if (context !== undefined) parentPort!.postMessage(null);
});
`;

interface Bench {
  readonly registry: HookRegistry;
  readonly host: GatewayHooks;
  readonly bareFile: string;
  readonly bare: Worker;
}

/**
 * `emit_collect` of a command until its answer arrives: registry, queue, thread, record of the run. Takes the fastest of
 * several pairs of new threads: a round trip takes four times as long if the system places a thread on another core than
 * the one that waits for it, and a thread stays where it was placed.
 */
async function roundTrip(folder: string, bareFile: string, pairs: number): Promise<Measurement> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < pairs; round++) {
    const { registry, host: opened } = openHost(folder);
    await using host = opened;
    const bare = new Worker(bareFile);
    await host.load();
    // The start of its process, which a command does not wait for.
    await registry.emit_collect("command:bench", CONTEXT);
    await host.drain(60_000);
    let answered: () => void = () => undefined;
    bare.on("message", () => answered());
    const contestants = {
      ours: async (batch: number) => {
        for (let turn = 0; turn < batch; turn++) await registry.emit_collect("command:bench", CONTEXT);
      },
      theirs: async (batch: number) => {
        for (let turn = 0; turn < batch; turn++) {
          await new Promise<void>((resolve) => {
            answered = resolve;
            send(bare, CONTEXT);
          });
        }
      },
    };
    const times = await race(contestants, { batch: 100, rounds: 3 });
    await bare.terminate();
    ours.push(times.get("ours") ?? Number.NaN);
    theirs.push(times.get("theirs") ?? Number.NaN);
  }
  return compare("round trip, 1 KB", Math.min(...ours), Math.min(...theirs));
}

/** The time that `emit` takes from its caller, with a fast handler and with one that takes 20 ms per event. */
async function publisher(bench: Bench): Promise<Measurement[]> {
  const { registry, host, bare } = bench;
  const burst = (context: object) =>
    timed(() => {
      for (let turn = 0; turn < BURST; turn++) void registry.emit("agent:step", context as Record<string, unknown>);
    });
  const quick: number[] = [];
  const whole: number[] = [];
  const slow: number[] = [];
  const posts: number[] = [];
  for (let round = -2; round < 15; round++) {
    const counted = round >= 0;
    const before = performance.eventLoopUtilization();
    const quickTime = burst(CONTEXT);
    await host.drain(60_000);
    const wholeTime = busySince(before);
    // One event that keeps the handler busy for much longer than the burst lasts.
    void registry.emit("agent:step", { busy: 20 });
    await new Promise((resolve) => setImmediate(resolve));
    const slowTime = burst(CONTEXT);
    await host.drain(60_000);
    const postTime = timed(() => {
      for (let turn = 0; turn < BURST; turn++) send(bare, CONTEXT);
    });
    await takeAnswers(bare, BURST);
    if (!counted) continue;
    quick.push(quickTime);
    whole.push(wholeTime);
    slow.push(slowTime);
    posts.push(postTime);
  }
  return [
    compare("publisher, per event", median(quick), median(posts)),
    compare("publisher, handler busy", median(slow), median(posts)),
    { ...compare("whole work of the loop, per event", median(whole)), peer: null, theirs: null },
  ];
}

/** The time from the deadline of a looping handler until its hook has answered the next event. */
async function runaway({ registry, host, bareFile }: Bench, rounds: number): Promise<Measurement> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const started = performance.now();
    await registry.emit_collect("command:bench", { runaway: true });
    await registry.emit_collect("command:bench", CONTEXT);
    // The command's own wait may end before the new process has answered.
    await host.drain(60_000);
    const served = performance.now() - started - DEADLINE_SECONDS * 1000;
    const bareStarted = performance.now();
    const worker = new Worker(bareFile);
    send(worker, CONTEXT);
    await once(worker, "message");
    const bareServed = performance.now() - bareStarted;
    await worker.terminate();
    if (round < 0) continue;
    ours.push(served);
    theirs.push(bareServed);
  }
  const name = "worker-hook / runaway, from deadline to serving";
  return { name, unit: "ms", ours: median(ours), peer: "bare worker start", theirs: median(theirs) };
}

/** Nanoseconds per event. */
function timed(work: () => void): number {
  const started = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - started) / BURST;
}

/** Nanoseconds of event loop work per event. */
function busySince(before: EventLoopUtilization): number {
  return (performance.eventLoopUtilization(before).active * 1e6) / BURST;
}

function takeAnswers(worker: Worker, count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    worker.on("message", () => {
      if (--left > 0) return;
      worker.removeAllListeners("message");
      resolve();
    });
  });
}

function send(worker: Worker, context: unknown): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  worker.postMessage(context);
}

function compare(what: string, ours = Number.NaN, theirs = Number.NaN): Measurement {
  return { name: `worker-hook / ${what}`, unit: "ns", ours, peer: "bare postMessage", theirs };
}

function openHost(folder: string): { readonly registry: HookRegistry; readonly host: GatewayHooks } {
  return createBenchHooks({
    folder,
    log: benchLog("worker-hook"),
    createTier: () => createWorkerTier(),
    timeoutSeconds: DEADLINE_SECONDS,
    isExpected: (outcome) => outcome !== "error",
  });
}

export const workerHookCase: Case = {
  name: "worker-hook",
  run: async ({ isQuick }) => {
    // Like the program itself.
    enableCompileCache();
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    const hook = join(folder, "hooks", "bench");
    mkdirSync(hook, { recursive: true });
    writeFileSync(join(hook, "HOOK.yaml"), "name: bench\nevents: [agent:step, command:bench]\n");
    writeFileSync(join(hook, "handler.ts"), HANDLER);
    const bareFile = join(folder, "bare.mts");
    writeFileSync(bareFile, BARE);
    const { registry, host } = openHost(join(folder, "hooks"));
    const bare = new Worker(bareFile);
    try {
      await host.load();
      const bench = { registry, host, bareFile, bare };
      const [pairs, runaways] = isQuick ? [QUICK_ROUNDS, QUICK_ROUNDS] : [PAIRS, RUNAWAYS];
      return [
        await roundTrip(dirname(hook), bareFile, pairs),
        ...(await publisher(bench)),
        await runaway(bench, runaways),
      ];
    } finally {
      await bare.terminate();
      await host[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
