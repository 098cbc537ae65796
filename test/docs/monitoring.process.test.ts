/** What docs/monitoring.md shows, as it stands there: only ports are replaced. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { freePort } from "../helpers/ports.ts";

const PAGE = "docs/monitoring.md";
const yaml = examplesOf(PAGE, "yaml");
const sh = examplesOf(PAGE, "sh");

function promtool(...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync("promtool", args, { encoding: "utf8" });
  assert.equal(error, undefined, "promtool of the Debian package prometheus is needed");
  assert.equal(status, 0, stdout + stderr);
}

test("every block of the page is an example that is tried here", () => {
  assert.equal(countBlocks(PAGE, "yaml"), yaml.size);
  assert.deepEqual([...sh.keys()], ["monitoring-ask"]);
  assert.equal(countBlocks(PAGE, "sh"), sh.size);
});

test("the blocks switch both on, and the questions are answered", async (t) => {
  const [metrics, health] = [String(await freePort()), String(await freePort())];
  const withPorts = (text: string) => text.replaceAll("9090", metrics).replaceAll("8080", health);
  const newcomer = new Newcomer(t);
  mkdirSync(join(newcomer.home, ".hermes"));
  const [prometheus, other] = [yaml.get("monitoring-prometheus")!, yaml.get("monitoring-health")!];
  const config = withPorts(prometheus + other.replace("monitoring:\n", ""));
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), config);
  const { code, stdout, stderr } = await newcomer.run(`${withPorts(sh.get("monitoring-ask")!)}\nkill %1; wait %1`);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\{"status":"healthy","uptime":\d+,"active_tasks":0,"memory_mb":\d+\}/);
  assert.match(stdout, /^hermes_tasks_total\{status="completed"\} 0$/m);
});

test("Prometheus takes the configuration and the alerts of the page", (t) => {
  const { home } = new Newcomer(t);
  const write = (name: string, text: string) => {
    writeFileSync(join(home, name), text);
    return join(home, name);
  };
  promtool("check", "config", write("prometheus.yml", yaml.get("monitoring-scrape")!));
  promtool("check", "rules", write("alerts.yml", yaml.get("monitoring-alerts")!));
});
