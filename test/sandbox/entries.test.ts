import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { declarationOf, EVENT_NAMES } from "#core/events";
import { commandLine, splitWords } from "#sandbox/shell/command";
import { parseHookEntries } from "#sandbox/shell/entries";

const one = (entry: unknown, event = "pre_tool_call") => {
  const { entries, warnings } = parseHookEntries({ [event]: [entry] }, "/home/me");
  return { entry: entries[0], warnings };
};

test("a plain entry loads without a warning, the command exactly as written", () => {
  const { entry, warnings } = one({ matcher: "terminal", command: " ~/guard.sh 'a b' ", timeout: 5 });
  assert.deepEqual(warnings, []);
  assert.equal(entry?.command, " ~/guard.sh 'a b' ");
  assert.deepEqual(entry?.argv, ["/home/me/guard.sh", "a b"]);
  assert.equal(entry?.timeoutSeconds, 5);
  assert.equal(entry?.failClosed, false);
  assert.equal(entry?.enabled, true);
  assert.equal(entry?.name, " ~/guard.sh 'a b' ");
});

test("coprocess is a flag of an entry of any event and protocol", () => {
  const command = "./guard.py";
  assert.equal(one({ command }).entry?.coprocess, false);
  for (const [given, read] of [
    [true, true],
    [false, false],
    ["yes", true],
    ["often", false],
  ] as const) {
    const { entry, warnings } = one({ command, coprocess: given }, "post_tool_call");
    assert.equal(entry?.coprocess, read);
    assert.equal(warnings.length, typeof given === "string" ? 1 : 0);
  }
  assert.deepEqual(one({ command, coprocess: true, protocol: "claude" }).warnings, []);
});

const TIMEOUTS: readonly (readonly [value: unknown, seconds: number, warns: boolean])[] = [
  [undefined, 60, false],
  [null, 60, false],
  [1, 1, false],
  [300, 300, false],
  ["5", 5, false],
  [5.9, 5, false],
  [300.5, 300, false],
  [301, 300, true],
  [Infinity, 300, true],
  ["999", 300, true],
  [0, 60, true],
  [-5, 60, true],
  [0.5, 60, true],
  [NaN, 60, true],
  [true, 60, true],
  [false, 60, true],
  ["soon", 60, true],
  ["5.9", 60, true],
  ["", 60, true],
  [[5], 60, true],
];
for (const [value, seconds, warns] of TIMEOUTS) {
  test(`timeout ${String(value)} (${typeof value}) is ${seconds} s${warns ? ", with a warning" : ""}`, () => {
    const { entry, warnings } = one({ command: "x", timeout: value });
    assert.equal(entry?.timeoutSeconds, seconds);
    assert.equal(warnings.length, warns ? 1 : 0);
    if (warns) assert.match(warnings[0]!, /^hooks\.pre_tool_call\[0\]\.timeout: /);
  });
}

const FLAGS: readonly (readonly [value: unknown, result: boolean, warns: boolean])[] = [
  [true, true, false],
  [false, false, false],
  [null, false, false],
  ["true", true, true],
  ["Yes", true, true],
  [" on ", true, true],
  ["1", true, true],
  [1, true, true],
  ["no", false, true],
  ["maybe", false, true],
  [[true], false, true],
];
for (const key of ["fail_closed", "failClosed"]) {
  for (const [value, result, warns] of FLAGS) {
    test(`${key}: ${JSON.stringify(value)} is ${result}${warns ? ", with a warning" : ""}`, () => {
      const { entry, warnings } = one({ command: "x", [key]: value });
      assert.equal(entry?.failClosed, result);
      assert.equal(warnings.length, warns ? 1 : 0);
    });
  }
}

test("fail_closed on what cannot block is warned about and ignored", () => {
  for (const event of EVENT_NAMES) {
    const { entry, warnings } = one({ command: "x", fail_closed: true }, event);
    const canBlock = declarationOf(event).onFailure === "mark";
    assert.equal(entry?.failClosed, canBlock, event);
    assert.equal(warnings.length, canBlock ? 0 : 1, event);
  }
});

