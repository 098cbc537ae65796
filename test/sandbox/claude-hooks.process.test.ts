/** Real scripts written for Claude Code, through the dispatcher: what each of their answers does here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { grantExplicitTest } from "#allowlist/decide";
import type { Decision } from "#core/answers";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS, type EventName } from "#core/events";
import { parseHookEntries } from "#sandbox/shell/entries";
import type { ShellContext } from "#sandbox/shell/protocol";
import { createShellHook } from "#sandbox/shell/hook";
import { fire, fixtures, says } from "../helpers/claude-hooks.ts";

const isMissing = (program: string) => spawnSync(program, ["--version"]).error !== undefined;
const withoutJq = isMissing("jq") && "there is no jq here";
const withoutPython = isMissing("python3") && "there is no python3 here";

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const pre = (specific: object) => ({ hookSpecificOutput: { hookEventName: "PreToolUse", ...specific } });

const PASS = { kind: "pass" };
const block = (message: string) => ({ kind: "block", message });
const FAILED = /^Blocked because a guard failed: /;

interface Row {
  readonly what: string;
  readonly command: string;
  readonly open: object | RegExp;
  /** The block's message with fail_closed; the same as by default when it is absent. */
  readonly closed?: RegExp;
  readonly detail?: RegExp;
}

const ASKS = says(pre({ permissionDecision: "ask", permissionDecisionReason: "sure?" }));

