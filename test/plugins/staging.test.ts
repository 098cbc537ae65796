/** Plugins that are loaded anew beside those that run: nothing counts before the swap, everything after it. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig, type Config } from "#core/home/config";
import type { StagedPlugins } from "#plugins/host";
import { loadFixtures, type PluginBench } from "../helpers/plugins.ts";
import { until } from "../helpers/poll.ts";

/** A plugin that answers `pre_llm_call` with its name and the word of its helper, and tells the log of its life. */
function speaker(name: string, word: string): Record<string, string> {
  return {
    [`${name}/plugin.yaml`]: `name: ${name}`,
    [`${name}/index.ts`]: `import { word } from "./lib/word.ts";
      export function register(ctx) {
        ctx.register_hook("pre_llm_call", () => ctx.name + word);
        ctx.register_tool({ name: ctx.name + "_tool", description: "", handler: () => word });
        ctx.on("asked:word", () => ctx.logger.info("heard " + word));
        ctx.on_unload(() => ctx.logger.info("unloaded " + word));
      }`,
    [`${name}/lib/word.ts`]: `export const word: string = "${word}";`,
  };
}

async function stage(bench: PluginBench, config: Config = bench.config): Promise<StagedPlugins> {
  const staged = await bench.host.stage(config);
  assert.ok(staged, "something has changed");
  return staged;
}

const words = async (bench: PluginBench) => {
  const decision = (await bench.fire("pre_llm_call")) as { text?: string };
  return decision.text?.split("\n\n") ?? [];
};

const change = (bench: PluginBench, file: string, text: string) => writeFileSync(join(bench.folder, file), text);
const speakers = (t: TestContext) =>
  loadFixtures(t, [], { written: { ...speaker("a", "1"), ...speaker("b", "1"), ...speaker("c", "1") } });

test("while nothing has changed there is nothing to stage; data that a plugin writes is no change of it", async (t) => {
  const bench = await speakers(t);
  assert.equal(await bench.host.stage(bench.config), undefined);
  change(bench, "a/activity.log", "a line");
  change(bench, "a/state.json", "{}");
  assert.equal(await bench.host.stage(bench.config), undefined);
  const asked = await bench.host.stage(bench.config, { everyFile: true });
  assert.deepEqual(asked?.fresh, ["a", "b", "c"]);
  await asked.discard();
});

test("a changed helper loads all anew; until the swap the old ones run, after it the new ones, in the same order", async (t) => {
  const bench = await speakers(t);
  change(bench, "b/lib/word.ts", 'export const word: string = "2";');
  const staged = await stage(bench);
  assert.deepEqual(await words(bench), ["a1", "b1", "c1"]);
  bench.registry.emit_sync("asked:word");
  assert.deepEqual(bench.lines.splice(0), ["info a: heard 1", "info b: heard 1", "info c: heard 1"]);
  staged.swap();
  assert.deepEqual(await words(bench), ["a1", "b2", "c1"]);
  bench.registry.emit_sync("asked:word");
  assert.deepEqual(bench.lines.splice(0), ["info a: heard 1", "info b: heard 2", "info c: heard 1"]);
  assert.deepEqual(
    bench.host.tools().map(({ name }) => name),
    ["a_tool", "b_tool", "c_tool"],
  );
  await until(() => bench.lines.length === 3, "three lines are logged after the swap");
  assert.deepEqual(bench.lines, ["info c: unloaded 1", "info b: unloaded 1", "info a: unloaded 1"]);
  assert.deepEqual([staged.failed, staged.problems, bench.warnings], [false, [], []]);
});

for (const [what, file, text] of [
  ["a syntax error", "b/lib/word.ts", "export const word: string = "],
  ["a half-written manifest", "b/plugin.yaml", "name: [b"],
  ["a manifest that is gone", "b/plugin.yaml", null],
  ["a register that throws", "b/index.ts", "export function register() { throw new Error('no'); }"],
] as const) {
  test(`${what}: the last good version goes on in its place, the others are new, and it is said where`, async (t) => {
    const bench = await speakers(t);
    change(bench, "a/lib/word.ts", 'export const word: string = "2";');
    change(bench, "c/lib/word.ts", 'export const word: string = "2";');
    if (text === null) rmSync(join(bench.folder, file));
    else change(bench, file, text);
    const staged = await stage(bench);
    assert.deepEqual(staged.fresh, ["a", "c"]);
    assert.deepEqual([staged.failed, staged.gone], [true, []]);
    const problem = staged.problems.find((sentence) => sentence.includes("last valid version keeps running"));
    assert.match(problem ?? "", /plugin "b" was not reloaded/);
    assert.ok(problem?.includes(text === null ? join(bench.folder, "b") : join(bench.folder, file)), problem);
    staged.swap();
    assert.deepEqual(await words(bench), ["a2", "b1", "c2"]);
    const listed = bench.host.list().find(({ name }) => name === "b");
    assert.equal(listed?.state, "enabled");
    assert.deepEqual(listed?.tools, ["b_tool"]);
    assert.ok(listed?.error);
    // And again: the version that was kept is kept once more, and replaced when the plugin is mended.
    assert.equal(await bench.host.stage(bench.config), undefined, "what failed is not tried again until it changes");
    for (const [path, content] of Object.entries(speaker("b", "3"))) change(bench, path, content);
    const mended = await stage(bench);
    mended.swap();
    assert.deepEqual(await words(bench), ["a2", "b3", "c2"]);
    assert.deepEqual([mended.failed, mended.problems], [false, []]);
  });
}

