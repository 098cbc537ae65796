/** What scripts of every program may answer, and what it comes to: one table for all protocols. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Decision } from "#core/answers";
import { EVENTS, type EventName } from "#core/events";
import { createFiring } from "#core/firing";
import { WIRES } from "#sandbox/shell/codecs";
import { parseHookEntries } from "#sandbox/shell/entries";
import { fire, fixtures, says } from "../helpers/claude-hooks.ts";

interface Words {
  readonly allow: object;
  readonly deny: object;
  readonly ask: object;
  /** Changes the command to `ls`. */
  readonly change: object;
  /** A denial in the words of another program. */
  readonly foreign: object;
  /** Adds `More.` to the user's message; undefined where the program cannot. */
  readonly context?: object;
  /** Stops the user's message because of `no`. */
  readonly stopPrompt: object;
}

const specific = (fields: object) => ({ hookSpecificOutput: { hookEventName: "X", ...fields } });
const CLAUDE: Words = {
  allow: specific({ permissionDecision: "allow" }),
  deny: specific({ permissionDecision: "deny", permissionDecisionReason: "no" }),
  ask: specific({ permissionDecision: "ask", permissionDecisionReason: "sure?" }),
  change: specific({ permissionDecision: "allow", updatedInput: { command: "ls" } }),
  foreign: { permission: "deny", user_message: "no" },
  context: specific({ additionalContext: "More." }),
  stopPrompt: { decision: "block", reason: "no" },
};
const WORDS: Readonly<Record<string, Words>> = {
  claude: CLAUDE,
  codex: CLAUDE,
  gemini: {
    allow: { decision: "allow" },
    deny: { decision: "deny", reason: "no" },
    ask: { decision: "ask", reason: "sure?" },
    change: specific({ tool_input: { command: "ls" } }),
    foreign: { permissionDecision: "deny" },
    context: specific({ additionalContext: "More." }),
    stopPrompt: { decision: "deny", reason: "no" },
  },
  cursor: {
    allow: { permission: "allow" },
    deny: { permission: "deny", agentMessage: "no", userMessage: "Not today." },
    ask: { permission: "ask", user_message: "sure?" },
    change: { permission: "allow", updated_input: { command: "ls" } },
    foreign: { permissionDecision: "deny" },
    stopPrompt: { continue: false, user_message: "no" },
  },
  copilot: {
    allow: { permissionDecision: "allow" },
    deny: { permissionDecision: "deny", permissionDecisionReason: "no" },
    ask: { permissionDecision: "ask", permissionDecisionReason: "sure?" },
    change: { modifiedArgs: { command: "ls" } },
    foreign: { permission: "deny" },
    context: { additionalContext: "More." },
    stopPrompt: { decision: "block", reason: "no" },
  },
};

const PASS = { kind: "pass" };
const block = (message: string) => ({ kind: "block", message });
const FAILED = /^Blocked because a guard failed: /;

interface Row {
  readonly what: string;
  readonly command: (words: Words) => string;
  readonly open: object;
  /** With fail_closed; the same as by default when it is absent. */
  readonly closed?: RegExp;
  readonly detail?: RegExp;
}
const ROWS: readonly Row[] = [
  { what: "nothing", command: () => says(""), open: PASS },
  { what: "an empty object", command: () => says({}), open: PASS },
  { what: "allow", command: ({ allow }) => says(allow), open: PASS },
  { what: "deny", command: ({ deny }) => says(deny), open: block("no") },
  { what: "deny with exit 1", command: ({ deny }) => says(deny, "", 1), open: block("no") },
  {
    what: "deny, encoded twice",
    command: ({ deny }) => says(JSON.stringify(JSON.stringify(deny))),
    open: block("no"),
  },
  { what: "exit 2", command: ({ allow }) => says(allow, "no way", 2), open: block("no way") },
  { what: "exit 2 without a word", command: () => says("", "", 2), open: block("Blocked by shell hook.") },
  { what: "ask", command: ({ ask }) => says(ask), open: { kind: "ask" } },
  { what: "a change", command: ({ change }) => says(change), open: { kind: "modify", args: { command: "ls" } } },
  {
    what: "words of another program",
    command: ({ foreign }) => says(foreign),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "permission/,
  },
  {
    what: "a verdict of its own",
    command: () => says({ verdict: "reject" }),
    open: PASS,
    closed: FAILED,
    detail: /unknown verb "verdict": .* has no such key/,
  },
  { what: "half a document", command: () => says('{"a":'), open: PASS, closed: FAILED, detail: /not one JSON object/ },
  {
    what: "a denial behind a greeting",
    command: ({ deny }) => says(`Hello\n${JSON.stringify(deny)}`),
    open: PASS,
    closed: FAILED,
    detail: /follows other text/,
  },
  { what: "exit 1", command: () => says("", "oops", 1), open: PASS, closed: FAILED, detail: /exit code 1: oops/ },
  { what: "a signal", command: () => "kill -9 $$", open: PASS, closed: FAILED, detail: /killed by SIGKILL/ },
  { what: "text", command: () => says("fine"), open: PASS, detail: /^fine$/ },
];

