import test from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadFixtures, makeHost, makePlugins } from "../helpers/plugins.ts";

const call = { tool_call_id: "c", session_id: "s1", cwd: "/", signal: new AbortController().signal, depth: 0 };

test("a plugin brings hooks, tools and commands, and they work", async (t) => {
  const bench = await loadFixtures(t, ["brings-everything"], { enabled: ["everything"] });
  assert.deepEqual(bench.host.list(), [
    {
      name: "everything",
      directory: "brings-everything",
      state: "enabled",
      hooks: ["pre_llm_call"],
      tools: ["greet"],
      commands: ["greet"],
    },
    { name: "boot-md", directory: "builtin", state: "enabled", hooks: [], tools: [], commands: [] },
    { name: "approvals", directory: "builtin", state: "not_enabled", hooks: [], tools: [], commands: [] },
  ]);
  assert.deepEqual(await bench.fire("pre_llm_call"), { kind: "context", text: "hello" });
  const [tool] = bench.host.tools();
  assert.deepEqual(await tool!.execute({ who: "Ada" }, call), { text: "hello Ada", session_id: "s1" });
  const [command] = bench.host.commands();
  assert.equal(await command!.run("you"), "hello you");
});

test("what is built in stays so, unknown events register nothing, and each is one warning", async (t) => {
  const { warnings } = await loadFixtures(t, ["brings-everything"]);
  assert.deepEqual(warnings, [
    'plugin "everything": the tool "terminal" is built in, so the plugin\'s tool was not added.',
    'plugin "everything": the command /help is built in, so the plugin\'s command was not added.',
    'plugin "everything": there is no hook event "pre_tool_cal"; nothing was registered. Did you mean "pre_tool_call"?',
    'plugin "everything": there is no hook event "session:start"; nothing was registered. It is a gateway event: use ctx.on.',
    'plugin "everything": there is no gateway event "pre_tool_call"; nothing was registered. It is a hook event: use ctx.register_hook.',
  ]);
});

test("ctx.on and ctx.emit reach the registry", async (t) => {
  const bench = await loadFixtures(t, ["brings-everything"]);
  const seen: unknown[] = [];
  bench.registry.register("greeted:*", (event_type, context) => void seen.push([event_type, context]));
  await bench.registry.emit("session:start", { session_id: "s" });
  assert.deepEqual(seen, [["greeted:someone", { event_type: "session:start", session_id: "s" }]]);
});

test("unload takes everything back and runs on_unload in reverse order", async (t) => {
  const bench = await loadFixtures(t, ["brings-everything"], { entries: { everything: { settings: { a: 1 } } } });
  await bench.host.unload();
  assert.equal(bench.dispatcher.hooksOf("pre_llm_call").length, 0);
  assert.deepEqual([bench.host.tools(), bench.host.commands()], [[], []]);
  assert.deepEqual(bench.lines.slice(-4), [
    'info everything: settings {"a":1}',
    'warn everything: plugin "everything": its on_unload failed: unload trouble',
    "info everything: unloaded last registered",
    "info everything: unloaded first",
  ]);
});

test("settings are interpolated and frozen; an unset variable is the plugin's error", async (t) => {
  const written = {
    "s/plugin.yaml": "name: s",
    "s/index.mjs": `export function register(ctx) {
      ctx.logger.info("%s %s", ctx.settings.url, Object.isFrozen(ctx.settings.deep));
    }`,
  };
  const entries = { s: { settings: { url: "http://${HERMES_TEST_HOST}", deep: {} } } };
  const good = await loadFixtures(t, [], { written, entries, env: { HERMES_TEST_HOST: "here" } });
  assert.deepEqual(good.lines, ["info s: http://here true"]);
  const bad = await loadFixtures(t, [], { written, entries, env: {} });
  assert.match(bad.host.list()[0]!.error!, /plugins\.entries\.s\.settings\.url: .*HERMES_TEST_HOST is not set/);
});

