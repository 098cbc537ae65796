/** Metrics and health of `hermes serve`, asked as Prometheus and a load balancer do. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import test from "node:test";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, type Running } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { EVERYTHING, say, startServe } from "../helpers/serve.ts";

const MONITORED = {
  ...EVERYTHING,
  monitoring: { prometheus: { enabled: true, port: 0 }, health: { enabled: true, port: 0 } },
  webhooks: { endpoints: { task_completed: { url: "http://localhost:9/x" } }, retry: { initial_delay: 600_000 } },
};

async function urlOf(service: Running, name: string): Promise<string> {
  const find = () => new RegExp(`^${name}: (http:\\S+)$`, "m").exec(service.stdout())?.[1];
  await until(() => find() !== undefined, `the address of ${name} is told`);
  return find()!;
}

/** A metric's lines: its labels → its value. */
function read(text: string, metric: string): Record<string, number> {
  const lines = text.matchAll(new RegExp(`^${metric}(?:\\{(.*)\\})? (\\S+)$`, "gm"));
  return Object.fromEntries([...lines].map(([, labels = "", value]) => [labels, Number(value)]));
}

test("what tasks and other turns did is counted, whoever ran them, and stays after a restart and a prune", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: MONITORED });
  const scrape = async (from = service) => (await fetch(await urlOf(from, "prometheus"))).text();
  assert.deepEqual(read(await scrape(), "hermes_tokens_used_total"), { "": 0 });

  assert.equal((await home.run(["run", "run `ls`"])).code, 0);
  const { stdout: id } = await home.run(["run", "--background", "run `ls; ls`"]);
  await home.run(["tasks", "wait", id.trim()]);
  const used = await runInProcess(home, ["tasks", "list", "--json"]);
  const { tasks } = JSON.parse(used.stdout) as { tasks: { tokens_used: number }[] };
  const tokens = tasks.reduce((sum, { tokens_used }) => sum + tokens_used, 0);
  const text = await scrape();
  assert.equal(read(text, "hermes_tasks_total")['status="completed"'], 2);
  assert.equal(read(text, "hermes_tool_calls_total")['tool="terminal"'], 2);
  assert.deepEqual(read(text, "hermes_tokens_used_total"), { "": tokens });
  assert.deepEqual(read(text, "hermes_task_duration_seconds_count"), { "": 2 });
  assert.deepEqual(read(text, "hermes_webhooks_pending"), { "": 2 });
  assert.ok(read(text, "hermes_webhooks_oldest_pending_seconds")[""]! > 0);
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
  assert.deepEqual(
    [status, stdout, stderr],
    [0, "", ""],
    "promtool of the Debian package prometheus has nothing to say",
  );

  await say(service, "run `ls`");
  const afterTurn = await scrape();
  assert.equal(read(afterTurn, "hermes_tool_calls_total")['tool="terminal"'], 3);
  assert.ok(read(afterTurn, "hermes_tokens_used_total")[""]! > tokens);
  await runInProcess(home, ["tasks", "prune", "--older-than", "0s"]);
  service.kill("SIGTERM");
  await service.ended;
  const again = await startServe(t, home, { config: MONITORED });
  const later = await scrape(again);
  for (const metric of ["hermes_tasks_total", "hermes_tool_calls_total", "hermes_tokens_used_total"])
    assert.deepEqual(read(later, metric), read(afterTurn, metric), metric);
});

test("health tells of a database that takes no writes, and of the drain", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: MONITORED });
  const health = await urlOf(service, "health");
  const statusOf = async (path = "/health") => (await fetch(new URL(path, health))).status;
  assert.equal(await statusOf(), 200);
  const other = new DatabaseSync(join(home.path, "state.db"), { timeout: 30_000 });
  other.exec("BEGIN IMMEDIATE");
  await until(async () => (await statusOf()) === 503, "a locked database is unhealthy");
  assert.equal(await statusOf("/livez"), 200);
  other.exec("ROLLBACK");
  other.close();
  await until(async () => (await statusOf()) === 200, "it is well again");

  const { stdout: id } = await home.run(["run", "--background", "run `sleep 600`"]);
  await until(
    async () => ((await (await fetch(health)).json()) as { active_tasks: number }).active_tasks === 1,
    "it runs",
  );
  service.kill("SIGTERM");
  await until(async () => (await statusOf("/readyz")) === 503, "it drains");
  assert.equal(await statusOf(), 503);
  await runInProcess(home, ["tasks", "cancel", id.trim()]);
  assert.equal((await service.ended).code, 0);
});