test("a matcher on an event without tools is warned about and ignored", () => {
  for (const event of EVENT_NAMES) {
    const { tool } = declarationOf(event);
    const { entry, warnings } = one({ command: "x", matcher: "terminal" }, event);
    assert.equal(entry?.matcher, tool ? "terminal" : null, event);
    assert.equal(warnings.length, tool ? 0 : 1, event);
  }
});

test("a matcher that is not a regular expression causes a warning and is used as a name", () => {
  const { entry, warnings } = one({ command: "x", matcher: "a(" });
  assert.match(
    warnings.join(),
    /^hooks\.pre_tool_call\[0\]\.matcher: not a valid regular expression .*with the name "a\("$/,
  );
  assert.equal(entry?.toolMatcher.matches("a("), true);
});

test("a matcher with the tool names of the other protocol is warned of", () => {
  const warningsOf = (entry: object) => one({ command: "x", ...entry }).warnings;
  assert.deepEqual(warningsOf({ matcher: "Bash" }), [
    'hooks.pre_tool_call[0].matcher: "Bash" names tools as Claude Code does, so the hook runs for none; use terminal, or set protocol: claude if the script was written for Claude Code',
  ]);
  assert.match(warningsOf({ matcher: "Edit|Write" }).join(), /; use patch\|write_file, or set protocol: claude/);
  assert.deepEqual(warningsOf({ matcher: "terminal", protocol: "claude" }), [
    'hooks.pre_tool_call[0].matcher: "terminal" names tools as hermes does, so the hook runs for none; use Bash',
  ]);
  assert.match(warningsOf({ matcher: "search_files", protocol: "claude" }).join(), /; use Grep\|Glob$/);
  // Part of it matches, or it may be a plugin's tool.
  for (const matcher of ["terminal|Bash", "Deploy", ".*", "Bash.*"]) assert.deepEqual(warningsOf({ matcher }), []);
  assert.deepEqual(warningsOf({ matcher: "Bash|terminal", protocol: "claude" }), []);
  assert.deepEqual(warningsOf({ matcher: "Bash", enabled: false }), []);
});

test("async is for observers only", () => {
  assert.equal(one({ command: "x", async: true }, "post_tool_call").entry?.background, true);
  const { entry, warnings } = one({ command: "x", async: true });
  assert.equal(entry?.background, false);
  assert.match(warnings.join(), /\[0\]\.async: /);
});

test("env takes names, one or several, and warns about the rest", () => {
  assert.deepEqual(one({ command: "x", env: ["A_KEY", "B"] }).entry?.env, ["A_KEY", "B"]);
  assert.deepEqual(one({ command: "x", env: "A_KEY" }).entry?.env, ["A_KEY"]);
  const { entry, warnings } = one({ command: "x", env: ["A=1", 5, "OK"] });
  assert.deepEqual(entry?.env, ["OK"]);
  assert.equal(warnings.length, 2);
});

test("one bad entry is skipped, the others keep their places", () => {
  const block = { pre_tool_call: ["echo", { command: "a" }, { command: 5 }, null, { matcher: "x" }, { command: "b" }] };
  const { entries, warnings } = parseHookEntries(block, "/h");
  assert.deepEqual(
    entries.map(({ command, index }) => [command, index]),
    [
      ["a", 1],
      ["b", 5],
    ],
  );
  assert.deepEqual(
    warnings.map((warning) => warning.split(":")[0]),
    [0, 2, 3, 4].map((index) => `hooks.pre_tool_call[${index}]`),
  );
});