for (const [protocol, words] of Object.entries(WORDS)) {
  test(`protocol: ${protocol}: what its scripts may say at a tool call`, async (t) => {
    for (const { what, command, open, closed, detail } of ROWS) {
      await t.test(what, async () => {
        const line = command(words);
        const { decision, runs } = await fire(line, { entry: { protocol } });
        check(decision, open);
        if (detail !== undefined) assert.match(runs[0]?.detail ?? "", detail);
        check((await fire(line, { entry: { protocol, fail_closed: true } })).decision, closed ?? open);
      });
    }
  });

  test(`protocol: ${protocol}: what its scripts may say to the user's message`, async () => {
    const setting = { event: "pre_llm_call", entry: { protocol } } as const;
    if (words.context !== undefined) {
      assert.deepEqual((await fire(says(words.context), setting)).decision, { kind: "context", text: "More." });
    }
    const { decision, runs } = await fire(says(words.stopPrompt), setting);
    assert.deepEqual(decision, PASS);
    assert.match(runs[0]?.detail ?? "", /wants to block the message, which pre_llm_call cannot: no/);
  });
}

test("a script of any protocol that takes too long blocks with fail_closed alone", async () => {
  await Promise.all(
    Object.keys(WORDS).map(async (protocol) => {
      const entry = { protocol, timeout: 1 };
      const [open, closed] = await Promise.all([
        fire("sleep 60", { entry }),
        fire("sleep 60", { entry: { ...entry, fail_closed: true } }),
      ]);
      assert.deepEqual(open.decision, PASS);
      check(closed.decision, /within 1 s/);
    }),
  );
});

test("Cursor's message for the user is shown to the user, and the other one goes to the model", async () => {
  const { decision, runs } = await fire(says(WORDS["cursor"]!.deny), { entry: { protocol: "cursor" } });
  assert.deepEqual(decision, block("no"));
  assert.equal(runs[0]?.notice, "Not today.");
});

test("Cursor and Copilot understand Claude Code's answers, too", async () => {
  for (const protocol of ["cursor", "copilot"]) {
    assert.deepEqual((await fire(says(CLAUDE.deny), { entry: { protocol } })).decision, block("no"));
  }
});

test("a change of a patch is refused, an unchanged one is fine", async () => {
  const edit = { payload: { tool_name: "write_file", args: { path: "a.txt", content: "x" } } };
  const entry = { protocol: "codex", fail_closed: true };
  const changed = specific({ permissionDecision: "allow", updatedInput: { command: "*** Begin Patch" } });
  check((await fire(says(changed), { ...edit, entry })).decision, /a change of apply_patch is not supported/);
  const echoes = `node -e '
    let text = "";
    process.stdin.on("data", (part) => (text += part)).on("end", () => {
      const { tool_input: updatedInput } = JSON.parse(text);
      console.log(JSON.stringify({ hookSpecificOutput: { permissionDecision: "allow", updatedInput } }));
    });'`;
  assert.deepEqual((await fire(echoes, { ...edit, entry })).decision, { kind: "modify", args: edit.payload.args });
});

