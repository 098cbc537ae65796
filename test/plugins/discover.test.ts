import test from "node:test";
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { isHermesError } from "#core/errors";
import { discoverPlugins, type FoundPlugin } from "#plugins/discover";
import { parseManifest } from "#plugins/manifest";
import { orderPlugins } from "#plugins/order";
import { makePlugins } from "../helpers/plugins.ts";

const plain = (name: string) => ({ [`${name}/plugin.yaml`]: `name: ${name}`, [`${name}/index.js`]: "" });

test("plugins are found in order of their folders, with their states; nothing is executed", async (t) => {
  const folder = makePlugins(t, [], {
    ...plain("b"),
    ...plain("a"),
    "c/plugin.yaml": "name: sea",
    "c/index.ts": "throw new Error('executed')",
    "d/index.js": "",
    "tsconfig.json": "{}",
    ".git/x": "",
    "node_modules/x/plugin.yaml": "name: x",
  });
  const { plugins, warnings } = await discoverPlugins(folder, { enabled: ["sea", "a", "bb"], disabled: ["b", "a"] });
  assert.deepEqual(
    plugins.map(({ directory, name, state }) => [directory, name, state]),
    [
      ["a", "a", "disabled"],
      ["b", "b", "disabled"],
      ["c", "sea", "enabled"],
      ["d", "d", "error"],
      ["builtin", "boot-md", "enabled"],
      ["builtin", "approvals", "not_enabled"],
    ],
  );
  assert.match(plugins[3]!.error!, /d has no plugin\.yaml/);
  assert.deepEqual(warnings, ['plugins.enabled: there is no plugin "bb". Did you mean "b"?']);
});

test("a home without plugins, and one whose plugins cannot be read", async (t) => {
  const folder = makePlugins(t, []);
  const none = await discoverPlugins(join(folder, "none"), { enabled: [], disabled: [] });
  assert.deepEqual(
    none.plugins.map(({ directory }) => directory),
    ["builtin", "builtin"],
  );
  assert.deepEqual(none.warnings, []);
  symlinkSync(join(folder, "loop"), join(folder, "loop"));
  const { warnings } = await discoverPlugins(join(folder, "loop"), { enabled: [], disabled: [] });
  assert.match(warnings[0]!, /loop cannot be read, so there are no plugins/);
});

test("of two enabled plugins with one name the first keeps it", async (t) => {
  const folder = makePlugins(t, [], { ...plain("a"), "b/plugin.yaml": "name: a", "b/index.js": "" });
  const { plugins } = await discoverPlugins(folder, { enabled: ["a"], disabled: [] });
  assert.deepEqual(
    plugins.map(({ state }) => state),
    ["enabled", "error", "enabled", "not_enabled"],
  );
  assert.match(plugins[1]!.error!, /the name "a" is already used by [\w-]+\/a\.$/);
});

test("a manifest is forgiving about what it does not know", async () => {
  const text =
    "name: x\nversion: 1.0\nrequires_env: [{name: KEY, description: d}, OTHER]\nprovides_hooks: pre_llm_call\nmore: {}\n";
  assert.deepEqual(await parseManifest(text, "plugin.yaml"), {
    name: "x",
    version: "1",
    description: undefined,
    author: undefined,
    requiresEnv: ["KEY", "OTHER"],
    providesHooks: ["pre_llm_call"],
    providesTools: [],
    requiresPlugins: [],
  });
});

for (const [text, problem] of [
  ["", "f: expected keys such as"],
  ["- a", "f:1: expected keys"],
  ["name: [", "f:1: not valid YAML"],
  ["version: 1", 'f: name is missing; expected the plugin\'s name, such as "my-plugin"'],
  ["version: 1\nname: {}", "f:2: name is {}"],
  ["name: x\n\nrequires_env: 3", "f:3: requires_env is 3; expected a list of names"],
  [
    "name: x\na: &a [x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]",
    "f: not valid YAML",
  ],
] as const) {
  test(`a manifest of ${JSON.stringify(text.slice(0, 30))} is an error that says where`, async () => {
    await assert.rejects(parseManifest(text, "f"), (error) => {
      assert.ok(isHermesError(error));
      assert.equal(error.code, "HERMES_PLUGIN_MANIFEST");
      assert.ok(error.message.startsWith(problem.slice(0, 2)), error.message);
      assert.ok(error.message.includes(problem.slice(2)), error.message);
      return true;
    });
  });
}

test("whatever the text, a manifest is read or refused with its code", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      try {
        assert.equal(typeof (await parseManifest(text, "f")).name, "string");
      } catch (error) {
        assert.ok(isHermesError(error) && error.code === "HERMES_PLUGIN_MANIFEST");
      }
    }),
  );
});

test("the order holds every plugin once, each after those it requires, else by folder", () => {
  const names = ["a", "b", "c", "d", "e"];
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names))), (edges) => {
      const { plugins, warnings } = orderPlugins(
        names.map((name) =>
          found(
            name,
            edges.filter(([from, to]) => from === name && to !== name).map(([, to]) => to),
          ),
        ),
      );
      const order = plugins.map(({ name }) => name);
      assert.deepEqual(order.toSorted(), names);
      // Whatever circles there are, a plugin outside of them comes after those that it requires.
      const requires = (from: string, to: string, seen: readonly string[] = []): boolean =>
        edges.some(
          ([start, end]) =>
            start === from && start !== end && !seen.includes(end) && (end === to || requires(end, to, [...seen, end])),
        );
      for (const [from, to] of edges) {
        assert.ok(from === to || requires(to, from) || order.indexOf(to) < order.indexOf(from));
      }
      assert.equal(warnings.length === 0, !names.some((name) => requires(name, name)));
      if (edges.every(([from, to]) => from === to)) assert.deepEqual(order, names);
    }),
  );
});

test("the members of a circle keep their place among the others", () => {
  const order = (requirements: Readonly<Record<string, readonly string[]>>) =>
    orderPlugins(Object.entries(requirements).map(([name, needs]) => found(name, needs)));
  const { plugins, warnings } = order({ a: [], b: ["d"], c: [], d: ["b"], e: ["a"] });
  assert.deepEqual(plugins.map(({ name }) => name).join(""), "abcde");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /\("b" → "d" → "b"\)/);
  // Two circles that share a member are one; what they require outside still comes first.
  const shared = order({ a: ["b"], b: ["a", "c"], c: ["b", "z"], d: [], z: [] });
  assert.deepEqual(shared.plugins.map(({ name }) => name).join(""), "abdzc");
  assert.equal(shared.warnings.length, 1);
});

function found(name: string, requiresPlugins: readonly string[]): FoundPlugin {
  return {
    directory: name,
    folder: name,
    name,
    manifest: {
      name,
      requiresPlugins,
      version: undefined,
      description: undefined,
      author: undefined,
      requiresEnv: [],
      providesHooks: [],
      providesTools: [],
    },
    entry: "index.js",
    state: "enabled",
    error: undefined,
    wanted: true,
    exposed: null,
  };
}
