import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DaemonClient } from "#daemon/session/client";
import { findDaemon } from "#daemon/session/place";
import { BUDGETS } from "../budgets.ts";
import { median, quietest, type Case, type Measurement } from "../measure.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const BIN = join(ROOT, "cli/bin.js");
const NAME = "bench";
const MESSAGES = 300;
const ROUNDS = 11;
const QUICK_ROUNDS = 7;
const IDLE_MS = 3000;
const WAKE_UPS = "daemon / idle, wake-ups in 3 s";

/** A daemon that waits, in a home with the offline model. */
async function startDaemon(home: string): Promise<{ pid: number } & Disposable> {
  writeFileSync(join(home, "config.yaml"), "model: { provider: offline }\n");
  const child = spawn(process.execPath, [BIN, "run", "--daemon", "--name", NAME, "--format", "jsonl"], {
    env: { ...process.env, HERMES_HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
  });
  child.stderr.setEncoding("utf8");
  for await (const text of child.stderr as AsyncIterable<string>) if (text.includes("is running")) break;
  return { pid: child.pid!, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

/** Sends one message after another over an open socket; the 95th percentile of the time to `stored`, in ms. */
async function storeMessages(client: DaemonClient): Promise<number> {
  const times = [];
  for (let number = 0; number < MESSAGES; number++) {
    const started = performance.now();
    client.say({ type: "send", content: `check build ${number}`, wait: false });
    await client.expect("stored");
    times.push(performance.now() - started);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.95)]!;
}

/** While turns run one after another, and then while one waits for its command, as it would wait for a model. */
async function storing(home: string): Promise<readonly Measurement[]> {
  using client = await DaemonClient.connect(findDaemon(join(home, "run"), NAME)!);
  const row = { unit: "ms", peer: null, theirs: null } as const;
  const busy = await storeMessages(client);
  client.say({ type: "send", content: "run `sleep 1000`", wait: false });
  await client.expect("stored");
  while ((await queued(client)) > 0) await new Promise((wake) => setTimeout(wake, 50));
  const waiting = await storeMessages(client);
  return [
    { name: "daemon / message stored over a socket, p95", ours: waiting, ...row },
    { name: "daemon / message stored while turns run, p95", ours: busy, ...row },
  ];
}

async function queued(client: DaemonClient): Promise<number> {
  client.say({ type: "status" });
  return (await client.expect("status")).queued;
}

/** Resident memory, and how often the main thread woke up in the quietest {@link IDLE_MS}. Linux only. */
async function idling(pid: number): Promise<readonly Measurement[]> {
  if (process.platform !== "linux") return [];
  const read = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(statusOf(pid))?.[1]);
  await new Promise((wake) => setTimeout(wake, 2000));
  const countWakeUps = async () => {
    const before = read("voluntary_ctxt_switches");
    await new Promise((wake) => setTimeout(wake, IDLE_MS));
    return read("voluntary_ctxt_switches") - before;
  };
  const wakeUps = await quietest(countWakeUps, BUDGETS[WAKE_UPS]!.target);
  return [
    { name: "daemon / idle", unit: "MB", ours: read("VmRSS") / 1024, peer: null, theirs: null },
    { name: WAKE_UPS, unit: "wake-ups", ours: wakeUps, peer: null, theirs: null },
  ];
}

function statusOf(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, "utf8");
}

function time(args: readonly string[], home: string): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    env: { ...process.env, HERMES_HOME: home },
    encoding: "utf8",
  });
  const took = performance.now() - started;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  return took;
}

export const daemonCase: Case = {
  name: "daemon",
  run: async ({ isQuick }) => {
    const rounds = isQuick ? QUICK_ROUNDS : ROUNDS;
    const home = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      using daemon = await startDaemon(home);
      const idle = await idling(daemon.pid);
      const samples = { send: [] as number[], version: [] as number[] };
      for (let round = 0; round <= rounds; round++) {
        const took = { send: time(["send", "--name", NAME, "hello"], home), version: time(["--version"], home) };
        if (round === 0) continue;
        samples.send.push(took.send);
        samples.version.push(took.version);
      }
      const [ours, theirs] = [median(samples.send), median(samples.version)];
      const send: Measurement = { name: "daemon / hermes send", unit: "ms", ours, peer: "hermes --version", theirs };
      return [...idle, send, ...(await storing(home))];
    } finally {
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