test("a plugin comes after those it requires; a requirement that is not there is its error", async (t) => {
  const say = (name: string) => `export function register(ctx) { ctx.logger.info("${name}"); }`;
  const written = {
    "a/plugin.yaml": "name: a\nrequires_plugins: [c]",
    "a/index.js": say("a"),
    "b/plugin.yaml": "name: b",
    "b/index.js": say("b"),
    "c/plugin.yaml": "name: c",
    "c/index.js": say("c"),
    "d/plugin.yaml": "name: d\nrequires_plugins: [e]",
    "d/index.js": say("d"),
    "e/plugin.yaml": "name: e",
    "e/index.js": "export const x = ;",
    "f/plugin.yaml": "name: f\nrequires_plugins: [off]",
    "f/index.js": say("f"),
    "g/plugin.yaml": "name: g\nrequires_plugins: [cc]",
    "g/index.js": say("g"),
    "off/plugin.yaml": "name: off",
    "off/index.js": say("off"),
  };
  const { lines, host } = await loadFixtures(t, [], { written, enabled: ["a", "b", "c", "d", "e", "f", "g"] });
  assert.deepEqual(
    lines.filter((line) => line.startsWith("info")),
    ["info b: b", "info c: c", "info a: a"],
  );
  const errors = new Map(host.list().map(({ name, error }) => [name, error]));
  assert.match(errors.get("d")!, /requires the plugin "e", which could not be loaded/);
  assert.match(errors.get("f")!, /requires the plugin "off", which is not enabled/);
  assert.match(errors.get("g")!, /requires the plugin "cc", which does not exist\. Did you mean "c"\?/);
});

test("loading again loads the entry and its helpers again", async (t) => {
  const folder = makePlugins(t, [], {
    "r/plugin.yaml": "name: r",
    "r/index.ts": `import { value } from "./lib/helper.js";
      export function register(ctx: { logger: { info(text: string): void } }) { ctx.logger.info(value); }`,
    "r/lib/helper.js": 'export { value } from "./deep.js";',
    "r/lib/deep.js": 'export const value = "first";',
  });
  const first = await makeHost(t, folder, ["r"]);
  await first.host.load(first.config);
  writeFileSync(join(folder, "r/lib/deep.js"), 'export const value = "second";');
  const second = await makeHost(t, folder, ["r"]);
  await second.host.load(second.config);
  assert.deepEqual([first.lines, second.lines], [["info r: first"], ["info r: second"]]);
});

test("a plugin's folder may be a symlink, its name may hold spaces", async (t) => {
  const folder = makePlugins(t, ["brings-everything", "uses-enum"]);
  mkdirSync(join(folder, "..", "elsewhere"), { recursive: true });
  const away = makePlugins(t, []);
  renameSync(join(folder, "brings-everything"), join(away, "my plugin"));
  renameSync(join(folder, "uses-enum"), join(away, "bad plugin"));
  symlinkSync(join(away, "my plugin"), join(folder, "linked"));
  symlinkSync(join(away, "bad plugin"), join(folder, "linked-bad"));
  symlinkSync(join(away, "gone"), join(folder, "nowhere"));
  const { host, config } = await makeHost(t, folder, ["linked", "linked-bad"]);
  await host.load(config);
  const [linked, bad, nowhere] = host.list();
  assert.equal(linked!.state, "enabled");
  assert.match(bad!.error!, /bad plugin\/index\.ts:3: /);
  assert.match(nowhere!.error!, /is a broken symbolic link/);
});

test("safe mode loads nothing", async (t) => {
  const bench = await loadFixtures(t, ["brings-everything", "uses-enum"], { safeMode: true });
  assert.deepEqual(
    bench.host.list().map(({ state }) => state),
    ["disabled", "disabled", "disabled", "not_enabled"],
  );
  assert.deepEqual([bench.lines, bench.warnings], [[], []]);
});