for (const [how, read] of [
  ["imports", 'import words from "./words.json" with { type: "json" };'],
  [
    "requires",
    `import { createRequire } from "node:module";
     const require = createRequire(import.meta.url);
     const words = require("./words.json");`,
  ],
] as const) {
  test(`an edit of the JSON that a plugin ${how} is a change of the plugin`, async (t) => {
    const entry = `${read}
      export function register(ctx) { ctx.register_hook("pre_llm_call", () => words.hello); }`;
    const written = { "j/plugin.yaml": "name: j", "j/index.ts": entry, "j/words.json": '{"hello":"one"}' };
    const bench = await loadFixtures(t, [], { written });
    change(bench, "j/words.json", '{"hello":"two"}');
    (await stage(bench)).swap();
    assert.deepEqual(await words(bench), ["two"]);
  });
}

test("a name goes from one plugin to another in one swap", async (t) => {
  const tool = (name: string, owner: string) => `export function register(ctx) {
    ctx.register_tool({ name: "${name}", description: "", handler: () => "${owner}" });
    ctx.register_command({ name: "${name}", description: "", handler: () => "${owner}" });
  }`;
  const written = {
    "a/plugin.yaml": "name: a",
    "a/index.ts": tool("wanted", "a"),
    "b/plugin.yaml": "name: b",
    "b/index.ts": tool("other", "b"),
  };
  const bench = await loadFixtures(t, [], { written });
  change(bench, "a/index.ts", tool("other", "a"));
  change(bench, "b/index.ts", tool("wanted", "b"));
  (await stage(bench)).swap();
  const commands = await Promise.all(bench.host.commands().map(async ({ name, run }) => [name, await run("")]));
  assert.deepEqual(commands, [
    ["other", "a"],
    ["wanted", "b"],
  ]);
  assert.deepEqual(bench.warnings, []);
});

test("a plugin that is no longer enabled goes, one that is added comes; settings are those of the new configuration", async (t) => {
  const bench = await speakers(t);
  const config = await parseConfig("plugins: { enabled: [a, c], callback_timeout_seconds: 9 }", "config.yaml", {});
  const staged = await stage(bench, config);
  assert.deepEqual(staged.gone, ["b"]);
  staged.swap();
  assert.deepEqual(await words(bench), ["a1", "c1"]);
  assert.deepEqual(
    bench.dispatcher.hooks().map(({ deadlineSeconds }) => deadlineSeconds),
    [9, 9],
  );
  (await stage(bench, bench.config)).swap();
  assert.deepEqual(await words(bench), ["a1", "b1", "c1"]);
});

test("what is under way ends on the old version before its on_unload runs", async (t) => {
  const slow = (version: string) => `export function register(ctx) {
    ctx.register_hook("pre_llm_call", async () => {
      ctx.logger.info("begins ${version}");
      await globalThis[Symbol.for("hermes test gate")];
      ctx.logger.info("ends ${version}");
      return "${version}";
    });
    ctx.on_unload(() => ctx.logger.info("unloaded ${version}"));
  }`;
  const gate = Promise.withResolvers<void>();
  const globals = globalThis as Record<symbol, unknown>;
  globals[Symbol.for("hermes test gate")] = gate.promise;
  t.after(() => delete globals[Symbol.for("hermes test gate")]);
  const bench = await loadFixtures(t, [], { written: { "s/plugin.yaml": "name: s", "s/index.ts": slow("old") } });
  const before = words(bench);
  change(bench, "s/index.ts", slow("new"));
  (await stage(bench)).swap();
  const after = words(bench);
  gate.resolve();
  assert.deepEqual([await before, await after], [["old"], ["new"]]);
  await until(() => bench.lines.some((line) => line.includes("unloaded")), "the old one is unloaded");
  assert.deepEqual(
    bench.lines.filter((line) => line.includes("old")),
    ["info s: begins old", "info s: ends old", "info s: unloaded old"],
  );
});

test("one that is discarded leaves nothing behind, and an old one adds nothing any more", async (t) => {
  const entry = (version: string) => `let late;
    export function register(ctx) {
      ctx.register_hook("pre_llm_call", () => "${version}");
      ctx.register_command({ name: "late${version}", description: "", handler: () => ctx.register_hook("pre_llm_call", () => "late") });
      ctx.on_unload(() => ctx.logger.info("unloaded ${version}"));
    }`;
  const bench = await loadFixtures(t, [], { written: { "s/plugin.yaml": "name: s", "s/index.ts": entry("1") } });
  const [old] = bench.host.commands();
  change(bench, "s/index.ts", entry("2"));
  await (await stage(bench)).discard();
  assert.deepEqual([await words(bench), bench.lines], [["1"], ["info s: unloaded 2"]]);
  (await stage(bench)).swap();
  await old!.run("");
  assert.deepEqual(await words(bench), ["2"]);
  assert.match(
    bench.warnings.join(),
    /plugin "s" is unloaded, so its ctx\.register_hook\("pre_llm_call"\) had no effect/,
  );
});

test("a guard that is marked to block and has no good version blocks until it loads", async (t) => {
  const written = { "g/plugin.yaml": "name: g", "g/index.ts": "export function register() { throw new Error('x') }" };
  const bench = await loadFixtures(t, [], { written, entries: { g: { on_error: "block" } } });
  assert.equal(((await bench.fire("pre_tool_call")) as { kind: string }).kind, "block");
  change(bench, "g/index.ts", "export function register() {}");
  (await stage(bench)).swap();
  assert.equal(((await bench.fire("pre_tool_call")) as { kind: string }).kind, "pass");
  change(bench, "g/index.ts", "export function register() { throw new Error('y') }");
  (await stage(bench)).swap();
  assert.equal(((await bench.fire("pre_tool_call")) as { kind: string }).kind, "pass", "the last good version goes on");
});
