/** `updatedToolOutput`: what a PostToolUse script gives in place of a tool's result. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import test from "node:test";
import { grantExplicitTest } from "#allowlist/decide";
import type { Decision } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
import type { HookRun } from "#core/ports/hook";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createEntryHooks } from "#sandbox/shell/replacements";

const fixtures = resolve(import.meta.dirname, "../fixtures/claude");
const withoutJq = spawnSync("jq", ["--version"]).error !== undefined && "there is no jq here";
const withoutPython = spawnSync("python3", ["--version"]).error !== undefined && "there is no python3 here";

interface Bench {
  readonly warnings: readonly string[];
  readonly runs: readonly HookRun[];
  /** Fires the two events of a call, as the agent does. */
  readonly call: (result: string, payload?: object) => Promise<Decision>;
}

function createBench(entries: readonly object[]): Bench {
  const dispatcher = new HookDispatcher();
  const warnings: string[] = [];
  const runs: HookRun[] = [];
  const shellContext = { cwd: fixtures, home: "/the/home", env: process.env };
  const warn = (sentence: string) => void warnings.push(sentence);
  const parsed = parseHookEntries({ post_tool_call: entries.map((entry) => ({ protocol: "claude", ...entry })) });
  for (const entry of parsed.entries) {
    const hooks = createEntryHooks(entry, { decide: grantExplicitTest, shellContext, warn });
    for (const hook of hooks) dispatcher.register(hook);
  }
  async function call(result: string, payload: object = {}): Promise<Decision> {
    const onRun = (run: HookRun) => void runs.push(run);
    await dispatcher.invoke_hook(
      "post_tool_call",
      { ...EVENTS.post_tool_call.sample(), ...payload, result },
      { onRun },
    );
    const fields = { ...EVENTS.transform_tool_result.sample(), ...payload, result };
    return dispatcher.invoke_hook("transform_tool_result", fields, { onRun });
  }
  return { warnings, runs, call };
}

const replaces = (specific: object) => ({
  command: `cat >/dev/null; echo '${JSON.stringify({ hookSpecificOutput: { hookEventName: "PostToolUse", ...specific } })}'`,
});

test("a script redacts the result, and says so to the user", { skip: withoutPython }, async () => {
  const { call, runs } = createBench([{ command: "./redacts-output.py" }]);
  assert.deepEqual(await call('{"output":"key is sk-abcdefgh1","exit_code":0}'), {
    kind: "transform",
    text: '{"output":"key is [redacted]","exit_code":0}',
  });
  assert.deepEqual(
    runs.map(({ event, outcome, notice }) => [event, outcome, notice]),
    [
      ["post_tool_call", "pass", "A secret was removed from the output."],
      ["transform_tool_result", "transform", undefined],
    ],
  );
  assert.deepEqual(await call('{"output":"nothing to hide","exit_code":0}'), { kind: "pass" });
  assert.equal(runs.length, 3);
});

test("a string goes to the model as it is", async () => {
  const { call } = createBench([{ command: `"${process.execPath}" ./shortens-output.mjs` }]);
  const long = JSON.stringify({ output: "one\ntwo\nthree\nfour\n", exit_code: 0 });
  assert.deepEqual(await call(long), { kind: "transform", text: "one\n… 4 more lines" });
});

test("the first of two scripts wins; each call has a result of its own", { skip: withoutJq }, async () => {
  const { call } = createBench([
    { command: `jq '{hookSpecificOutput: {updatedToolOutput: .tool_use_id}}'` },
    replaces({ updatedToolOutput: "second" }),
  ]);
  const results = await Promise.all(["a", "b", "c"].map((id) => call("{}", { tool_call_id: id })));
  assert.deepEqual(
    results,
    ["a", "b", "c"].map((text) => ({ kind: "transform", text })),
  );
});

test("updatedMCPToolOutput is for MCP tools", async () => {
  const { call, warnings } = createBench([replaces({ updatedMCPToolOutput: { ok: true } })]);
  assert.deepEqual(await call("{}"), { kind: "pass" });
  assert.match(warnings[0] ?? "", /"updatedMCPToolOutput" is for MCP tools; use "updatedToolOutput" for terminal\.$/);
  assert.deepEqual(await call("{}", { tool_name: "mcp_git_log" }), { kind: "transform", text: '{"ok":true}' });
});

test("a hook in the background is too late to replace anything, and that is said", async () => {
  const { call, warnings } = createBench([{ ...replaces({ updatedToolOutput: "late" }), async: true }, replaces({})]);
  assert.deepEqual(await call("{}"), { kind: "pass" });
  // The second hook is slower to start than this: the first one's end is waited for by its warning.
  while (warnings.length === 0) await new Promise((done) => setImmediate(done));
  assert.match(warnings[0] ?? "", /with "async: true" its "updatedToolOutput" comes too late\.$/);
});
