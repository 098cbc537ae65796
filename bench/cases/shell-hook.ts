import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { grantExplicitTest } from "#allowlist/decide";
import { openApprovals } from "#allowlist/approvals";
import { HookDispatcher } from "#core/dispatch";
import type { EventName } from "#core/events";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createShellHook } from "#sandbox/shell/hook";
import { hasProgram, median, race, type Case, type Measurement } from "../measure.ts";
import { CALL } from "../payloads.ts";

/** The guard of seed 003, which uses jq; one that ignores the payload; and one in JavaScript. */
const SCRIPTS = {
  sh: "#!/bin/sh\ncat >/dev/null\nprintf '{}'\n",
  "bash + jq": `#!/usr/bin/env bash
payload="$(cat -)"
cmd=$(echo "$payload" | jq -r '.tool_input.command // empty')
if echo "$cmd" | grep -qE 'rm[[:space:]]+-rf?[[:space:]]+/'; then
  printf '{"decision": "block", "reason": "blocked"}\\n'
else
  printf '{}\\n'
fi
`,
  node: `#!${process.execPath}
let text = "";
process.stdin.on("data", (part) => (text += part)).on("end", () => {
  JSON.parse(text);
  process.stdout.write("{}");
});
`,
} as const;

const LARGE = { ...CALL, args: { command: "echo hello", text: "x".repeat(1_000_000) } };

interface Bench {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly document: string;
}

interface Turns {
  readonly rounds: number;
  /** Rounds before them, which are not measured. */
  readonly warmUp?: number;
}

/** Median milliseconds of each contestant. They take turns, so that other load affects them equally. */
async function turns(
  { rounds, warmUp = 3 }: Turns,
  contestants: Readonly<Record<string, () => unknown>>,
): Promise<number[]> {
  const names = Object.keys(contestants);
  const samples = names.map((): number[] => []);
  for (let round = -warmUp; round < rounds; round++) {
    // Running after a heavy one is a disadvantage, so each goes first equally often.
    for (let step = 0; step < names.length; step++) {
      const index = (step + round + names.length * warmUp) % names.length;
      const started = performance.now();
      await contestants[names[index]!]!();
      if (round >= 0) samples[index]!.push(performance.now() - started);
    }
  }
  return samples.map(median);
}

/** What you would write without this program: start, feed, collect, wait. */
function bareSpawn(script: string, { folder, env, document }: Bench): Promise<string> {
  const child = spawn(script, [], { cwd: folder, env });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.resume();
  child.stdin.on("error", () => undefined).end(document);
  return new Promise((resolve) => void child.once("close", () => resolve(output)));
}

function dispatcherWith(event: EventName, commands: readonly string[], { folder, env }: Bench): HookDispatcher {
  const dispatcher = new HookDispatcher();
  dispatcher.sinks.add(({ outcome, detail }) => {
    if (outcome !== "pass") throw new Error(`a hook failed: ${detail}`);
  });
  for (const entry of parseHookEntries({ [event]: commands.map((command) => ({ command })) }).entries) {
    const shellContext = { cwd: folder, home: folder, env };
    dispatcher.register(createShellHook(entry, { decide: grantExplicitTest, shellContext }));
  }
  return dispatcher;
}

async function wholeRun(name: keyof typeof SCRIPTS, rounds: number, bench: Bench): Promise<Measurement> {
  const script = writeScript(name, bench);
  const dispatcher = dispatcherWith("pre_tool_call", [script], bench);
  const [ours = Number.NaN, theirs = Number.NaN] = await turns(
    { rounds },
    {
      ours: () => dispatcher.invoke_hook("pre_tool_call", CALL),
      "bare spawn": () => bareSpawn(script, bench),
    },
  );
  return { name: `shell-hook / whole run of ${name}`, unit: "ms", ours, peer: "bare spawn", theirs };
}

/** The cost of a large payload compared with a small one, with one, three and ten gates that read it. */
async function largePayload(bench: Bench, isQuick: boolean): Promise<Measurement[]> {
  const script = writeScript("sh", bench);
  const measured: Measurement[] = [];
  for (const hooks of [1, 3, 10]) {
    const dispatcher = dispatcherWith("pre_tool_call", Array<string>(hooks).fill(script), bench);
    const [ours = Number.NaN, theirs = Number.NaN] = await turns(
      { rounds: Math.ceil(20 / hooks), warmUp: isQuick ? 1 : 3 },
      {
        large: () => dispatcher.invoke_hook("pre_tool_call", LARGE),
        small: () => dispatcher.invoke_hook("pre_tool_call", CALL),
      },
    );
    const name = `shell-hook / 1 MB payload, ${hooks} hook${hooks === 1 ? "" : "s"}`;
    measured.push({ name, unit: "ms", ours, peer: "100 B payload", theirs });
  }
  return measured;
}

