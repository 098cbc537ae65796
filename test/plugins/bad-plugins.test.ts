/** Every way a plugin can be bad (issue 2, "Bad input and faults"): it is named, the others and the program go on. */
import test from "node:test";
import assert from "node:assert/strict";
import { loadFixtures } from "../helpers/plugins.ts";

const onlyListing = async (...input: Parameters<typeof loadFixtures>) => {
  const bench = await loadFixtures(...input);
  return { bench, listing: bench.host.list()[0]! };
};

for (const [fixture, problem] of [
  ["throws", /broken on purpose/],
  ["throws-a-string", /just a string/],
  ["rejects-later", /rejected later/],
  ["mutates-its-payload", /Cannot assign to read only property 'command'/],
  ["returns-functions", /an invalid answer to pre_tool_call/],
] as const) {
  test(`a callback that ${fixture} is named and skipped`, async (t) => {
    const bench = await loadFixtures(t, [fixture]);
    const args = { command: "echo hello" };
    assert.deepEqual(await bench.fire("pre_tool_call", { args }), { kind: "pass" });
    assert.deepEqual(args, { command: "echo hello" });
    const [run] = bench.runs;
    assert.equal(run!.name, fixture);
    assert.equal(run!.outcome, "error");
    assert.match(run!.detail!, problem);
  });

  test(`a callback that ${fixture} blocks where on_error is block`, async (t) => {
    const bench = await loadFixtures(t, [fixture], { entries: { [fixture]: { on_error: "block" } } });
    const decision = (await bench.fire("pre_tool_call")) as { kind: string; message: string };
    assert.equal(decision.kind, "block");
    assert.match(decision.message, problem);
  });
}

test("a callback that never settles is given up at its deadline, and blocks if it is marked so", async (t) => {
  const options = { callback_timeout_seconds: 0.05 };
  const skipping = await loadFixtures(t, ["never-settles"], options);
  assert.deepEqual(await skipping.fire("pre_tool_call"), { kind: "pass" });
  assert.equal(skipping.runs[0]!.outcome, "timeout");
  assert.match(skipping.runs[0]!.detail!, /"never-settles" did not answer pre_tool_call within 0\.05 s/);
  const entries = { "never-settles": { on_error: "block" } };
  const blocking = await loadFixtures(t, ["never-settles"], { ...options, entries });
  assert.equal(((await blocking.fire("pre_tool_call")) as { kind: string }).kind, "block");
  assert.equal(blocking.runs[0]!.cause, "timeout");
});

test("functions as answers and results are refused, not passed on", async (t) => {
  const bench = await loadFixtures(t, ["returns-functions"]);
  assert.deepEqual(await bench.fire("post_tool_call"), { kind: "pass" });
  assert.deepEqual(await bench.fire("pre_llm_call"), { kind: "pass" });
  assert.deepEqual(await bench.fire("transform_llm_output"), { kind: "pass" });
  assert.deepEqual(
    bench.runs.map(({ outcome }) => outcome),
    ["pass", "error", "error"],
  );
  const call = { tool_call_id: "c", session_id: "s", cwd: "/", signal: AbortSignal.abort(), depth: 0 };
  await assert.rejects(bench.host.tools()[0]!.execute({}, call), /returned a function/);
});

test("any thenable is awaited", async (t) => {
  const bench = await loadFixtures(t, ["answers-late"]);
  assert.deepEqual(await bench.fire("pre_tool_call"), { kind: "block", message: "blocked by a thenable" });
});