test("run_turn and deliver reach their ports, and say so where there is none", async (t) => {
  const written = {
    "p/plugin.yaml": "name: p",
    "p/index.js": `export function register(ctx) {
      ctx.register_command({ name: "turn", description: "", handler: async (prompt) => JSON.stringify(await ctx.run_turn({ prompt })) });
      ctx.register_command({ name: "tell", description: "", handler: (text) => ctx.deliver(text) });
    }`,
  };
  const told: unknown[] = [];
  const turnResult = { finish_reason: "length", notice: "It was cut off.", completed: true, interrupted: false };
  const bench = await loadFixtures(t, [], {
    written,
    run_turn: ({ prompt, plugin }) => Promise.resolve({ ...turnResult, text: `${plugin}: ${prompt}` }),
    deliver: async (message) => void told.push(message),
  });
  const [turn, tell] = bench.host.commands();
  assert.deepEqual(JSON.parse((await turn!.run("hi"))!), { ...turnResult, text: "p: hi" });
  assert.equal(await tell!.run("news"), null);
  assert.deepEqual(told, [{ text: "news", plugin: "p" }]);
  const without = await loadFixtures(t, [], { written });
  await assert.rejects(without.host.commands()[0]!.run("hi"), { code: "HERMES_PLUGIN_UNAVAILABLE" });
});

test("callbacks run in load order, a modify merges, the first block ends it", async (t) => {
  const hook = (answer: string) => `import { definePlugin } from "hermes-hooks/plugin";
    export default definePlugin({ hooks: { pre_tool_call: ({ args }) => (${answer}) } });`;
  const bench = await loadFixtures(t, [], {
    written: {
      "a/plugin.yaml": "name: a",
      "a/index.js": hook('{ action: "modify", args: { x: 1 } }'),
      "b/plugin.yaml": "name: b",
      "b/index.js": hook('{ action: "block", message: JSON.stringify(args) }'),
      "c/plugin.yaml": "name: c",
      "c/index.js": hook('{ action: "block", message: "too late" }'),
    },
  });
  const decision = await bench.fire("pre_tool_call", { args: { y: 2 } });
  assert.deepEqual(decision, { kind: "block", message: '{"y":2,"x":1}' });
  assert.deepEqual(
    bench.runs.map(({ name, outcome }) => [name, outcome]),
    [
      ["a", "modify"],
      ["b", "block"],
    ],
  );
});

test("what a plugin registers after its unload does nothing, and is warned about", async (t) => {
  const bench = await loadFixtures(t, [], {
    written: {
      "l/plugin.yaml": "name: l",
      "l/index.js": `export function register(ctx) {
        ctx.on("late:event", () => ctx.register_hook("pre_tool_call", () => undefined));
        const undo = ctx.register_hook("post_tool_call", () => undefined);
        undo(); undo();
        ctx.on_unload(() => ctx.register_hook("pre_tool_call", () => undefined));
      }`,
    },
  });
  assert.equal(bench.dispatcher.hooksOf("post_tool_call").length, 0);
  await bench.host.unload();
  assert.equal(bench.dispatcher.hooksOf("pre_tool_call").length, 0);
  assert.match(bench.warnings.join(), /is unloaded, so its ctx\.register_hook\("pre_tool_call"\) had no effect/);
});

test("entries for plugins that are not there are warned about; on_error at a gate that fails open, too", async (t) => {
  const bench = await loadFixtures(t, [], {
    written: {
      "guard/plugin.yaml": "name: guard",
      "guard/index.js":
        'export function register(ctx) { ctx.register_hook("pre_gateway_dispatch", () => { throw 1; }); }',
    },
    enabled: ["guard", "gard"],
    entries: { guard: { on_error: "block" }, guart: {} },
  });
  assert.deepEqual(bench.warnings, [
    'plugins.enabled: there is no plugin "gard". Did you mean "guard"?',
    'plugins.entries: there is no plugin "guart". Did you mean "guard"?',
    'plugin "guard": "on_error: block" has no effect at pre_gateway_dispatch, which always fails open.',
  ]);
  assert.deepEqual(await bench.fire("pre_gateway_dispatch"), { kind: "pass" });
});
