/** Every row of the outcome table (CONTRACT §6), with real scripts through the dispatcher. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test, { type TestContext } from "node:test";
import type { Decision } from "#core/answers";
import { EVENTS, type EventName } from "#core/events";
import { HookDispatcher } from "#core/dispatch";
import type { HookRun } from "#core/ports/hook";
import { decide, grantExplicitTest } from "#allowlist/decide";
import { createShellHook, type ShellHookDependencies } from "#sandbox/shell/hook";
import { parseHookEntries } from "#sandbox/shell/entries";

const scripts = resolve(import.meta.dirname, "../fixtures/scripts");
const quoted = (words: readonly string[]) => words.map((word) => `'${word}'`).join(" ");
const answers = (...words: string[]) => quoted(["./answers.sh", ...words]);

interface Fired {
  readonly decision: Decision;
  readonly run: HookRun | undefined;
}

interface Setting {
  readonly event?: EventName;
  readonly payload?: object;
  readonly dependencies?: Partial<ShellHookDependencies>;
  readonly signal?: AbortSignal;
}

async function fire(entry: Record<string, unknown>, setting: Setting = {}): Promise<Fired> {
  const { event = "pre_tool_call", payload = {}, dependencies = {}, signal } = setting;
  const dispatcher = new HookDispatcher();
  let run: HookRun | undefined;
  for (const parsed of parseHookEntries({ [event]: [entry] }).entries) {
    const shellContext = { cwd: scripts, home: "/the/home", env: process.env };
    dispatcher.register(createShellHook(parsed, { decide: grantExplicitTest, shellContext, ...dependencies }));
  }
  const decision = await dispatcher.invoke_hook(
    event,
    { ...EVENTS[event].sample(), ...payload },
    {
      onRun: (record) => {
        run = record;
      },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  await dispatcher.drain();
  return { decision, run };
}

const PASS = { kind: "pass" };
const block = (message: string) => ({ kind: "block", message });
const FAILED = /^Blocked because a guard failed: /;

interface Row {
  readonly what: string;
  readonly command: string;
  /** The decision by default; the same with fail_closed unless `closed` says otherwise. */
  readonly open: Record<string, unknown>;
  /** With fail_closed: the message of the block. */
  readonly closed?: RegExp;
  /** What the warning says, for rows that have one. */
  readonly detail?: RegExp;
  readonly cause?: "timeout";
}