test("a broken gate that is marked fail_closed stays, with its problem", () => {
  for (const bad of [{}, { command: "" }, { command: "a 'b" }, { command: "a", protocol: "cluade" }]) {
    const { entry, warnings } = one({ ...bad, matcher: "terminal", fail_closed: true });
    assert.equal(entry?.argv, null);
    assert.notEqual(entry?.problem ?? null, null);
    assert.match(warnings.join(), /blocks every matching call/);
  }
});

test("a command that cannot be parsed stays, a protocol that is not there is skipped", () => {
  assert.match(one({ command: "a 'b" }).entry?.problem ?? "", /unbalanced quote/);
  const { entry, warnings } = one({ command: "a", protocol: "cluade" });
  assert.equal(entry, undefined);
  assert.match(
    warnings.join(),
    /unknown protocol "cluade"; use hermes, claude, .* or copilot\. Did you mean "claude"\?/,
  );
  assert.deepEqual(one({ command: "a", protocol: "hermes" }).warnings, []);
});

test("event names: typos get a suggestion, gateway events a hint, and lists are required", () => {
  const warn = (block: unknown) => parseHookEntries(block, "/h").warnings.join("\n");
  assert.match(warn({ pre_tool_cal: [] }), /^hooks\.pre_tool_cal: .*Did you mean "pre_tool_call"\?/);
  assert.match(warn({ "agent:start": [] }), /gateway hooks/);
  assert.match(warn({ qwertz: [] }), /Known events: pre_tool_call, /);
  assert.match(warn({ pre_tool_call: { command: "x" } }), /^hooks\.pre_tool_call: expected a list/);
  assert.match(warn([]), /^hooks: expected a mapping/);
  assert.equal(warn({ pre_tool_call: null }), "");
  assert.equal(warn(null), "");
});

test("a fail_closed guard in place of a list is broken, not dropped", () => {
  const alone = (entry: object) => parseHookEntries({ pre_tool_call: entry }, "/h");
  const { entries, warnings } = alone({ command: "x", matcher: "terminal", fail_closed: true });
  assert.match(entries[0]?.problem ?? "", /must be a list/);
  assert.equal(entries[0]?.matcher, "terminal");
  assert.match(
    warnings.join(),
    /^hooks\.pre_tool_call: expected a list of entries, found a mapping; .*it blocks every/,
  );
  assert.deepEqual(alone({ command: "x" }).entries, []);
  assert.deepEqual(alone({ command: "x", fail_closed: true, enabled: false }).entries, []);
});

test("every unknown key is a warning; one that is nearly a known key gets a hint", () => {
  const { entry, warnings } = one({ command: "x", comment: "mine", priority: 5 });
  assert.equal(entry?.problem, null);
  assert.deepEqual(warnings, [
    "hooks.pre_tool_call[0].comment: unknown key, ignored.",
    "hooks.pre_tool_call[0].priority: unknown key, ignored.",
  ]);
  assert.match(one({ command: "x", timout: 5 }).warnings.join(), /\.timout: .*Did you mean "timeout"\?/);
  assert.deepEqual(one({ command: "x", type: "command" }).warnings, []);
});

for (const extra of [
  { type: "http", url: "http://127.0.0.1/" },
  { type: "prompt", prompt: "may it?" },
  { type: "agent" },
  { type: "mcp_tool", server: "s", tool: "t" },
  { if: "Bash(git *)" },
  { once: true },
  { disabled: true },
  { hooks: [{ type: "command", command: "y" }] },
  { shell: "powershell" },
]) {
  const shown = JSON.stringify(extra);
  test(`a gate with ${shown} is broken and blocks with fail_closed; an observer is warned about`, () => {
    for (const protocol of ["hermes", "claude"]) {
      const gate = one({ command: "x", fail_closed: true, protocol, ...extra });
      assert.match(gate.entry?.problem ?? "", new RegExp(`"${Object.keys(extra)[0]}: .*" is not supported`));
      assert.match(gate.warnings.join(), /it blocks every matching call/);
      const open = one({ command: "x", protocol, ...extra });
      assert.ok(open.entry?.problem);
      assert.match(open.warnings.join(), /it cannot run/);
      const observer = one({ command: "x", protocol, ...extra }, "post_tool_call");
      assert.equal(observer.entry?.problem, null);
      assert.match(observer.warnings.join(), /unknown key, ignored/);
    }
  });
}

