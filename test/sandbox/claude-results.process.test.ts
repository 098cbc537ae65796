/** What scripts after a tool call, or at the start of a session, bring to the model. */
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
import { createEntryHooks, Deliveries } from "#sandbox/shell/deliveries";
import { says } from "../helpers/claude-hooks.ts";

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
  const deliveries = new Deliveries();
  for (const entry of parsed.entries) {
    const hooks = createEntryHooks(entry, { decide: grantExplicitTest, shellContext, warn }, deliveries);
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

const RESULT = '{"output":"x"}';
const FEEDBACK: readonly (readonly [what: string, entries: readonly object[], text: string])[] = [
  ["a block of PostToolUse", [{ command: says({ decision: "block", reason: "lint" }) }], `${RESULT}\n\nlint`],
  ["exit 2", [{ command: says("", "lint", 2) }], `${RESULT}\n\nlint`],
  ["additionalContext", [replaces({ additionalContext: "It is old." })], `${RESULT}\n\nIt is old.`],
  [
    "what several scripts say, in their order",
    [
      { command: `sleep 0.2; ${says("", "one", 2)}` },
      replaces({ additionalContext: "two", updatedToolOutput: "short" }),
      replaces({ updatedToolOutput: "late" }),
    ],
    "short\n\none\n\ntwo",
  ],
  ["a block of Codex", [{ protocol: "codex", command: says({ decision: "block", reason: "redo" }) }], "redo"],
  ["a denial of Gemini CLI", [{ protocol: "gemini", command: says({ decision: "deny", reason: "hidden" }) }], "hidden"],
  [
    "exit 2 of Gemini CLI without a word",
    [{ protocol: "gemini", command: says("", "", 2) }],
    "A hook rejected this result.",
  ],
  [
    "tool_output of Gemini CLI",
    [
      {
        protocol: "gemini",
        command: says({ hookSpecificOutput: { tool_output: "brief", additionalContext: "More." } }),
      },
    ],
    "brief\n\nMore.",
  ],
  [
    "additional_context of Cursor",
    [{ protocol: "cursor", command: says({ additional_context: "Tests pass." }) }],
    `${RESULT}\n\nTests pass.`,
  ],
];
for (const [what, entries, text] of FEEDBACK) {
  test(`${what} reaches the model`, async () => {
    const { call, warnings } = createBench(entries);
    assert.deepEqual(await call(RESULT), { kind: "transform", text });
    assert.deepEqual(warnings, []);
  });
}

test("what a script says before a call follows its result, if the call runs", async () => {
  const dispatcher = new HookDispatcher();
  const shellContext = { cwd: fixtures, home: "/the/home", env: process.env };
  const context = { hookSpecificOutput: { hookEventName: "PreToolUse", additionalContext: "It is old." } };
  const warnings: string[] = [];
  const warn = (sentence: string) => void warnings.push(sentence);
  const entries = [
    { protocol: "claude", command: says(context) },
    { protocol: "gemini", matcher: "nothing", command: says(context) },
  ];
  for (const entry of parseHookEntries({ pre_tool_call: entries }).entries) {
    for (const hook of createEntryHooks(entry, { decide: grantExplicitTest, shellContext, warn }))
      dispatcher.register(hook);
  }
  assert.deepEqual(await dispatcher.invoke_hook("pre_tool_call", EVENTS.pre_tool_call.sample()), { kind: "pass" });
  const result = () =>
    dispatcher.invoke_hook("transform_tool_result", { ...EVENTS.transform_tool_result.sample(), result: RESULT });
  assert.deepEqual(await result(), { kind: "transform", text: `${RESULT}\n\nIt is old.` });
  assert.deepEqual(await result(), { kind: "pass" });
  assert.deepEqual(warnings, []);
});

test("what cannot be had is said: a denial after Cursor's tools, words to the model from the background", async () => {
  const cursor = createBench([{ protocol: "cursor", command: says({ permission: "deny", user_message: "no" }) }]);
  assert.deepEqual(await cursor.call(RESULT), { kind: "pass" });
  assert.match(cursor.warnings.join(), /it wants to block, and post_tool_call \(postToolUse\) only observes here/);
  const late = createBench([{ async: true, command: says("", "lint", 2) }]);
  await late.call(RESULT);
  while (late.warnings.length === 0) await new Promise((done) => setImmediate(done));
  assert.match(late.warnings.join(), /with "async: true" what it says to the model comes too late/);
});

test("events of failed calls are for those alone", async () => {
  const entries = [{ protocol: "copilot", protocol_event: "postToolUseFailure", command: says("", "Try again.", 2) }];
  const { call } = createBench(entries);
  assert.deepEqual(await call(RESULT), { kind: "pass" });
  const failed = '{"error":"no space"}';
  assert.deepEqual(await call(failed), { kind: "transform", text: `${failed}\n\nTry again.` });
});

test("what a script says at the start of a session is in its first message", async () => {
  const dispatcher = new HookDispatcher();
  const shellContext = { cwd: fixtures, home: "/the/home", env: process.env };
  const entries = [
    { protocol: "claude", command: says("Today is Monday.") },
    { protocol: "cursor", command: says({ additional_context: "The branch is main." }) },
  ];
  const deliveries = new Deliveries();
  for (const entry of parseHookEntries({ on_session_start: entries }).entries) {
    const hooks = createEntryHooks(entry, { decide: grantExplicitTest, shellContext }, deliveries);
    for (const hook of hooks) dispatcher.register(hook);
  }
  await dispatcher.invoke_hook("on_session_start", EVENTS.on_session_start.sample());
  const message = () => dispatcher.invoke_hook("pre_llm_call", EVENTS.pre_llm_call.sample());
  assert.deepEqual(await message(), { kind: "context", text: "Today is Monday.\n\nThe branch is main." });
  assert.deepEqual(await message(), { kind: "pass" });
});