const ROWS: readonly Row[] = [
  { what: "nothing on stdout", command: answers(""), open: PASS },
  { what: "{}", command: answers("{}\n"), open: PASS },
  { what: "null", command: answers("null"), open: PASS },
  {
    what: "another object",
    command: answers('{"hello":1}'),
    open: PASS,
    closed: FAILED,
    detail: /without "decision" or "action"/,
  },
  {
    what: "an answer for Claude Code",
    command: answers('{"continue":false,"stopReason":"no"}'),
    open: PASS,
    closed: FAILED,
    detail: /add protocol: claude to the entry/,
  },
  { what: "a block", command: answers('{"action":"block","message":"no"}'), open: block("no") },
  { what: "a block in the other dialect", command: answers('{"decision":"block","reason":"no"}'), open: block("no") },
  { what: "a block without a text", command: answers('{"action":"block"}'), open: block("Blocked by shell hook.") },
  {
    what: "a block beside a modify",
    command: answers('{"action":"modify","args":{},"decision":"block"}'),
    open: block("Blocked by shell hook."),
  },
  {
    what: "a modify",
    command: answers('{"action":"modify","args":{"timeout":5}}'),
    open: { kind: "modify", args: { command: "echo hello", timeout: 5 } },
  },
  {
    what: "a modify in the other dialect",
    command: answers('{"decision":"modify","tool_input":{"command":"ls"}}'),
    open: { kind: "modify", args: { command: "ls" } },
  },
  { what: "a BOM", command: quoted(["printf", '\\357\\273\\277{"action":"block","message":"no"}']), open: block("no") },
  {
    what: "invalid UTF-8",
    command: quoted(["printf", '{"action":"block","message":"n\\377"}']),
    open: block("n\uFFFD"),
  },
  { what: "exit 2 with a block", command: answers('{"action":"block","message":"no"}', "err", "2"), open: block("no") },
  { what: "exit 2 with words on stderr", command: answers("", " no way\n", "2"), open: block("no way") },
  { what: "exit 2 without a word", command: answers("", "", "2"), open: block("Blocked by shell hook.") },
  { what: "exit 2 with nonsense on stdout", command: answers("[1", "", "2"), open: block("Blocked by shell hook.") },
  { what: "exit 2 with a modify", command: answers('{"action":"modify","args":{}}', "no", "2"), open: block("no") },
  { what: "exit 2 with a long stderr", command: answers("", "é".repeat(500), "2"), open: block("é".repeat(400)) },
  { what: "exit 1", command: answers("", "oops", "1"), open: PASS, closed: FAILED, detail: /exit code 1: oops/ },
  {
    what: "exit 1 with a block",
    command: answers('{"action":"block","message":"no"}', "", "1"),
    open: block("no"),
    closed: /^no$/,
    detail: /exit code 1/,
  },
  {
    what: "exit 1 with a modify",
    command: answers('{"action":"modify","args":{"a":1}}', "", "1"),
    open: { kind: "modify", args: { command: "echo hello", a: 1 } },
    closed: FAILED,
    detail: /exit code 1/,
  },
  {
    what: "exit 1 with nonsense",
    command: answers("nonsense", "", "1"),
    open: PASS,
    closed: FAILED,
    detail: /exit code 1/,
  },
  {
    what: "death by a signal",
    command: "./dies-by-signal.sh",
    open: PASS,
    closed: FAILED,
    detail: /killed by SIGKILL/,
  },
  { what: "a word", command: answers("hello"), open: PASS, closed: FAILED, detail: /not one JSON object: hello/ },
  { what: "a JSON string", command: answers('"hello"'), open: PASS, closed: FAILED, detail: /a string, not one JSON/ },
  { what: "an array", command: answers('[{"action":"block"}]'), open: PASS, closed: FAILED, detail: /an array/ },
  {
    what: "two documents",
    command: answers('{"action":"block"}\n{}'),
    open: PASS,
    closed: FAILED,
    detail: /not one JSON/,
  },
  { what: "a flood", command: "./floods.sh", open: PASS, closed: FAILED, detail: /more than 1 MiB/ },
  { what: "a flood on stderr", command: "./floods-stderr.sh", open: PASS, closed: FAILED, detail: /more than 1 MiB/ },
  { what: "an unknown verb", command: answers('{"decision":"deny"}'), open: PASS, closed: FAILED, detail: /"deny"/ },
  {
    what: "a verb in capitals",
    command: answers('{"decision":"BLOCK"}'),
    open: PASS,
    closed: FAILED,
    detail: /"BLOCK"/,
  },
  {
    what: "an unknown verb beside a modify",
    command: answers('{"decision":"deny","action":"modify","args":{"command":"rm"}}'),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "deny"/,
  },
  { what: "a missing script", command: "./no-such.sh", open: PASS, closed: FAILED, detail: /not found/ },
  { what: "no exec bit", command: "./not-executable.sh", open: PASS, closed: FAILED, detail: /not executable/ },
  {
    what: "a missing interpreter",
    command: "./missing-interpreter.sh",
    open: PASS,
    closed: FAILED,
    detail: /interpreter/,
  },
  { what: "an unbalanced quote", command: "./answers.sh 'a", open: PASS, closed: FAILED, detail: /unbalanced quote/ },
  { what: "a NUL", command: "./answers.sh a\0", open: PASS, closed: FAILED, detail: /NUL/ },
  { what: "a time-out", command: "./forever.sh", open: PASS, closed: FAILED, detail: /within 1 s/, cause: "timeout" },
];

