/** Tool names, fields, matchers and documents of `protocol: claude`, without a process. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { EVENT_NAMES, EVENTS, type EventName } from "#core/events";
import { createFiring } from "#core/firing";
import { parseHookEntries } from "#sandbox/shell/entries";
import { CLAUDE } from "#sandbox/shell/protocols/claude";
import { CLAUDE_WIRE } from "#sandbox/shell/protocols/claude-codec";
import { CLAUDE_TOOLS } from "#sandbox/shell/protocols/claude-tools";

const { nameOf: claudeName, inputOf: claudeInput } = CLAUDE_TOOLS;
const ourInput = (tool: string, input: Args, args: unknown) => CLAUDE_TOOLS.argumentsFrom(tool, input, args, place);
const matcherOf = (pattern: string) => CLAUDE.createMatcher(pattern, "pre_tool_call", null);
const place = { cwd: "/work/project", home: "/home/me/.hermes", env: { HOME: "/home/me" } };
type Args = Readonly<Record<string, unknown>>;

const TOOLS: readonly (readonly [tool: string, args: Args, name: string, input: Args])[] = [
  ["terminal", { command: "ls", timeout: 2, workdir: "a" }, "Bash", { command: "ls", timeout: 2000, workdir: "a" }],
  ["read_file", { path: "/etc/x", offset: 3, limit: 4 }, "Read", { file_path: "/etc/x", offset: 3, limit: 4 }],
  ["write_file", { path: "/a/b", content: "c" }, "Write", { file_path: "/a/b", content: "c" }],
  [
    "patch",
    { path: "/a", old_string: "x", new_string: "y", replace_all: true },
    "Edit",
    { file_path: "/a", old_string: "x", new_string: "y", replace_all: true },
  ],
  ["search_files", { pattern: "p", path: "/a" }, "Grep", { pattern: "p", path: "/a" }],
  ["search_files", { pattern: "*.ts", target: "files" }, "Glob", { pattern: "*.ts" }],
  ["search_files", { pattern: "p", target: "content" }, "Grep", { pattern: "p" }],
  ["delegate_task", { goal: "g", context: "c" }, "Task", { prompt: "g", context: "c" }],
  ["mcp__memory__read", { path: "x", timeout: 1 }, "mcp__memory__read", { path: "x", timeout: 1 }],
  ["my_tool", { path: "x" }, "my_tool", { path: "x" }],
  ["constructor", { path: "x" }, "constructor", { path: "x" }],
];
for (const [tool, args, name, input] of TOOLS) {
  test(`${tool} ${JSON.stringify(args)} is ${name}, there and back`, () => {
    assert.equal(claudeName(tool, args), name);
    assert.deepEqual(claudeInput(tool, args, place), input);
    const { target: _implied, ...kept } = args;
    assert.deepEqual(ourInput(tool, input, args), tool === "search_files" ? kept : args);
  });
}

const PATHS: readonly (readonly [path: unknown, absolute: unknown])[] = [
  ["notes.txt", "/work/project/notes.txt"],
  ["../../etc/passwd", "/etc/passwd"],
  ["/work/project/../secret", "/work/secret"],
  ["~/x", "/home/me/x"],
  ["~", "/home/me"],
  ["", ""],
  [7, 7],
];
for (const [path, absolute] of PATHS) {
  test(`the path ${JSON.stringify(path)} reaches guards as ${JSON.stringify(absolute)}`, () => {
    assert.deepEqual(claudeInput("write_file", { path }, place), { file_path: absolute });
  });
}

test("an argument under Claude Code's name does not hide the real one", () => {
  const args = { path: "/etc/passwd", file_path: "/work/project/ok", content: "" };
  assert.deepEqual(claudeInput("write_file", args, place), { content: "", file_path: "/etc/passwd" });
});

test("several tasks have one prompt, which cannot be changed; the tasks can", () => {
  const args = { tasks: [{ goal: "one" }, { goal: "two", context: "c" }] };
  const input = { ...args, prompt: "one\n\ntwo" };
  assert.deepEqual(claudeInput("delegate_task", args, place), input);
  assert.deepEqual(ourInput("delegate_task", input, args), args);
  assert.deepEqual(ourInput("delegate_task", { tasks: [{ goal: "three" }] }, args), { tasks: [{ goal: "three" }] });
  const refused = ourInput("delegate_task", { prompt: "three" }, args);
  assert.ok(typeof refused === "string" && refused.includes('change "tasks" instead'));
});

test("fields that mean nothing here are left out on the way back", () => {
  const input = { command: "ls", description: "Lists", run_in_background: false };
  assert.deepEqual(ourInput("terminal", input, { command: "rm" }), { command: "ls" });
});

test("whatever the arguments are, nothing throws and other keys stay as they are", () => {
  fc.assert(
    fc.property(fc.constantFrom(...TOOLS.map(([tool]) => tool)), fc.jsonValue(), (tool, args) => {
      const input = claudeInput(tool, args, place);
      if (typeof input === "object" && input !== null && !Array.isArray(input)) ourInput(tool, input as Args, args);
      else assert.deepEqual(input, args);
    }),
  );
});

const MATCHERS: readonly (readonly [pattern: string, tool: string, args: Args, matches: boolean])[] = [
  ["", "anything", {}, true],
  ["*", "anything", {}, true],
  ["Bash", "terminal", {}, true],
  ["bash", "terminal", {}, false],
  ["terminal", "terminal", {}, false],
  ["Ba", "terminal", {}, false],
  ["Write|Edit", "write_file", {}, true],
  ["Write|Edit", "patch", {}, true],
  ["Write | Edit", "patch", {}, true],
  ["Write, Edit", "patch", {}, true],
  ["Edit|MultiEdit|Write", "write_file", {}, true],
  ["Write|Edit", "read_file", {}, false],
  ["Edit.*", "patch", {}, true],
  ["^dit", "patch", {}, false],
  ["dit$", "patch", {}, true],
  ["Grep", "search_files", { target: "content" }, true],
  ["Grep", "search_files", { target: "files" }, false],
  ["Glob", "search_files", { target: "files" }, true],
  ["Task", "delegate_task", {}, true],
  ["Agent", "delegate_task", {}, true],
  ["mcp__memory__.*", "mcp__memory__read", {}, true],
  ["mcp__memory", "mcp__memory__read", {}, false],
  ["mcp__.*__write.*", "mcp__files__write_all", {}, true],
  ["mcp__brave-search", "mcp__brave-search__web", {}, false],
  ["mcp__brave-search__web", "mcp__brave-search__web", {}, true],
  ["mcp__brave-search__web", "mcp__brave-search__web_extra", {}, false],
  ["Edit|Write|", "read_file", {}, false],
  ["Edit|Write|", "patch", {}, true],
  ["Edit,,Write", "write_file", {}, true],
];
for (const [pattern, tool, args, matches] of MATCHERS) {
  test(`matcher ${JSON.stringify(pattern)} ${matches ? "matches" : "passes over"} ${tool} ${JSON.stringify(args)}`, () => {
    assert.equal(matcherOf(pattern).matches(tool, args), matches);
  });
}

test("without a call a matcher of either search is known", () => {
  assert.ok(matcherOf("Glob").matches("search_files"));
  assert.ok(matcherOf("Grep").matches("search_files"));
});

test("a matcher that takes too long is treated as a match; an invalid one as a name", () => {
  assert.ok(matcherOf("(a+)+$x").matches(`${"a".repeat(60)}b`));
  const broken = matcherOf("Write(");
  assert.notEqual(broken.problem, null);
  assert.equal(broken.matches("write_file"), false);
});

const documentOf = (event: EventName, payload: object = {}) =>
  JSON.parse(
    CLAUDE_WIRE.document(createFiring(event, { ...EVENTS[event].sample(), ...payload }), place, {
      protocolEvent: null,
    }),
  ) as Record<string, unknown>;
const COMMON = {
  session_id: "sess_sample",
  transcript_path: "/dev/null",
  cwd: "/work/project",
  permission_mode: "default",
};

const DOCUMENTS: readonly (readonly [event: EventName, payload: object, rest: object])[] = [
  [
    "pre_tool_call",
    {},
    {
      hook_event_name: "PreToolUse",
      tool_name: "Bash",
      tool_input: { command: "echo hello" },
      tool_use_id: "call_sample",
    },
  ],
  [
    "post_tool_call",
    { tool_name: "write_file", args: { path: "a" }, result: '{"bytes":3}' },
    {
      hook_event_name: "PostToolUse",
      tool_name: "Write",
      tool_input: { file_path: "/work/project/a" },
      tool_use_id: "call_sample",
      tool_response: { bytes: 3 },
    },
  ],
  ["pre_llm_call", { user_message: "hi" }, { hook_event_name: "UserPromptSubmit", prompt: "hi" }],
  ["post_llm_call", {}, { hook_event_name: "Stop", stop_hook_active: false, last_assistant_message: "Hello!" }],
  ["subagent_start", {}, { hook_event_name: "SubagentStart", agent_id: "sess_child", agent_type: "general-purpose" }],
  [
    "subagent_stop",
    {},
    {
      hook_event_name: "SubagentStop",
      stop_hook_active: false,
      agent_id: "sess_child",
      agent_type: "general-purpose",
      agent_transcript_path: "/dev/null",
      last_assistant_message: "There are 3 files.",
    },
  ],
  ["on_session_start", {}, { hook_event_name: "SessionStart", source: "startup", model: "sample-model" }],
  ["on_session_finalize", {}, { hook_event_name: "SessionEnd", reason: "other" }],
];
for (const [event, payload, rest] of DOCUMENTS) {
  test(`the document of ${event}`, () => {
    assert.deepEqual(documentOf(event, payload), { ...COMMON, ...rest });
  });
}

test("a result that is no JSON is a text; a session that is none is empty", () => {
  assert.equal(documentOf("post_tool_call", { result: "plain" })["tool_response"], "plain");
  assert.equal(documentOf("on_session_finalize", { session_id: null })["session_id"], "");
});

test("events that Claude Code does not have are warned about with their index and skipped", () => {
  const known = new Set(DOCUMENTS.map(([event]) => event));
  for (const event of EVENT_NAMES) {
    const { entries, warnings } = parseHookEntries({ [event]: [{ command: "a", protocol: "claude" }] }, "/h");
    assert.equal(entries.length, known.has(event) ? 1 : 0, event);
    if (known.has(event)) assert.deepEqual(warnings, []);
    else
      assert.match(
        warnings.join(),
        new RegExp(`^hooks\\.${event}\\[0\\]: protocol: claude has no event for ${event}; .*; skipped$`),
      );
  }
});

const WORDS: readonly (readonly [command: string, argv: readonly string[]])[] = [
  ["~/guard.sh a", ["/h/guard.sh", "a"]],
  ['"$CLAUDE_PROJECT_DIR"/.claude/hooks/guard.sh', ["./.claude/hooks/guard.sh"]],
  ["${CLAUDE_PROJECT_DIR}/guard.sh", ["./guard.sh"]],
  ["python3 $HOME/guard.py", ["python3", "/h/guard.py"]],
  ["$CLAUDE_PROJECT_DIRECTORY/guard.sh", ["/bin/sh", "-c", "$CLAUDE_PROJECT_DIRECTORY/guard.sh"]],
  ["jq -r .tool_input | grep x", ["/bin/sh", "-c", "jq -r .tool_input | grep x"]],
  ["a; b", ["/bin/sh", "-c", "a; b"]],
  ["A=1 b", ["/bin/sh", "-c", "A=1 b"]],
];
for (const [command, argv] of WORDS) {
  test(`consent looks for the script of ${command} in ${JSON.stringify(argv)}; what runs is sh -c`, () => {
    const [entry] = parseHookEntries({ pre_tool_call: [{ command, protocol: "claude" }] }, "/h").entries;
    assert.deepEqual(entry?.argv, argv);
    assert.deepEqual(CLAUDE_WIRE.argv(entry), ["/bin/sh", "-c", command]);
    assert.equal(entry.throughShell, true);
  });
}

test("a broken command stays, and blocks when it is a guard that fails closed", () => {
  const parse = (entry: object) =>
    parseHookEntries({ pre_tool_call: [{ protocol: "claude", ...entry }] }, "/h").entries;
  for (const command of ["a\0b", "a 'b"]) assert.notEqual(parse({ command })[0]?.problem ?? null, null);
  const [unknown] = parse({ command: "a", protocol: "cluade", matcher: "Bash", fail_closed: true });
  assert.ok(unknown?.toolMatcher.matches("terminal"), "what its matcher means nobody knows");
});
