/** What docs/tasks.md shows, as it stands there. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { parse } from "yaml";
import { DEFAULTS } from "#core/home/config-defaults";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { until } from "../helpers/poll.ts";

const PAGE = "docs/tasks.md";
const sh = examplesOf(PAGE, "sh");
const yaml = examplesOf(PAGE, "yaml");

test("every block of the page is an example that is tried here", () => {
  assert.deepEqual([...sh.keys()], ["task-background", "task-look"]);
  // `hermes worker` alone runs until it is stopped.
  assert.equal(countBlocks(PAGE, "sh"), 3);
  assert.equal(countBlocks(PAGE, "yaml"), 1);
});

test("the configuration is that of the defaults, and valid", async (t) => {
  const text = yaml.get("task-config")!;
  assert.deepEqual((parse(text) as { background: unknown }).background, DEFAULTS.background);
  const newcomer = new Newcomer(t);
  mkdirSync(join(newcomer.home, ".hermes"));
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), text);
  assert.equal((await newcomer.run("hermes config check")).code, 0);
});

test("a task is started, listed and followed to its end", async (t) => {
  const newcomer = new Newcomer(t);
  const started = await newcomer.run(sh.get("task-background")!);
  assert.equal(started.code, 0, started.stderr);
  const ID = started.stdout.trim();
  const looked = await newcomer.run(sh.get("task-look")!, { env: { ID } });
  assert.equal(looked.code, 0, looked.stderr);
  assert.match(looked.stdout, new RegExp(`${ID}[^]*analyze this codebase`));
  // Its worker would end by itself after a while.
  const run = join(newcomer.home, ".hermes/run");
  const worker = readdirSync(run).find((name) => /^worker-\d+\.json$/.test(name))!;
  const { pid } = JSON.parse(readFileSync(join(run, worker), "utf8")) as { pid: number };
  process.kill(pid, "SIGTERM");
  await until(() => !readdirSync(run).includes(worker), "the worker has ended");
});