for (const { what, command, open, closed, detail, cause = "error" } of ROWS) {
  const timeout = cause === "timeout" ? 1 : 30;
  test(`${what}: by default`, async () => {
    const { decision, run } = await fire({ command, timeout });
    assert.deepEqual(decision, open);
    if (detail === undefined) assert.equal(run?.outcome, open["kind"]);
    else assert.match(run?.detail ?? "", detail);
    if (detail !== undefined && open["kind"] === "pass") assert.equal(run?.outcome, cause);
    assert.equal(run?.cause, null);
  });
  test(`${what}: with fail_closed`, async () => {
    const { decision, run } = await fire({ command, timeout, fail_closed: true });
    if (closed === undefined) {
      assert.deepEqual(decision, open);
      return;
    }
    assert.equal(decision.kind, "block");
    assert.match(decision.kind === "block" ? decision.message : "", closed);
    assert.deepEqual([run?.outcome, run?.cause], ["block", cause]);
    assert.match(run?.detail ?? "", detail ?? /./);
  });
}

test("exit 2 blocks on pre_tool_call only", async () => {
  const { decision, run } = await fire({ command: answers("", "no", "2") }, { event: "pre_llm_call" });
  assert.deepEqual(decision, PASS);
  assert.match(run?.detail ?? "", /exit code 2/);
  assert.equal(run?.exit_code, 2);
});

test("pre_llm_call uses a context object and ignores a string", async () => {
  const event = "pre_llm_call";
  const { decision } = await fire({ command: answers('{"context":"It is Friday."}') }, { event });
  assert.deepEqual(decision, { kind: "context", text: "It is Friday." });
  assert.deepEqual((await fire({ command: answers('"It is Friday."') }, { event })).decision, PASS);
});

test("transforms answer with a text", async () => {
  const event = "transform_tool_result";
  const { decision } = await fire({ command: answers('{"text":"short"}') }, { event });
  assert.deepEqual(decision, { kind: "transform", text: "short" });
});

test("pre_gateway_dispatch takes skip, rewrite and allow", async () => {
  const event = "pre_gateway_dispatch";
  const decisionOf = async (answer: string) => (await fire({ command: answers(answer) }, { event })).decision;
  assert.deepEqual(await decisionOf('{"action":"skip","reason":"spam"}'), { kind: "skip", reason: "spam" });
  assert.deepEqual(await decisionOf('{"action":"rewrite","text":"hi"}'), { kind: "rewrite", text: "hi" });
  assert.deepEqual(await decisionOf('{"action":"allow"}'), { kind: "allow" });
  // Of two verbs the one that holds back counts; with one that nobody knows there is no answer.
  assert.deepEqual(await decisionOf('{"decision":"allow","action":"skip"}'), { kind: "skip", reason: "" });
  assert.deepEqual(await decisionOf('{"decision":"drop","action":"rewrite","text":"hi"}'), PASS);
});

test("the matcher decides on the tool's name", async () => {
  const entry = { command: answers('{"action":"block","message":"no"}'), matcher: "terminal" };
  assert.equal((await fire(entry)).decision.kind, "block");
  const { decision, run } = await fire(entry, { payload: { tool_name: "read_file" } });
  assert.deepEqual([decision, run], [PASS, undefined]);
});

test("the script gets the payload, HERMES_HOME and an environment without secrets", async (context) => {
  const file = join(temporary(context), "payload.json");
  const env = { PATH: process.env["PATH"], ECHO_TO: file, MY_TOKEN: "t", OTHER_KEY: "k" };
  const shellContext = { cwd: scripts, home: "/the/home", env };
  await fire(
    { command: "./echoes-payload.sh" },
    { dependencies: { shellContext }, payload: { args: { command: "é😀" } } },
  );
  const payload = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  assert.equal(payload["hook_event_name"], "pre_tool_call");
  assert.equal(payload["cwd"], scripts);
  assert.deepEqual(payload["tool_input"], { command: "é😀" });

  let printed = "";
  const onResult: ShellHookDependencies["onResult"] = (_entry, { stdout }) => {
    printed = stdout;
  };
  await fire({ command: "./prints-environment.sh", env: ["OTHER_KEY"] }, { dependencies: { shellContext, onResult } });
  assert.match(printed, /^HERMES_HOME=\/the\/home$/m);
  assert.match(printed, /^OTHER_KEY=k$/m);
  assert.doesNotMatch(printed, /MY_TOKEN/);
});

