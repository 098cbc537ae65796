import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openDatabase } from "#core/home/database";
import type { ProcessIdentity } from "#core/ports/tasks";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { NO_OP } from "../no-op-tasks.ts";
import { median, type Case, type Measurement } from "../measure.ts";

const BIN = resolve(import.meta.dirname, "../../cli/bin.js");
const TASKS = 1000;
const QUICK_TASKS = 300;
const QUEUE_ROUNDS = 7;
const SUBMIT_ROUNDS = 15;
const QUICK_SUBMIT_ROUNDS = 5;
const SELF: ProcessIdentity = { pid: process.pid, start: null };
const RESULT = { status: "succeeded", exit_code: 0, ended_by: "task", error: null } as const;

/** What the storage costs a task that does nothing: it is claimed, has a process, and ends. Nothing listens to it. */
async function queue(folder: string, tasks: number): Promise<readonly Measurement[]> {
  const database = openDatabase(join(folder, "queue.db"));
  const store = new EmbeddedTasks(database, new EmbeddedDeliveries(database));
  database.exec("CREATE TABLE bare (number INTEGER PRIMARY KEY, status TEXT)");
  const add = database.prepare("INSERT INTO bare (status) VALUES ('queued')");
  for (let number = 0; number < tasks; number++) add.run();
  const update = database.prepare("UPDATE bare SET status = ? WHERE number = ?");
  const samples = { ours: [] as number[], theirs: [] as number[] };
  try {
    for (let round = 0; round <= QUEUE_ROUNDS; round++) {
      for (let number = 0; number < tasks; number++) await store.submit(NO_OP);
      const ours = await perTask(tasks, () => finishNext(store));
      let number = 0;
      const theirs = await perTask(tasks, async () => {
        database.exec("BEGIN IMMEDIATE");
        update.run(`round ${round}`, ++number);
        database.exec("COMMIT");
      });
      // The first round warms up.
      if (round === 0) continue;
      samples.ours.push(ours);
      samples.theirs.push(theirs);
    }
  } finally {
    database.close();
  }
  const [ours, theirs] = [median(samples.ours), median(samples.theirs)];
  return [
    { name: "tasks / claim and finish, per task", unit: "ns", ours, peer: "bare UPDATE and COMMIT", theirs },
    { name: "tasks / claim and finish, time", unit: "ns", ours, peer: null, theirs: null },
  ];
}

async function finishNext(store: EmbeddedTasks): Promise<void> {
  const [task] = await store.claim(SELF, { most: 3 });
  if (task === undefined) throw new Error("there is no task to claim");
  const { id, attempt } = task;
  const isStarted = await store.started(id, attempt, SELF, () => []);
  if (!isStarted || !(await store.end(id, attempt, RESULT, () => []))) throw new Error(`${id} did not end`);
}

async function perTask(tasks: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  for (let number = 0; number < tasks; number++) await work();
  return ((performance.now() - started) * 1e6) / tasks;
}

/** `hermes run --background` until its id is printed, while a worker runs; each task ends before the next sample. */
async function submitting(folder: string, rounds: number): Promise<Measurement> {
  const home = join(folder, "home");
  const env = { ...process.env, HERMES_HOME: home, HOME: folder, NODE_NO_WARNINGS: "1" };
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { env, encoding: "utf8" });
    if (status !== 0) throw new Error(`hermes ${args[0]} ended with ${status}: ${stderr}`);
    return stdout;
  };
  run("--version");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, "config.yaml"), "model: { provider: offline }\n");
  const worker = spawn(process.execPath, [BIN, "worker"], { env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(worker, "exit");
  try {
    await sees(worker.stderr, "The worker is ready");
    const samples = { ours: [] as number[], theirs: [] as number[] };
    for (let round = 0; round <= rounds; round++) {
      const theirs = await untilPrinted(["--version"], env);
      const ours = await untilPrinted(["run", "--background", "hello"], env);
      run("tasks", "wait", ours.printed.trim());
      if (round === 0) continue;
      samples.ours.push(ours.ms);
      samples.theirs.push(theirs.ms);
    }
    const [ours, theirs] = [median(samples.ours), median(samples.theirs)];
    return { name: "tasks / submit", unit: "ms", ours, peer: "hermes --version", theirs };
  } finally {
    worker.kill("SIGTERM");
    await ended;
  }
}

/** Milliseconds until a command has printed its first line; then it is awaited. */
async function untilPrinted(args: readonly string[], env: NodeJS.ProcessEnv) {
  const started = performance.now();
  const child = spawn(process.execPath, [BIN, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  const printed = await sees(child.stdout, "\n");
  const ms = performance.now() - started;
  child.stdout.resume();
  await ended;
  if (child.exitCode !== 0) throw new Error(`hermes ${args[0]} ended with ${child.exitCode}`);
  return { printed, ms };
}

function sees(stream: NodeJS.ReadableStream, text: string): Promise<string> {
  return new Promise((resolveSeen, reject) => {
    let seen = "";
    stream.setEncoding("utf8").on("data", (piece: string) => {
      seen += piece;
      if (seen.includes(text)) resolveSeen(seen);
    });
    stream.once("end", () => reject(new Error(`never printed ${text}: ${seen}`)));
  });
}

/** Tasks: what their storage costs without any work, and how soon a submitted one has its id. */
export const tasksCase: Case = {
  name: "tasks",
  run: async ({ isQuick }) => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      return [
        ...(await queue(folder, isQuick ? QUICK_TASKS : TASKS)),
        await submitting(folder, isQuick ? QUICK_SUBMIT_ROUNDS : SUBMIT_ROUNDS),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