const ROWS: readonly Row[] = [
  { what: "nothing", command: says(""), open: PASS },
  { what: "an object without a word for us", command: says({ suppressOutput: true }), open: PASS },
  { what: "exit 2", command: says("", "no way", 2), open: block("no way") },
  {
    what: "exit 2, whatever stdout says",
    command: says(pre({ permissionDecision: "allow" }), "no", 2),
    open: block("no"),
  },
  { what: "exit 2 without a word", command: says("", "", 2), open: block("Blocked by shell hook.") },
  {
    what: "exit 2 with its reason on stdout alone",
    command: says({ decision: "block", reason: "why" }, "", 2),
    open: block("why"),
  },
  { what: "exit 1", command: says("", "oops", 1), open: PASS, closed: FAILED, detail: /exit code 1: oops/ },
  {
    what: "a program that is not there",
    command: "no-such-program-anywhere",
    open: PASS,
    closed: FAILED,
    detail: /exit code 127: .*no-such-program-anywhere/,
  },
  {
    what: "deny",
    command: says(pre({ permissionDecision: "deny", permissionDecisionReason: "not that" })),
    open: block("not that"),
  },
  {
    what: "deny without a reason",
    command: says(pre({ permissionDecision: "deny" })),
    open: block("Blocked by shell hook."),
  },
  {
    what: "deny with exit 1",
    command: says(pre({ permissionDecision: "deny", permissionDecisionReason: "not that" }), "", 1),
    open: block("not that"),
  },
  { what: "allow", command: says(pre({ permissionDecision: "allow" })), open: PASS },
  {
    what: "defer",
    command: says(pre({ permissionDecision: "defer", permissionDecisionReason: "later" })),
    open: block("later"),
  },
  {
    what: "ask",
    command: ASKS,
    open: { kind: "ask", reasons: [{ message: "sure?", choices: [], hook: { name: ASKS, command: ASKS } }] },
  },
  { what: "the older block", command: says({ decision: "block", reason: "old" }), open: block("old") },
  { what: "the older approve", command: says({ decision: "approve" }), open: PASS },
  { what: "continue: false", command: says({ continue: false, stopReason: "stop it" }), open: block("stop it") },
  { what: "continue: true", command: says({ continue: true }), open: PASS },
  {
    what: "continue: false beside allow",
    command: says({ continue: false, ...pre({ permissionDecision: "allow" }) }),
    open: block("Blocked by shell hook."),
  },
  {
    what: "updatedInput",
    command: says(pre({ permissionDecision: "allow", updatedInput: { command: "ls", timeout: 5000 } })),
    open: { kind: "modify", args: { command: "ls", timeout: 5 } },
  },
  {
    what: "updatedInput without a decision; what it leaves out stays",
    command: says(pre({ updatedInput: { timeout: 1000 } })),
    open: { kind: "modify", args: { command: "echo hello", timeout: 1 } },
  },
  {
    what: "deny beside updatedInput",
    command: says(pre({ permissionDecision: "deny", updatedInput: { command: "ls" } })),
    open: block("Blocked by shell hook."),
  },
  {
    what: "updatedInput that is no object",
    command: says(pre({ updatedInput: "ls" })),
    open: PASS,
    closed: FAILED,
    detail: /"updatedInput" is not an object/,
  },
  {
    what: "an unknown permissionDecision",
    command: says(pre({ permissionDecision: "denied" })),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "denied"/,
  },
  {
    what: "an unknown decision",
    command: says({ decision: "deny" }),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "deny"/,
  },
  {
    what: "a block in the plain protocol's words",
    command: says({ action: "block", message: "no" }),
    open: block("no"),
  },
  { what: "text", command: says("fine\n"), open: PASS, detail: /^fine$/ },
  { what: "a string in JSON", command: says('"fine"'), open: PASS, detail: /^"fine"$/ },
  {
    what: "a denial behind a greeting",
    command: says(`Welcome!\n${JSON.stringify(pre({ permissionDecision: "deny" }))}`),
    open: PASS,
    closed: FAILED,
    detail: /its answer follows other text, so it is none: Welcome!/,
  },
  { what: "the older allow", command: says({ decision: "allow", reason: "fine" }), open: PASS },
  { what: "a decision of null", command: says({ decision: null, permission_mode: undefined }), open: PASS },
  {
    what: "a message for the user",
    command: says({ systemMessage: "Tests are old." }),
    open: PASS,
    detail: /^Tests are/,
  },
  {
    what: "deny with a message for the user alone",
    command: says({ systemMessage: "Not on Fridays.", ...pre({ permissionDecision: "deny" }) }),
    open: block("Not on Fridays."),
  },
  {
    what: "deny with a reason and a message for the user",
    command: says({
      systemMessage: "Not on Fridays.",
      ...pre({ permissionDecision: "deny", permissionDecisionReason: "closed" }),
    }),
    open: block("closed"),
    detail: /^closed\nNot on Fridays\.$/,
  },
  {
    what: "exit 2 with a message for the user alone",
    command: says({ systemMessage: "Not on Fridays." }, "", 2),
    open: block("Not on Fridays."),
  },
  {
    what: "permissionDecision at the top",
    command: says({ permissionDecision: "deny", permissionDecisionReason: "no" }),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "permissionDecision": it belongs in "hookSpecificOutput"/,
  },
  {
    what: "Cursor's permission",
    command: says({ permission: "deny", userMessage: "no" }),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "permission": that is Cursor's; Claude Code has "permissionDecision"/,
  },
  {
    what: "block: true",
    command: says({ block: true, message: "no" }),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "block": Claude Code has \{"decision": "block", "reason": "…"\}/,
  },
  {
    what: "approved: false beside a decision that is known",
    command: says({ decision: "approve", approved: false }),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "approved"/,
  },
  {
    what: "a verdict of its own",
    command: says({ verdict: "reject" }),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "verdict": Claude Code has no such key/,
  },
  {
    what: "a decision inside hookSpecificOutput",
    command: says(pre({ decision: "deny" })),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "hookSpecificOutput\.decision"/,
  },
  {
    what: "hookSpecificOutput that is text",
    command: says({ hookSpecificOutput: "deny" }),
    open: PASS,
    closed: FAILED,
    detail: /"hookSpecificOutput" must be an object/,
  },
  {
    what: "continue as a word",
    command: says({ continue: "false" }),
    open: PASS,
    closed: FAILED,
    detail: /"continue" must be true or false/,
  },
  {
    what: "a denial beside a word of others",
    command: says({ permission: "allow", decision: "block", reason: "no" }),
    open: block("no"),
  },
  { what: "half a document", command: says('{"decision":'), open: PASS, closed: FAILED, detail: /not one JSON object/ },
  {
    what: "a signal",
    command: "kill -9 $$",
    open: PASS,
    closed: FAILED,
    detail: /killed by SIGKILL/,
  },
];
for (const { what, command, open, closed, detail } of ROWS) {
  test(`PreToolUse: ${what}`, async () => {
    const { decision, runs } = await fire(command);
    check(decision, open);
    if (detail !== undefined) assert.match(runs[0]?.detail ?? "", detail);
    check((await fire(command, { entry: { fail_closed: true } })).decision, closed ?? open);
  });
}

function check(decision: Decision, expected: object | RegExp): void {
  if (!(expected instanceof RegExp)) return assert.deepEqual(decision, expected);
  assert.equal(decision.kind, "block");
  assert.match(decision.kind === "block" ? decision.message : "", expected);
}

test("a guard that takes too long blocks with fail_closed alone", async () => {
  const entry = { timeout: 1 };
  assert.deepEqual((await fire("sleep 60", { entry })).decision, PASS);
  check((await fire("sleep 60", { entry: { ...entry, fail_closed: true } })).decision, /within 1 s/);
});

test("allow does not skip the hooks that come after it", async () => {
  const allow = says(pre({ permissionDecision: "allow" }));
  const { decision, runs } = await fire([allow, says("", "no", 2), allow]);
  assert.deepEqual(decision, block("no"));
  assert.equal(runs.length, 2);
});

