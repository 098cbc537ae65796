import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DaemonClient } from "#daemon/session/client";
import { findDaemon } from "#daemon/session/place";
import { median, type Case, type Measurement } from "../measure.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const BIN = join(ROOT, "cli/bin.js");
const NAME = "bench";
const MESSAGES = 500;
const ROUNDS = 15;

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

/** Sends one message after another over an open socket, while a turn runs; the 95th percentile of the time to `stored`, in ms. */
async function storeMessages(home: string): Promise<number> {
  using client = await DaemonClient.connect(findDaemon(join(home, "run"), NAME)!);
  // A turn that waits for its command, as it would wait for a model: else the offline model's turns are measured.
  client.say({ type: "send", content: "run `sleep 1000`", wait: false });
  await client.expect("stored");
  const times = [];
  for (let number = 0; number < MESSAGES; number++) {
    const started = performance.now();
    client.say({ type: "send", content: `check build ${number}`, wait: false });
    await client.expect("stored");
    times.push(performance.now() - started);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.95)]!;
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
  run: async () => {
    const home = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      using daemon = await startDaemon(home);
      const results: Measurement[] = [];
      if (process.platform === "linux") {
        await new Promise((wake) => setTimeout(wake, 1000));
        const status = readFileSync(`/proc/${daemon.pid}/status`, "utf8");
        const ours = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
        results.push({ name: "daemon / idle", unit: "MB", ours, peer: null, theirs: null });
      }
      const samples = { send: [] as number[], version: [] as number[] };
      for (let round = 0; round <= ROUNDS; round++) {
        const took = { send: time(["send", "--name", NAME, "hello"], home), version: time(["--version"], home) };
        if (round === 0) continue;
        samples.send.push(took.send);
        samples.version.push(took.version);
      }
      const [ours, theirs] = [median(samples.send), median(samples.version)];
      results.push({ name: "daemon / hermes send", unit: "ms", ours, peer: "hermes --version", theirs });
      const name = "daemon / message stored over a socket, p95";
      results.push({ name, unit: "ms", ours: await storeMessages(home), peer: null, theirs: null });
      return results;
    } finally {
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