test("without consent an entry does not run, and a fail_closed gate blocks and says what to do", async () => {
  const nothing: ShellHookDependencies["decide"] = (pair) =>
    decide(pair, { termsOf: () => undefined, problem: null }, "command");
  const command = answers('{"action":"modify","args":{}}');
  const dormant = await fire({ command }, { dependencies: { decide: nothing } });
  assert.deepEqual([dormant.decision, dormant.run], [PASS, undefined]);
  const closed = await fire({ command, fail_closed: true }, { dependencies: { decide: nothing } });
  assert.match(
    closed.decision.kind === "block" ? closed.decision.message : "",
    /not approved.*hermes hooks allow pre_tool_call/,
  );
  assert.deepEqual([closed.run?.outcome, closed.run?.cause], ["block", "error"]);
});

test("a fail_closed gate that cannot be understood blocks what its matcher matches", async () => {
  const entry = { matcher: "terminal", fail_closed: true };
  const { decision } = await fire(entry);
  assert.match(decision.kind === "block" ? decision.message : "", /"command" must be/);
  assert.deepEqual((await fire(entry, { payload: { tool_name: "read_file" } })).decision, PASS);
});

test("consent is asked at every firing", async (context) => {
  const file = join(temporary(context), "runs");
  let approved = false;
  const dispatcher = new HookDispatcher();
  const [entry] = parseHookEntries({ post_tool_call: [{ command: quoted(["./counts-runs.sh", file]) }] }).entries;
  const shellContext = { cwd: scripts, home: "/the/home", env: process.env };
  const ask: ShellHookDependencies["decide"] = (pair) =>
    decide(pair, { termsOf: () => (approved ? { shell: false, env: [] } : undefined), problem: null }, "command");
  dispatcher.register(createShellHook(entry!, { decide: ask, shellContext }));
  for (approved of [false, true, false, true]) {
    await dispatcher.invoke_hook("post_tool_call", EVENTS.post_tool_call.sample());
  }
  assert.equal(readFileSync(file, "utf8"), "run\nrun\n");
});

test("an interrupt ends the script", async () => {
  const { run } = await fire({ command: "./forever.sh" }, { signal: AbortSignal.timeout(200) });
  assert.match(run?.detail ?? "", /interrupted/);
});

test("an entry that is switched off does not run", async () => {
  assert.equal((await fire({ command: answers("{}"), enabled: false })).run, undefined);
});

function temporary(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "hermes-shell-"));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

for (const protocol of ["hermes", "claude"]) {
  test(`protocol ${protocol}: the payload ends with a newline, so that scripts that read lines see it`, async () => {
    const blocks = 'read -r line || exit 0; case "$line" in *rm*) exit 2;; esac';
    const { decision } = await fire(
      { command: "bash", args: ["-c", blocks], protocol },
      { payload: { args: { command: "rm -rf /" } } },
    );
    assert.equal(decision.kind, "block");
  });

  test(`protocol ${protocol}: the exec form runs the script, never the payload`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-args-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const { decision } = await fire(
      { command: "bash", args: [join(scripts, "answers.sh"), '{"decision":"block","reason":"no"}'], protocol },
      { payload: { args: { command: `echo $(touch ${folder}/pwned)` } } },
    );
    assert.deepEqual(decision, block("no"));
    assert.deepEqual(readdirSync(folder), []);
  });
}