async function sideBySide(bench: Bench, rounds: number): Promise<Measurement> {
  const script = writeScript("bash + jq", bench);
  const four = Array<string>(4).fill(script);
  const gates = dispatcherWith("pre_tool_call", four, bench);
  const observers = dispatcherWith("post_tool_call", four, bench);
  const [ours = Number.NaN, theirs = Number.NaN] = await turns(
    { rounds },
    {
      observers: () => observers.invoke_hook("post_tool_call", { ...CALL, result: "{}" }),
      gates: () => gates.invoke_hook("pre_tool_call", CALL),
    },
  );
  const name = `shell-hook / four observers, ${availableParallelism()} cores`;
  return { name, unit: "ms", ours, peer: "one after another", theirs };
}

async function consentCheck({ folder }: Bench, isQuick: boolean): Promise<Measurement> {
  const file = join(folder, "allowlist.json");
  const list = Array.from({ length: 20 }, (_, index) => ({ event: "pre_tool_call", command: `~/guard-${index}.sh` }));
  writeFileSync(file, JSON.stringify({ approvals: list }), { mode: 0o600 });
  const approvals = openApprovals(file, "command");
  const request = { event: "pre_tool_call", command: "~/guard-13.sh", shell: false, env: [] };
  if (!approvals.decide(request).granted) throw new Error("the pair should be approved");
  const times = await race(
    {
      ours: (batch) => {
        for (let turn = 0; turn < batch; turn++) approvals.decide(request);
      },
    },
    { batch: 200, isQuick },
  );
  const ours = times.get("ours") ?? Number.NaN;
  return { name: "shell-hook / consent check, command mode", unit: "ns", ours, peer: null, theirs: null };
}

function writeScript(name: keyof typeof SCRIPTS, { folder }: Bench): string {
  const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.sh`);
  writeFileSync(file, SCRIPTS[name], { mode: 0o755 });
  return file;
}

/** 1 GB, as a long conversation or plugins hold it, and as memory of native code, which only buffers get at. */
const LARGE_MEMORY = {
  "1 GB of objects": () => {
    const part = Array<number>(100_000).fill(0.5);
    // A copy, because filling each one would first make as much garbage.
    return Array.from({ length: 1250 }, () => part.slice());
  },
  "1 GB of buffers": () => Array.from({ length: 16 }, () => Buffer.alloc(2 ** 26, 1)),
} as const;

interface Large {
  /** How often each memory is filled, which takes much longer than the runs. */
  readonly rounds: number;
  /** In each memory of a round. */
  readonly runs: number;
}

/** A run in a process with much memory, compared with the same one without: starting a process forks this one. */
async function largeParent(bench: Bench, { rounds, runs }: Large): Promise<Measurement[]> {
  const script = writeScript("sh", bench);
  const dispatcher = dispatcherWith("pre_tool_call", [script], bench);
  const samples: Record<string, number[]> = {};
  const measure = async (name: string, count: number) => {
    for (let run = -2; run < count; run++) {
      const started = performance.now();
      await dispatcher.invoke_hook("pre_tool_call", CALL);
      if (run >= 0) (samples[name] ??= []).push(performance.now() - started);
    }
  };
  const measureWith = async (name: string, memory: readonly unknown[]) => {
    await measure(name, runs);
    if (process.memoryUsage.rss() < 2 ** 30) throw new Error(`${memory.length} parts are not resident`);
  };
  for (let round = 0; round < rounds; round++) {
    for (const [name, fill] of Object.entries(LARGE_MEMORY)) {
      // Before each, so that a load that comes or goes affects both.
      await measure("small", Math.ceil(runs / 2));
      await measureWith(name, fill());
      collectGarbage();
      if (process.memoryUsage.rss() > 2 ** 29) throw new Error(`${name} are still there`);
    }
  }
  const theirs = median(samples["small"] ?? []);
  return Object.keys(LARGE_MEMORY).map((name) => {
    const ours = median(samples[name] ?? []);
    return { name: `shell-hook / sh, ${name}`, unit: "ms", ours, peer: "small process", theirs };
  });
}

/** Twice: what the first one finds unused may hold more. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
}

export const shellHookCase: Case = {
  name: "shell-hook",
  run: async ({ isQuick }) => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    // A plain object, because reading `process.env` itself is slow, which is not the peer's fault.
    const env = { ...process.env };
    const document = JSON.stringify({ hook_event_name: "pre_tool_call", ...CALL });
    const bench = { folder, env, document };
    try {
      const jq = await hasProgram("jq");
      if (!jq) process.stderr.write("shell-hook: jq is not installed, what needs it is skipped\n");
      return [
        await wholeRun("sh", isQuick ? 30 : 80, bench),
        ...(jq ? [await wholeRun("bash + jq", isQuick ? 15 : 40, bench)] : []),
        await wholeRun("node", isQuick ? 9 : 20, bench),
        ...(await largePayload(bench, isQuick)),
        ...(await largeParent(bench, isQuick ? { rounds: 1, runs: 12 } : { rounds: 3, runs: 10 })),
        ...(jq ? [await sideBySide(bench, isQuick ? 7 : 15)] : []),
        await consentCheck(bench, isQuick),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