test("ask: the user decides, about the arguments as the hooks changed them, unless a later hook blocks", async () => {
  const asks = says(
    pre({ permissionDecision: "ask", permissionDecisionReason: "sure?", updatedInput: { command: "ls -l" } }),
  );
  assert.deepEqual((await fire([asks, says("", "the other one", 2)])).decision, block("the other one"));
  const { decision, runs } = await fire(asks);
  const reasons = [{ message: "sure?", choices: [], hook: { name: asks, command: asks } }];
  assert.deepEqual(decision, { kind: "ask", reasons, args: { command: "ls -l" } });
  assert.deepEqual(
    runs.map(({ outcome, detail }) => ({ outcome, detail })),
    [{ outcome: "ask", detail: "sure?" }],
  );
});

test("a script that failed asks all the same, unless it is marked to block", async () => {
  const asks = says(pre({ permissionDecision: "ask" }), "", 1);
  assert.equal((await fire(asks)).decision.kind, "ask");
  check((await fire(asks, { entry: { fail_closed: true } })).decision, /a guard failed/);
});

const prompt = (specific: object) => ({ hookSpecificOutput: { hookEventName: "UserPromptSubmit", ...specific } });
const PROMPTS: readonly (readonly [what: string, command: string, decision: object, detail?: RegExp])[] = [
  ["text", says("The branch is main.\n"), { kind: "context", text: "The branch is main." }],
  ["additionalContext", says(prompt({ additionalContext: "More." })), { kind: "context", text: "More." }],
  ["nothing", says(""), PASS],
  ["broken JSON", says('{"hookSpecificOutput": {"additionalContext": "x"'), PASS, /not one JSON object: \{"hookSpec/],
  ["two documents", says('{"continue":true}\n{"continue":true}'), PASS, /not one JSON object/],
  ["text around JSON", says('package.json:\n{"name":"x"}'), { kind: "context", text: 'package.json:\n{"name":"x"}' }],
  ["an answer behind text", says('hi\n{"decision":"block"}'), PASS, /its answer follows other text, so it is none: hi/],
  ["an array", says("[1]"), { kind: "context", text: "[1]" }],
  [
    "additionalContext at the top",
    says({ additionalContext: "x" }),
    PASS,
    /unknown verb "additionalContext": it belongs in "hookSpecificOutput"/,
  ],
  ["systemMessage", says({ systemMessage: "Two rules are old." }), PASS, /^Two rules are old\.$/],
  [
    "systemMessage as the reason",
    says({ decision: "block", systemMessage: "no secrets" }),
    PASS,
    /wants to block the message.*: no secrets/,
  ],
  ["the older allow", says({ decision: "allow" }), PASS],
  ["words of a failure", says("Usage: …", "oops", 1), PASS, /exit code 1: oops/],
  ["exit 2", says("", "secret found", 2), PASS, /wants to block the message, which pre_llm_call cannot: secret found/],
  ["decision: block", says({ decision: "block", reason: "no" }), PASS, /wants to block the message.*: no/],
  ["continue: false", says({ continue: false, stopReason: "no" }), PASS, /wants to block the message.*: no/],
];
for (const [what, command, expected, detail] of PROMPTS) {
  test(`UserPromptSubmit: ${what}`, async () => {
    const { decision, runs } = await fire(command, { event: "pre_llm_call" });
    assert.deepEqual(decision, expected);
    if (detail === undefined) assert.equal(runs[0]?.detail, null);
    else assert.match(runs[0]?.detail ?? "", detail);
  });
}

const OBSERVERS: readonly (readonly [event: EventName, command: string, warning: RegExp | null])[] = [
  ["post_tool_call", says("Formatted."), null],
  ["post_tool_call", says({ continue: false }), /it wants to stop the turn, and post_tool_call \(PostToolUse\)/],
  ["subagent_start", says(pre({ additionalContext: "x" })), /it wants to add context/],
  ["post_llm_call", says({ decision: "block", reason: "go on" }), /post_llm_call \(Stop\) only observes/],
  ["subagent_stop", says("", "go on", 2), /subagent_stop \(SubagentStop\) only observes/],
  ["on_session_start", says(""), null],
  ["on_session_finalize", says("bye"), null],
];
for (const [event, command, warning] of OBSERVERS) {
  test(`${event}: ${command.slice(16, 60)}… ${warning === null ? "is fine" : "is warned about"}`, async () => {
    const { decision, runs, warnings } = await fire(command, { event });
    assert.deepEqual(decision, PASS);
    assert.equal(runs[0]?.detail, null);
    assert.equal(warnings.length, warning === null ? 0 : 1);
    if (warning !== null) assert.match(warnings[0] ?? "", warning);
  });
}

test("what is not to be had is said once a hook, not once a run", async () => {
  const [entry] = parseHookEntries({ post_llm_call: [{ command: says("", "", 2), protocol: "claude" }] }).entries;
  assert.ok(entry);
  const warnings: string[] = [];
  const dispatcher = new HookDispatcher();
  const shellContext = { cwd: fixtures, home: "/the/home", env: process.env };
  const warn = (sentence: string) => void warnings.push(sentence);
  dispatcher.register(createShellHook(entry, { decide: grantExplicitTest, shellContext, warn }));
  for (let run = 0; run < 2; run++) await dispatcher.invoke_hook("post_llm_call", EVENTS.post_llm_call.sample());
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^hooks\.post_llm_call\[0\]: /);
});

test("the environment names the project; a shell reads the command", async () => {
  const command = `test "$CLAUDE_PROJECT_DIR" = ${quoted(fixtures)} && test -d "$CLAUDE_PROJECT_DIR"/claude || exit 2`;
  assert.deepEqual((await fire(command)).decision, PASS);
});

const write = (path: string) => ({ payload: { tool_name: "write_file", args: { path, content: "x" } } });
const run = (command: string) => ({ payload: { args: { command } } });

test("protect-files.sh holds", { skip: withoutJq }, async () => {
  const guard = { entry: { matcher: "Edit|Write", fail_closed: true } };
  const command = '"$CLAUDE_PROJECT_DIR"/claude/protect-files.sh';
  check((await fire(command, { ...guard, ...write(".env") })).decision, /^Blocked: \/.*\/\.env matches protected/);
  assert.deepEqual((await fire(command, { ...guard, ...write("a.txt") })).decision, PASS);
  const edit = {
    payload: { tool_name: "patch", args: { path: "package-lock.json", old_string: "a", new_string: "b" } },
  };
  check((await fire(command, { ...guard, ...edit })).decision, /package-lock\.json/);
  assert.equal((await fire(command, { ...guard, ...run("cat .env") })).runs.length, 0);
});

test("stays-in-project.sh cannot be led out by a relative path", { skip: withoutJq }, async () => {
  const command = "./claude/stays-in-project.sh";
  assert.deepEqual((await fire(command, write("new/file.txt"))).decision, PASS);
  for (const path of ["../escaped.txt", "/etc/passwd", "~/x", `${fixtures}/../x`]) {
    assert.deepEqual(
      (await fire(command, write(path))).decision,
      block("Only files of the project may be written"),
      path,
    );
  }
});

test("limits-timeouts.sh speaks of milliseconds", { skip: withoutJq }, async () => {
  const { decision } = await fire("claude/limits-timeouts.sh", run("ls"));
  assert.deepEqual(decision, { kind: "modify", args: { command: "ls", timeout: 60 } });
});

test("validates-commands.py holds", { skip: withoutPython }, async () => {
  const guard = { entry: { matcher: "Bash" } };
  const command = "python3 claude/validates-commands.py";
  assert.deepEqual(
    (await fire(command, { ...guard, ...run("grep x .") })).decision,
    block("• Use 'rg' (ripgrep) instead of 'grep'"),
  );
  assert.deepEqual((await fire(command, { ...guard, ...run("ls") })).decision, PASS);
});

const FILES: readonly (readonly [what: string, more: Partial<ShellContext>])[] = [
  ["without a session's files", {}],
  [
    "in a sandbox, which hides them",
    {
      sessionFiles: {
        transcript: () => assert.fail("asked for"),
        environmentFile: () => assert.fail("asked for"),
        environment: () => ({}),
      },
      wallFor: () => ({ enclose: () => Promise.resolve(null), stands: () => Promise.resolve(true) }),
    },
  ],
];
for (const [what, more] of FILES) {
  test(`${what}, a transcript can be read and variables can be written all the same`, async () => {
    const command = `cat $(sed 's/.*"transcript_path":"\\([^"]*\\)".*/\\1/') && echo 'export A=1' >> "$CLAUDE_ENV_FILE"`;
    const { runs } = await fire(command, { event: "on_session_start", shellContext: more });
    assert.deepEqual([runs[0]?.outcome, runs[0]?.detail], ["pass", null]);
  });
}

test("CLAUDE_ENV_FILE of a program around this one is not the hook's", async () => {
  const shellContext = { env: { ...process.env, CLAUDE_ENV_FILE: "/somewhere/else" } };
  assert.deepEqual((await fire('test -z "$CLAUDE_ENV_FILE" || exit 2', { shellContext })).decision, PASS);
  const { runs } = await fire('test "$CLAUDE_ENV_FILE" = /dev/null', { event: "on_session_start", shellContext });
  assert.equal(runs[0]?.outcome, "pass");
});