function check(decision: Decision, expected: object | RegExp): void {
  if (expected instanceof RegExp) {
    assert.equal(decision.kind, "block");
    assert.match(decision.kind === "block" ? decision.message : "", expected);
  } else assert.partialDeepStrictEqual(decision, expected);
}

interface Said {
  readonly protocol: string;
  readonly event: EventName;
  readonly name?: string;
  readonly payload?: object;
  readonly document: object;
}
const WRITE = { tool_name: "write_file", args: { path: "a.txt", content: "one\ntwo\n" } };
const MCP = { tool_name: "mcp_git_log_all", args: { max: 3 } };
const SHELL = { tool_name: "terminal", args: { command: "ls" } };
const DOCUMENTS: readonly Said[] = [
  {
    protocol: "codex",
    event: "pre_tool_call",
    payload: SHELL,
    document: {
      hook_event_name: "PreToolUse",
      tool_name: "Bash",
      tool_input: { command: "ls" },
      transcript_path: null,
      permission_mode: "default",
    },
  },
  {
    protocol: "codex",
    event: "post_tool_call",
    payload: WRITE,
    document: {
      tool_name: "apply_patch",
      tool_input: { command: "*** Begin Patch\n*** Add File: a.txt\n+one\n+two\n*** End Patch" },
    },
  },
  {
    protocol: "codex",
    event: "pre_tool_call",
    payload: { tool_name: "patch", args: { path: "/etc/x", old_string: "a", new_string: "b" } },
    document: { tool_input: { command: "*** Begin Patch\n*** Update File: /etc/x\n@@\n-a\n+b\n*** End Patch" } },
  },
  {
    protocol: "gemini",
    event: "pre_tool_call",
    payload: SHELL,
    document: { hook_event_name: "BeforeTool", tool_name: "run_shell_command", tool_input: { command: "ls" } },
  },
  {
    protocol: "gemini",
    event: "post_tool_call",
    payload: { ...WRITE, result: '{"error":"disk full"}' },
    document: {
      hook_event_name: "AfterTool",
      tool_name: "write_file",
      tool_input: { file_path: `${fixtures}/a.txt`, content: "one\ntwo\n" },
      tool_response: { llmContent: '{"error":"disk full"}', error: { message: "disk full" } },
    },
  },
  {
    protocol: "gemini",
    event: "post_llm_call",
    document: { hook_event_name: "AfterAgent", prompt_response: "Hello!", stop_hook_active: false },
  },
  {
    protocol: "cursor",
    event: "pre_tool_call",
    payload: SHELL,
    document: {
      hook_event_name: "preToolUse",
      conversation_id: "sess_sample",
      workspace_roots: [fixtures],
      tool_name: "Shell",
      tool_input: { command: "ls" },
      command: "ls",
    },
  },
  {
    protocol: "cursor",
    event: "pre_tool_call",
    name: "beforeShellExecution",
    payload: SHELL,
    document: { hook_event_name: "beforeShellExecution", command: "ls", cwd: fixtures },
  },
  {
    protocol: "cursor",
    event: "pre_tool_call",
    name: "beforeMCPExecution",
    payload: MCP,
    document: { hook_event_name: "beforeMCPExecution", tool_name: "log_all", tool_input: '{"max":3}' },
  },
  {
    protocol: "cursor",
    event: "pre_tool_call",
    name: "beforeReadFile",
    payload: { tool_name: "read_file", args: { path: "scripts/block.sh" } },
    document: { hook_event_name: "beforeReadFile", file_path: `${fixtures}/scripts/block.sh` },
  },
  {
    protocol: "cursor",
    event: "post_tool_call",
    name: "afterFileEdit",
    payload: { ...WRITE, result: "{}" },
    document: { file_path: `${fixtures}/a.txt`, edits: [{ old_string: "", new_string: "one\ntwo\n" }] },
  },
  {
    protocol: "copilot",
    event: "pre_tool_call",
    payload: SHELL,
    document: { sessionId: "sess_sample", cwd: fixtures, toolName: "bash", toolArgs: '{"command":"ls"}' },
  },
  {
    protocol: "copilot",
    event: "pre_tool_call",
    name: "PreToolUse",
    payload: WRITE,
    document: {
      hook_event_name: "PreToolUse",
      session_id: "sess_sample",
      tool_name: "create",
      tool_input: { path: "a.txt", file_text: "one\ntwo\n" },
    },
  },
  {
    protocol: "copilot",
    event: "post_tool_call",
    payload: { ...SHELL, result: '{"output":"x"}' },
    document: { toolResult: { resultType: "success", textResultForLlm: '{"output":"x"}' } },
  },
  {
    protocol: "copilot",
    event: "api_request_error",
    document: { errorContext: "model_call", error: { name: "ModelError" } },
  },
];
for (const { protocol, event, name, payload = {}, document } of DOCUMENTS) {
  test(`protocol: ${protocol}: the document of ${event}${name === undefined ? "" : ` as ${name}`} has ${Object.keys(document).join(", ")}`, () => {
    const raw = { command: "a", protocol, ...(name === undefined ? {} : { protocol_event: name }) };
    const { entries, warnings } = parseHookEntries({ [event]: [raw] }, "/h");
    assert.deepEqual(warnings, []);
    const place = { cwd: fixtures, home: "/h", env: {} };
    const firing = createFiring(event, { ...EVENTS[event].sample(), ...payload });
    const [entry] = entries;
    assert.ok(entry);
    assert.partialDeepStrictEqual(JSON.parse(WIRES[entry.protocol].document(firing, place, entry)), document);
  });
}