test("args are further words, taken as they are and run without a shell, under every protocol", () => {
  for (const protocol of ["hermes", "claude"]) {
    const { entry, warnings } = one({
      command: "bash -e",
      args: ["guard.sh", "a b", "~/x", "$(touch y)", 5, ""],
      protocol,
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(entry?.argv, ["bash", "-e", "guard.sh", "a b", "~/x", "$(touch y)", "5", ""]);
    assert.equal(entry?.throughShell, false);
    // What is approved and shown.
    assert.equal(entry?.command, "bash -e guard.sh 'a b' '~/x' '$(touch y)' 5 ''");
  }
  const claude = one({ command: "${CLAUDE_PROJECT_DIR}/a.sh", args: ["$CLAUDE_PROJECT_DIR/b"], protocol: "claude" });
  assert.deepEqual(claude.entry?.argv, ["./a.sh", "./b"]);
  for (const args of ["guard.sh", { a: 1 }, [["x"]], [null], ["a\0b"]]) {
    const { entry, warnings } = one({ command: "bash", args, fail_closed: true });
    assert.match(entry?.problem ?? "", /args must be a list of words/);
    assert.equal(entry?.argv, null);
    assert.match(warnings.join(), /it blocks every matching call/);
  }
});

test("a command with args reads back as the same words", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (words) => {
      const args = words.map((word) => word.replaceAll("\0", ""));
      assert.deepEqual(splitWords(commandLine("bash", args)), ["bash", ...args]);
    }),
  );
});

test("another program's name of an event is named, with the protocol for its scripts", () => {
  for (const [theirs, ours] of [
    ["PreToolUse", "pre_tool_call"],
    ["PostToolUse", "post_tool_call"],
    ["UserPromptSubmit", "pre_llm_call"],
    ["SessionStart", "on_session_start"],
  ]) {
    const { entries, warnings } = parseHookEntries({ [theirs!]: [{ command: "x" }] });
    assert.deepEqual(entries, []);
    assert.match(
      warnings.join(),
      new RegExp(`hooks\\.${theirs}: .*Claude Code; here it is ${ours}, with protocol: claude`),
    );
  }
});

test("fail_closed wins over failClosed when both are given", () => {
  assert.equal(one({ command: "x", fail_closed: false, failClosed: true }).entry?.failClosed, false);
  assert.equal(one({ command: "x", fail_closed: true, failClosed: false }).entry?.failClosed, true);
  assert.equal(one({ command: "x", fail_closed: null, failClosed: true }).entry?.failClosed, true);
});

test("enabled: false is kept and does not complain about a broken command", () => {
  const { entry, warnings } = one({ command: "a 'b", enabled: false });
  assert.equal(entry?.enabled, false);
  assert.deepEqual(warnings, []);
});

test("whatever `hooks` contains, the parser returns entries and warnings", () => {
  const key = fc.constantFrom(
    "command",
    "matcher",
    "timeout",
    "fail_closed",
    "async",
    "env",
    "name",
    "enabled",
    "protocol",
  );
  const entry = fc.oneof(fc.anything(), fc.dictionary(key, fc.oneof(fc.anything(), fc.string())));
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("pre_tool_call", "post_tool_call", "x:y", "x"), fc.array(entry)),
      (block) => {
        for (const parsed of parseHookEntries(block, "/h").entries) {
          assert.equal(parsed.argv === null, parsed.problem !== null);
          assert.ok(parsed.timeoutSeconds >= 1 && parsed.timeoutSeconds <= 300);
        }
      },
    ),
    { numRuns: 300 },
  );
});
