/** The order of a reload: one after another, once for all who ask, and nothing is swapped at the end of the program. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig, type Config } from "#core/home/config";
import type { Log } from "#core/home/log";
import { homePaths } from "#core/home/paths";
import type { PluginHost, StagedPlugins } from "#plugins/host";
import { createReloads, type ReloadListener } from "#cli/reload";
import type { ShellHooks } from "#cli/shell-hooks";
import { until } from "../helpers/poll.ts";

/** Reloads over a real configuration; hooks and plugins are stand-ins that keep a record. */
async function bench(t: TestContext, options: { problems?: readonly string[] } = {}) {
  const home = mkdtempSync(join(tmpdir(), "hermes-reload-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const paths = homePaths(home);
  const record: string[] = [];
  let config: Config = await loadConfig(paths, {});
  const staging: PromiseWithResolvers<void>[] = [];
  const staged: StagedPlugins = {
    fresh: ["p"],
    gone: [],
    failed: options.problems !== undefined,
    problems: options.problems ?? [],
    gates: [],
    swap: () => void record.push("plugins"),
    discard: async () => void record.push("discarded"),
  };
  const shellHooks: Pick<ShellHooks, "prepare" | "guards" | "guardsOf"> = {
    guards: () => [],
    guardsOf: async () => [],
    prepare: async () => ({ warnings: [], added: 1, removed: 0, swap: () => void record.push("shell") }),
  };
  const plugins: Pick<PluginHost, "stage" | "gates" | "gatesUnder"> = {
    gates: () => [],
    gatesUnder: async () => [],
    async stage(_, { everyFile } = {}) {
      record.push(`stage${everyFile ? " every file" : ""}`);
      const step = Promise.withResolvers<void>();
      staging.push(step);
      await step.promise;
      return staged;
    },
  };
  const listeners = new Set<ReloadListener>();
  const log: Log = {
    debug: () => undefined,
    info: (text) => void record.push(`log ${text}`),
    warn: () => undefined,
    error: () => undefined,
    child: () => log,
  };
  const reloads = createReloads({
    paths,
    env: {},
    config: () => config,
    check: ({ demand }) => demand("agent"),
    shellHooks: shellHooks as ShellHooks,
    plugins: plugins as PluginHost,
    swap: (other) => {
      config = other;
      record.push(`config ${other.values.agent.max_iterations}`);
    },
    stages: [],
    listeners,
    onChange: () => void record.push("changed"),
    log,
    warn: (sentence) => void record.push(`warn ${sentence}`),
    note: (sentence) => void record.push(`note ${sentence}`),
  });
  const write = (text: string) => writeFileSync(paths.config, text);
  /** Lets the staging that goes on end, once it has begun. */
  const proceed = async (number: number) => {
    await until(() => staging.length >= number, `staging ${number} has begun`);
    staging[number - 1]!.resolve();
  };
  return { reloads, record, write, proceed, listeners, paths };
}

test("the swaps come in one step, then those who listen, then what is said", async (t) => {
  const { reloads, record, write, proceed, listeners } = await bench(t);
  listeners.add((config, notes) => {
    record.push(`listener ${config.values.agent.max_iterations}`);
    notes.changed("a third thing");
    notes.warn("Something is odd.");
  });
  write("agent: { max_iterations: 5 }\n");
  const reloading = reloads.reload();
  await proceed(1);
  assert.deepEqual(await reloading, {
    ok: true,
    changes: ["configuration: agent", "shell hooks: 1 added, 0 removed", "plugins reloaded: p", "a third thing"],
    problems: ["Something is odd."],
  });
  assert.deepEqual(record, [
    "stage",
    "config 5",
    "shell",
    "plugins",
    "listener 5",
    "changed",
    "log reloaded: configuration: agent; shell hooks: 1 added, 0 removed; plugins reloaded: p; a third thing",
    "warn Something is odd.",
  ]);
});

test("who asks while a reload goes on gets the next one, all of them the same", async (t) => {
  const { reloads, record, write, proceed } = await bench(t);
  const first = reloads.reload();
  await until(() => record.includes("stage"), "staging has begun");
  write("agent: { max_iterations: 6 }\n");
  const others = [reloads.reload(), reloads.reload({ everyFile: true }), reloads.reload()];
  await proceed(1);
  assert.deepEqual((await first).changes, ["shell hooks: 1 added, 0 removed", "plugins reloaded: p"]);
  await proceed(2);
  const reports = await Promise.all(others);
  assert.ok(reports.every((report) => report === reports[0]));
  assert.equal(reports[0]!.changes[0], "configuration: agent");
  assert.deepEqual(
    record.filter((line) => line.startsWith("stage")),
    ["stage", "stage every file"],
  );
});

test("what goes wrong is said once until it is mended; a listener that throws does not keep the others", async (t) => {
  const { reloads, record, write, proceed, listeners } = await bench(t);
  const notes = () => record.filter((line) => line.startsWith("note"));
  const broken: ReloadListener = () => {
    throw new Error("the listener broke");
  };
  listeners.add(broken);
  listeners.add(() => void record.push("the other listener"));
  let steps = 0;
  const reload = async () => {
    const reloading = reloads.reload();
    await proceed(++steps);
    return reloading;
  };
  assert.deepEqual((await reload()).problems, ["the listener broke"]);
  write("agent: { max_iterations: five }\n");
  const bad = await reload();
  assert.equal(bad.ok, false);
  assert.match(bad.problems[0]!, /config\.yaml:1: agent\.max_iterations: .*stays active\.$/);
  await reload();
  assert.equal(notes().length, 2);
  assert.equal(record.filter((line) => line === "the other listener").length, 3);
  listeners.delete(broken);
  write("agent: { max_iterations: 5 }\n");
  assert.equal((await reload()).ok, true);
  write("agent: { max_iterations: five }\n");
  await reload();
  assert.equal(notes().length, 3, "after it was mended it is news again");
});

test("plugins that failed make a reload fail", async (t) => {
  const { reloads, proceed } = await bench(t, { problems: ['plugin "p" was not loaded anew'] });
  const reloading = reloads.reload();
  await proceed(1);
  const { ok, problems } = await reloading;
  assert.deepEqual([ok, problems], [false, ['plugin "p" was not loaded anew']]);
});

test("at the end of the program nothing is swapped any more", async (t) => {
  const { reloads, record, proceed } = await bench(t);
  const reloading = reloads.reload();
  await until(() => record.includes("stage"), "staging has begun");
  const closing = reloads.close();
  await proceed(1);
  await Promise.all([closing, reloading]);
  assert.deepEqual(record, ["stage", "discarded"]);
  assert.deepEqual((await reloads.reload()).problems, ["The process is shutting down."]);
});