const MATCHERS: readonly (readonly [protocol: string, name: string | null, pattern: string, call: object, boolean])[] =
  [
    ["codex", null, "Edit|Write", WRITE, true],
    ["codex", null, "^apply", WRITE, true],
    ["codex", null, "Bas", SHELL, false],
    ["gemini", null, "write_.*", WRITE, true],
    ["gemini", null, "run_shell", SHELL, true],
    ["gemini", null, "terminal", SHELL, false],
    ["cursor", null, "Shell|Read", SHELL, true],
    ["cursor", null, "MCP:log_all", MCP, true],
    ["cursor", "beforeShellExecution", "curl|ls", SHELL, true],
    ["cursor", "beforeShellExecution", "curl|wget", SHELL, false],
    ["cursor", "beforeShellExecution", "a.txt", WRITE, false],
    ["cursor", "beforeMCPExecution", "", SHELL, false],
    ["cursor", "beforeMCPExecution", "", MCP, true],
    ["copilot", null, "bash|create", WRITE, true],
    ["copilot", null, "bas", SHELL, false],
  ];
for (const [protocol, name, pattern, call, matches] of MATCHERS) {
  test(`protocol: ${protocol}${name === null ? "" : ` as ${name}`}: ${pattern} ${matches ? "matches" : "passes over"} ${JSON.stringify(call)}`, () => {
    const raw = { command: "a", protocol, matcher: pattern, protocol_event: name };
    const { tool_name: tool, args } = call as typeof SHELL;
    const [entry] = parseHookEntries({ pre_tool_call: [raw] }, "/h").entries;
    assert.equal(entry?.toolMatcher.matches(tool, args), matches);
  });
}

test("an event that the protocol does not have for ours makes the entry broken", () => {
  const raw = { command: "a", protocol: "cursor", fail_closed: true };
  const { entries, warnings } = parseHookEntries({ pre_tool_call: [{ ...raw, protocol_event: "beforeShell" }] }, "/h");
  assert.match(
    warnings.join(),
    /protocol_event "beforeShell" is not known; for pre_tool_call, protocol: cursor has preToolUse, beforeShellExecution/,
  );
  assert.ok(entries[0]?.toolMatcher.matches("anything"));
  const plain = parseHookEntries({ pre_tool_call: [{ command: "a", protocol_event: "PreToolUse" }] }, "/h");
  assert.match(plain.warnings.join(), /protocol: hermes has none/);
});
