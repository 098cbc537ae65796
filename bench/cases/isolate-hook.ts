import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openMemoryDatabase } from "#core/home/database";
import type { HookRegistry } from "#core/registry";
import type { GatewayHooks } from "#gateway/hooks/host";
import { createIsolateTier } from "#sandbox/isolate/tier";
import { createHookValues } from "#sandbox/isolate/values";
import { benchLog, createBenchHooks } from "../gateway-hooks.ts";
import { median, type Case, type Measurement } from "../measure.ts";

/** About 1 KB, flat, like the contexts of gateway events. */
const CONTEXT = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key_${index}`, "x".repeat(85)]));
const TRIPS = 3000;
const STARTS = 9;
const QUICK_STARTS = 5;

const HANDLER = `
export function handle(event: string, context: Record<string, string>) {
  return { decision: "handled", message: String(Object.keys(context).length) };
}
`;
/** Also makes a call to the program. */
const KEEPS = `
export async function handle(event: string, context: Record<string, string>, host: any) {
  return { decision: "handled", message: await host.kv.get("key") };
}
`;
/** What you would write without this program. */
const BARE = `process.on("message", ({ event, context }) => process.send({ message: String(Object.keys(context).length) }))`;

/** `emit_collect` of a command until its answer arrives (registry, queue, process, isolate) against Node's own IPC. */
async function roundTrips(registry: HookRegistry, bare: ChildProcess): Promise<Measurement[]> {
  const contestants = [
    () => registry.emit_collect("command:bench", CONTEXT),
    () => registry.emit_collect("command:keeps", CONTEXT),
    () => ask(bare, { event: "command:bench", context: CONTEXT }),
  ];
  const samples = contestants.map((): number[] => []);
  for (let trip = -200; trip < TRIPS; trip++) {
    for (const [index, go] of contestants.entries()) {
      const started = performance.now();
      await go();
      if (trip >= 0) samples[index]!.push(performance.now() - started);
    }
  }
  const [warm = Number.NaN, keeping = Number.NaN, ipc = Number.NaN] = samples.map(median);
  const peer = { unit: "ms", peer: "bare child_process IPC", theirs: ipc } as const;
  return [
    { name: "isolate-hook / warm, 1 KB, p50", unit: "ms", ours: warm, peer: null, theirs: null },
    { name: "isolate-hook / round trip, 1 KB", ours: warm, ...peer },
    { name: "isolate-hook / round trip with one host.kv.get", ours: keeping, ...peer },
  ];
}

interface FirstEvent {
  readonly name: string;
  /** How long the program has had its hooks. */
  readonly waitMs: number;
  readonly starts: number;
  /** Starts before them, which fill caches and are not measured. */
  readonly warmUp: number;
}

/**
 * The first event of a tier (process, isolate, handler's module, answer) against a bare child's answer: in a program
 * that has just loaded its hooks, and in one that has had them for a while.
 */
async function firstEvent(folder: string, { waitMs, name, starts, warmUp }: FirstEvent): Promise<Measurement> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -warmUp; round < starts; round++) {
    const { registry, host } = await openHost(folder);
    await setTimeout(waitMs);
    const started = performance.now();
    await registry.emit_collect("command:bench", CONTEXT);
    const answered = performance.now() - started;
    await host[Symbol.asyncDispose]();
    const bareStarted = performance.now();
    const bare = startBare();
    await ask(bare, { event: "command:bench", context: CONTEXT });
    const bareAnswered = performance.now() - bareStarted;
    await ended(bare);
    if (round < 0) continue;
    ours.push(answered);
    theirs.push(bareAnswered);
  }
  return { name, unit: "ms", ours: median(ours), peer: "bare child's start", theirs: median(theirs) };
}

function startBare(): ChildProcess {
  return spawn(process.execPath, ["-e", BARE], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

function ask(child: ChildProcess, message: object): Promise<unknown> {
  return new Promise((resolve) => {
    child.once("message", resolve);
    child.send(message);
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill();
  });
}

const LOG = benchLog("isolate-hook");

async function openHost(folder: string): Promise<{ registry: HookRegistry; host: GatewayHooks }> {
  const database = openMemoryDatabase();
  const values = createHookValues(() => database);
  const createTier = () => createIsolateTier({ env: process.env, values, log: LOG });
  const opened = createBenchHooks({ folder, log: LOG, createTier });
  await opened.host.load();
  return opened;
}

function writeHook(folder: string, name: string, code: string): void {
  mkdirSync(join(folder, name), { recursive: true });
  const manifest = `name: ${name}\nevents: [command:${name}]\nisolation: isolate\nallow: { kv: true }\n`;
  writeFileSync(join(folder, name, "HOOK.yaml"), manifest);
  writeFileSync(join(folder, name, "handler.ts"), code);
}

export const isolateHookCase: Case = {
  name: "isolate-hook",
  run: async ({ isQuick }) => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    writeHook(folder, "bench", HANDLER);
    writeHook(folder, "keeps", KEEPS);
    const { registry, host } = await openHost(folder);
    const bare = startBare();
    try {
      const measured = await roundTrips(registry, bare);
      const starts = isQuick ? QUICK_STARTS : STARTS;
      return [
        ...measured,
        await firstEvent(folder, { name: "isolate-hook / first event, cold", waitMs: 0, starts, warmUp: 1 }),
        await firstEvent(folder, { name: "isolate-hook / first event, after 2 s", waitMs: 2000, starts, warmUp: 0 }),
      ];
    } finally {
      await ended(bare);
      await host[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