for (const [fixture, pattern] of [
  ["fails-to-import", /fails-to-import\/index\.ts:3: Cannot find module '.*not-there\.ts'/],
  ["throws-while-imported", /throws-while-imported\/helper\.ts:2: not today/],
  ["uses-enum", /uses-enum\/index\.ts:3: TypeScript enum is not supported.*types are stripped/],
  ["bad-javascript", /bad-javascript\/helper\.js:2: /],
  ["register-throws", /register-throws\/index\.mjs:4: "bad name!" is not a valid tool name/],
  ["has-no-register", /has-no-register\/index\.mjs: it has no "register"/],
  ["has-no-entry", /has-no-entry has no entry: expected one of index\.ts, index\.mts, index\.js, index\.mjs/],
  ["python", /Python plugins cannot run here/],
  ["needs-variables", /needs HERMES_TEST_KEY_A, HERMES_TEST_KEY_B in the environment/],
] as const) {
  test(`a plugin that ${fixture} is listed with its reason, the others load`, async (t) => {
    const { bench, listing } = await onlyListing(t, [fixture], {
      written: { "zz-good/plugin.yaml": "name: zz-good", "zz-good/index.js": "export function register() {}" },
    });
    assert.equal(listing.state, "error");
    assert.match(listing.error!, pattern);
    assert.doesNotMatch(listing.error!, /\?hermes=/);
    assert.equal(bench.warnings.length, 1);
    assert.match(bench.warnings[0]!, pattern);
    assert.equal(bench.host.list()[1]!.state, "enabled");
    assert.deepEqual(await bench.fire("pre_tool_call"), { kind: "pass" });
  });
}

test("register that throws leaves nothing behind, and its on_unload runs", async (t) => {
  const bench = await loadFixtures(t, ["register-throws"]);
  assert.equal(bench.dispatcher.hooksOf("pre_tool_call").length, 0);
  assert.ok(bench.lines.includes("info register-throws: cleaned up"));
});

test("register that never ends is given up at the deadline", async (t) => {
  const { listing } = await onlyListing(t, ["register-never-ends"], { callback_timeout_seconds: 0.1 });
  assert.match(listing.error!, /"register" did not finish within 0\.1 s/);
});

test("an import that never ends is given up at the deadline", async (t) => {
  const { listing } = await onlyListing(t, [], {
    callback_timeout_seconds: 0.2,
    written: {
      "hangs/plugin.yaml": "name: hangs",
      "hangs/index.mjs": "await new Promise(() => {}); export function register() {}",
    },
  });
  assert.match(listing.error!, /its module was not loaded within 0\.2 s/);
});

test("plugins that require each other in a circle load in the order of their folders, with a warning", async (t) => {
  const bench = await loadFixtures(t, ["circular-b", "circular-a"]);
  assert.deepEqual(
    bench.host.list().map(({ name, state }) => `${name} ${state}`),
    ["circular-a enabled", "circular-b enabled", "boot-md enabled", "approvals not_enabled"],
  );
  assert.equal(bench.warnings.length, 1);
  assert.match(bench.warnings[0]!, /in a circle \("circular-a" → "circular-b" → "circular-a"\)/);
  assert.deepEqual(bench.lines, ["info circular-a: a is here", "info circular-b: b is here"]);
});

test("a guard marked to block that cannot be loaded blocks every tool call", async (t) => {
  const bench = await loadFixtures(t, ["uses-enum"], { entries: { "uses-enum": { on_error: "block" } } });
  const decision = (await bench.fire("pre_tool_call")) as { kind: string; message: string };
  assert.equal(decision.kind, "block");
  assert.match(decision.message, /uses-enum.*was not loaded/);
  assert.match(bench.warnings.join("\n"), /every tool call is blocked until it loads/);
  await bench.host.unload();
  assert.deepEqual(await bench.fire("pre_tool_call"), { kind: "pass" });
});

test("a tool whose parameters are not a valid JSON Schema is the plugin's error", async (t) => {
  const { bench, listing } = await onlyListing(t, ["bad-tool-schema"]);
  assert.equal(listing.state, "error");
  assert.match(listing.error ?? "", /the tool "lookup": "parameters" is not a valid JSON Schema: .*type/);
  assert.deepEqual(bench.host.tools(), []);
});
