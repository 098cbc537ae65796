/** Homes with tasks: submitted, asked about, and their workers ended after the test. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { stringify } from "yaml";
import type { Task } from "#core/ports/tasks";
import { Home, type HomeOptions, type StartOptions } from "./hermes.ts";
import { until } from "./poll.ts";
import { killQuietly, lives } from "./processes.ts";

/** A home whose workers, which outlive the commands that start them, end with the test. */
export function taskHome(t: TestContext, config: object = {}, options?: HomeOptions): Home {
  const home = new Home(t, options);
  home.write("config.yaml", stringify({ model: { provider: "offline" }, ...config }));
  t.after(() => endWorkers(home));
  return home;
}

/** Kills the workers of a home, and waits until they and the tasks that they ran are gone. */
async function endWorkers(home: Home): Promise<void> {
  const pids = workersOf(home);
  for (const pid of pids) killQuietly(pid);
  await until(() => pids.every((pid) => !lives(pid)), "the workers are gone");
}

/** The workers of a home that run. */
export function workersOf(home: Pick<Home, "path" | "has">): readonly number[] {
  if (!home.has("run")) return [];
  const names = readdirSync(join(home.path, "run")).filter((name) => /^worker-\d+\.json$/.test(name));
  return names.map((name) => Number(/\d+/.exec(name)![0])).filter(lives);
}

/** Submits a task in the background; gives its id. */
export async function submitTask(home: Home, prompt: string, ...flags: string[]): Promise<string> {
  const { stdout, stderr, code } = await home.run(["run", "--background", ...flags, "--", prompt]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^[a-z0-9]{8,16}\n$/);
  return stdout.trim();
}

export async function statusOf(home: Home, id: string, options: StartOptions = {}): Promise<Task> {
  const { stdout, stderr } = await home.run(["tasks", "status", id, "--json"], options);
  return JSON.parse(stdout === "" ? assert.fail(stderr) : stdout) as Task;
}

/** All tasks of a home, newest first. */
export async function tasksOf(home: Home): Promise<readonly Task[]> {
  const { stdout, stderr } = await home.run(["tasks", "list", "--json", "--limit", "10000"]);
  return (JSON.parse(stdout === "" ? assert.fail(stderr) : stdout) as { tasks: Task[] }).tasks;
}

/** Waits until a task has the status. */
export async function taskBecomes(home: Home, id: string, wanted: Task["status"]): Promise<void> {
  let last: string | undefined;
  await until(
    async () => (last = storedStatuses(home)?.get(id) ?? (await statusOf(home, id)).status) === wanted,
    `${id} is ${wanted}`,
    {
      withinMs: 90_000,
      seen: () => [last, home.has("logs/hermes.log") ? home.read("logs/hermes.log").slice(-2000) : "no log"],
    },
  );
}

/**
 * The status of each task by its id, as it is stored: a command takes a second of processor time for that, which what
 * is waited for needs. Undefined when the tasks are in another database.
 */
export function storedStatuses(home: Pick<Home, "path" | "has">): ReadonlyMap<string, string> | undefined {
  if (!home.has("state.db")) return undefined;
  const database = new DatabaseSync(join(home.path, "state.db"), { readOnly: true, timeout: 5000 });
  try {
    const rows = database.prepare("SELECT id, status FROM tasks").all();
    return rows.length === 0 ? undefined : new Map(rows.map(({ id, status }) => [String(id), String(status)]));
  } finally {
    database.close();
  }
}
