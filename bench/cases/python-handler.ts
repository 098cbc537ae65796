import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HookRegistry } from "#core/registry";
import { PythonBridge } from "#sandbox/python/bridge";
import { findPython } from "#sandbox/python/interpreter";
import { createPythonTier } from "#sandbox/python/tier";
import { benchLog, createBenchHooks } from "../gateway-hooks.ts";
import { median, type Case, type Measurement } from "../measure.ts";

/** About 1 KB, flat, like the contexts of gateway events. */
const CONTEXT = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`key_${index}`, "x".repeat(85)]));
const TRIPS = 3000;
const STARTS = 15;
const QUICK_STARTS = 5;

const HANDLERS = {
  coroutine: `
async def handle(event_type, context):
    return {"decision": "handled", "message": str(len(context))}
`,
  /** Lets the event loop do something else, as every client of a network does. */
  waiting: `
import asyncio
async def handle(event_type, context):
    await asyncio.sleep(0)
    return {"decision": "handled", "message": str(len(context))}
`,
  function: `
def handle(event_type, context):
    return {"decision": "handled", "message": str(len(context))}
`,
} as const;
type Name = keyof typeof HANDLERS;

/** What you would write without this program: a process for each event. */
const SCRIPT = `
import json, sys
context = json.load(sys.stdin)["context"]
print(json.dumps({"decision": "handled", "message": str(len(context))}))
`;

/** `emit_collect` of a command until its answer arrives, against a process that reads the same event. */
async function roundTrips(folder: string, names: readonly Name[], rounds: number): Promise<Measurement[]> {
  await using opened = await openHost(folder);
  const samples = new Map(names.map((name): [Name, number[]] => [name, []]));
  for (let trip = -200; trip < TRIPS; trip++) {
    for (const [name, times] of samples) {
      const started = performance.now();
      await opened.registry.emit_collect(`command:${name}`, CONTEXT);
      if (trip >= 0) times.push(performance.now() - started);
    }
  }
  const processes: number[] = [];
  for (let start = 0; start < rounds; start++) {
    processes.push(await timeProcess([join(folder, "script.py")], JSON.stringify({ context: CONTEXT })));
  }
  const [coroutine, waiting, sync] = [...samples.values()].map(median);
  const peer = { unit: "ms", peer: "a process an event", theirs: median(processes) } as const;
  return [
    { name: "python-handler / async, 1 KB, p50", unit: "ms", ours: coroutine ?? Number.NaN, peer: null, theirs: null },
    { name: "python-handler / async, 1 KB", ours: coroutine ?? Number.NaN, ...peer },
    { name: "python-handler / async that waits, 1 KB", ours: waiting ?? Number.NaN, ...peer },
    { name: "python-handler / function, 1 KB", ours: sync ?? Number.NaN, ...peer },
  ];
}

/** The first event of a host: finding and starting Python, loading the handler, the answer. */
async function starts(folder: string, names: readonly Name[], rounds: number): Promise<Measurement[]> {
  const ours = new Map(names.map((name): [Name, number[]] => [name, []]));
  const theirs: number[] = [];
  for (let round = -1; round < rounds; round++) {
    for (const [name, times] of ours) {
      await using opened = await openHost(folder);
      const started = performance.now();
      await opened.registry.emit_collect(`command:${name}`, CONTEXT);
      if (round >= 0) times.push(performance.now() - started);
    }
    const bare = await timeProcess(["-c", "pass"], "");
    if (round >= 0) theirs.push(bare);
  }
  return [...ours].map(([name, times]) => ({
    name: `python-start / first event, ${name}`,
    unit: "ms",
    ours: median(times),
    peer: "python3 -c pass",
    theirs: median(theirs),
  }));
}

const LOG = benchLog("python-handler");
const python = findPython({ configured: undefined, env: process.env });

async function openHost(folder: string): Promise<{ registry: HookRegistry } & AsyncDisposable> {
  const bridge = new PythonBridge({ find: () => python, env: process.env, log: LOG });
  const { registry, host } = createBenchHooks({
    folder: join(folder, "hooks"),
    log: LOG,
    createTier: () => createPythonTier(bridge),
  });
  await host.load();
  return {
    registry,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await bridge[Symbol.asyncDispose]();
    },
  };
}

/** Milliseconds from the start of a process to its end. */
async function timeProcess(args: readonly string[], input: string): Promise<number> {
  if ("problem" in python) throw new Error(python.problem);
  const started = performance.now();
  const child = spawn(python.path, args, { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.end(input);
  await once(child, "exit");
  return performance.now() - started;
}

type Measure = (folder: string, names: readonly Name[], rounds: number) => Promise<Measurement[]>;

function caseOf(name: string, measure: Measure): Case {
  return {
    name,
    run: async ({ isQuick }) => {
      const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
      try {
        writeFileSync(join(folder, "script.py"), SCRIPT);
        for (const [hook, code] of Object.entries(HANDLERS)) {
          mkdirSync(join(folder, "hooks", hook), { recursive: true });
          writeFileSync(join(folder, "hooks", hook, "HOOK.yaml"), `events: [command:${hook}]\n`);
          writeFileSync(join(folder, "hooks", hook, "handler.py"), code);
        }
        return await measure(folder, Object.keys(HANDLERS) as Name[], isQuick ? QUICK_STARTS : STARTS);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

export const pythonHandlerCase = caseOf("python-handler", roundTrips);
export const pythonStartCase = caseOf("python-start", starts);
