/** The settings of each program, as its documentation shows them: what becomes of them, and what cannot be converted. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { parseHookEntries } from "#sandbox/shell/entries";
import { convertFile, placeSettings, writeSettings, type SETTINGS } from "../../helpers/imports.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

interface Expected {
  readonly program: string;
  readonly fixture: keyof typeof SETTINGS;
  /** ROOT is the project's folder. */
  readonly hooks: object;
  /** Line, key, and a part of what is said. */
  readonly remarks: readonly (readonly [line: number, key: string, problem: string])[];
}

const EXPECTED: readonly Expected[] = [
  {
    program: "claude",
    fixture: "claude.json",
    hooks: {
      pre_tool_call: [
        {
          protocol: "claude",
          matcher: "Edit|Write",
          command: '"ROOT/.claude/hooks/protect files.sh"',
          timeout: 30,
        },
        { protocol: "claude", matcher: "Bash", command: "'ROOT'/.claude/hooks/bash.sh --strict" },
        { protocol: "claude", command: `jq -r '.tool_name' >> "$HOME/tools.log"` },
      ],
      post_tool_call: [
        { protocol: "claude", matcher: "Write", command: "npx prettier --write", timeout: 300, async: true },
        { protocol: "claude", protocol_event: "PostToolUseFailure", command: "notify-send failed" },
      ],
      pre_llm_call: [{ protocol: "claude", command: "date" }],
      on_session_start: [{ protocol: "claude", command: "git status --short" }],
    },
    remarks: [
      [10, "hooks.PreToolUse[0].hooks[1]", 'not hooks of type "prompt"'],
      [11, "hooks.PreToolUse[0].hooks[2]", 'not hooks of type "http"'],
      [17, "hooks.PreToolUse[1].hooks[0].async", "left out: hermes waits for the answer of PreToolUse"],
      [18, "hooks.PreToolUse[1].hooks[1].if", "not imported"],
      [19, "hooks.PreToolUse[1].hooks[2]", 'not hooks of type "agent"'],
      [28, "hooks.PostToolUse[0].hooks[0].timeout", "900 seconds are more than hermes waits; it is 300"],
      [36, "hooks.SessionStart[1].hooks[0]", 'it is for "compact", and here SessionStart is always "startup"'],
      [38, "hooks.Notification", "no event for notifications"],
      [39, "hooks.PreToolUze", 'Did you mean "PreToolUse"?'],
    ],
  },
  {
    program: "codex",
    fixture: "codex.toml",
    hooks: {
      pre_tool_call: [
        {
          protocol: "codex",
          matcher: "^Bash$",
          command: 'python3 "$(git rev-parse --show-toplevel)/.codex/hooks/policy.py"',
          timeout: 30,
        },
        { protocol: "codex", matcher: "apply_patch", command: "'ROOT/.codex/hooks/edits.sh'" },
      ],
      on_session_start: [{ protocol: "codex", command: "cat ~/.codex/notes.md" }],
    },
    remarks: [
      [15, "hooks.PreToolUse[0].hooks[1]", 'not hooks of type "prompt"'],
      [32, "hooks.PermissionRequest", "hermes asks for approval only when a hook answers so"],
    ],
  },
  {
    program: "gemini",
    fixture: "gemini.json",
    hooks: {
      pre_tool_call: [
        {
          name: "security-check",
          protocol: "gemini",
          matcher: "write_file|replace",
          command: "'ROOT'/.gemini/hooks/security.sh",
          timeout: 5,
        },
      ],
      post_llm_call: [{ protocol: "gemini", command: "node ./check.mjs", timeout: 1 }],
      on_session_start: [{ protocol: "gemini", command: "init.sh" }],
    },
    remarks: [
      [20, "hooks.BeforeModel", "hermes shows hooks no requests to the model"],
      [23, "hooks.SessionStart[1].hooks[0]", 'it is for "clear"'],
    ],
  },
  {
    program: "cursor",
    fixture: "cursor.json",
    hooks: {
      pre_tool_call: [
        {
          protocol: "cursor",
          protocol_event: "beforeShellExecution",
          matcher: "git|gh",
          command: "'ROOT/.cursor/hooks/block-git.sh'",
          timeout: 10,
          fail_closed: true,
        },
        { protocol: "cursor", matcher: "Shell|Write", command: "node 'ROOT/.cursor/hooks/tool.mjs'" },
      ],
      post_tool_call: [{ protocol: "cursor", protocol_event: "afterFileEdit", command: "'ROOT/format.sh'" }],
      post_llm_call: [{ protocol: "cursor", command: "'ROOT/audit.sh'" }],
      on_session_start: [{ protocol: "cursor", command: "cd 'ROOT' || exit 1; ./init.sh && echo '{}'" }],
    },
    remarks: [
      [9, "hooks.beforeSubmitPrompt[0]", 'not hooks of type "prompt"'],
      [10, "hooks.stop[0].loop_limit", "left out"],
      [11, "hooks.beforeTabFileRead", "hermes completes no code while you type"],
    ],
  },
  {
    program: "copilot",
    fixture: "copilot.json",
    hooks: {
      pre_tool_call: [
        {
          protocol: "copilot",
          command: `cd 'ROOT/scripts' || exit 1; export MODE='strict' LOG="$HOME/x.log"; 'ROOT/scripts/security-check.sh'`,
          timeout: 15,
        },
      ],
      post_tool_call: [{ protocol: "copilot", protocol_event: "PostToolUse", command: "'ROOT/scripts/log.sh'" }],
      pre_llm_call: [{ protocol: "copilot", command: "cat >> prompts.log" }],
      api_request_error: [{ protocol: "copilot", command: "'ROOT/scripts/alert.sh'" }],
    },
    remarks: [
      [14, "hooks.preToolUse[1]", "a command for Windows alone"],
      [18, "hooks.sessionStart[0]", 'not hooks of type "prompt"'],
    ],
  },
];

for (const { program, fixture, hooks, remarks } of EXPECTED) {
  test(`${program}: ${fixture} in a folder with a blank`, async (t) => {
    const root = join(temporaryFolder(t), "my project");
    const file = placeSettings(root, fixture);
    mkdirSync(join(root, ".cursor/hooks"), { recursive: true });
    writeFileSync(join(root, ".cursor/hooks/tool.mjs"), "");
    const imported = await convertFile(file);
    assert.equal(imported.program, program);
    assert.deepEqual(imported.hooks, JSON.parse(JSON.stringify(hooks).replaceAll("ROOT", root)));
    assert.deepEqual(
      imported.remarks.map(({ line, key }) => [line, key]),
      remarks.map(([line, key]) => [line, key]),
    );
    for (const [index, [, , problem]] of remarks.entries()) {
      assert.ok(imported.remarks[index]?.problem.includes(problem), imported.remarks[index]?.problem);
    }
    assert.deepEqual(parseHookEntries(imported.hooks).warnings, [], "the configuration has nothing to say");
    assert.equal(imported.project, root);
  });
}

test("the user's own settings name the project of each run, and Cursor's start in their folder", async (t) => {
  const home = temporaryFolder(t);
  const claude = writeSettings(home, ".claude/settings.json", {
    hooks: { PreToolUse: [{ hooks: [{ command: '"$CLAUDE_PROJECT_DIR"/guard.sh' }, { command: "./own.sh" }] }] },
  });
  const { hooks, project } = await convertFile(claude, home);
  assert.equal(project, null);
  assert.deepEqual(
    hooks["pre_tool_call"]?.map(({ command }) => command),
    ['"$CLAUDE_PROJECT_DIR"/guard.sh', "./own.sh"],
  );
  const cursor = writeSettings(home, ".cursor/hooks.json", {
    version: 1,
    hooks: { stop: [{ command: "./audit.sh" }] },
  });
  assert.equal((await convertFile(cursor, home)).hooks["post_llm_call"]?.[0]?.command, `${home}/.cursor/audit.sh`);
});

test("hooks of a plugin have its folder, those of an extension too", async (t) => {
  const plugin = join(temporaryFolder(t), "guard plugin");
  const claude = writeSettings(plugin, "hooks/hooks.json", {
    description: "Guards",
    hooks: {
      PreToolUse: [{ hooks: [{ type: "command", command: '"${CLAUDE_PLUGIN_ROOT}/guard.sh" "$CLAUDE_PLUGIN_DATA"' }] }],
    },
  });
  const { hooks, remarks } = await convertFile(claude);
  assert.equal(hooks["pre_tool_call"]?.[0]?.command, `"${plugin}/guard.sh" "$CLAUDE_PLUGIN_DATA"`);
  assert.match(remarks[0]?.problem ?? "", /names CLAUDE_PLUGIN_DATA, which hermes does not set/);
  const gemini = writeSettings(plugin, "hooks/hooks.json", {
    hooks: { BeforeTool: [{ hooks: [{ type: "command", command: "node ${extensionPath}${/}guard.js" }] }] },
  });
  assert.equal((await convertFile(gemini)).hooks["pre_tool_call"]?.[0]?.command, `node '${plugin}'/guard.js`);
});

test("settings that switch their hooks off keep them off", async (t) => {
  const file = writeSettings(temporaryFolder(t), ".claude/settings.json", {
    disableAllHooks: true,
    hooks: { Stop: [{ hooks: [{ command: "a" }] }] },
  });
  const { hooks, remarks } = await convertFile(file);
  assert.deepEqual(hooks, { post_llm_call: [{ protocol: "claude", command: "a", enabled: false }] });
  assert.match(remarks[0]?.problem ?? "", /^"disableAllHooks" is true, so the hooks are imported with enabled: false$/);
});

test("a hook that Gemini CLI's settings disable by its name is off", async (t) => {
  const file = writeSettings(temporaryFolder(t), ".gemini/settings.json", {
    hooks: { BeforeTool: [{ hooks: [{ name: "one", command: "a" }, { command: "b" }] }], disabled: ["one"] },
  });
  const { hooks } = await convertFile(file);
  assert.deepEqual(hooks["pre_tool_call"], [
    { name: "one", protocol: "gemini", command: "a", enabled: false },
    { protocol: "gemini", command: "b" },
  ]);
});

test("arguments in a list stay a list, and a repeated hook is imported once", async (t) => {
  const root = join(temporaryFolder(t), "p q");
  const hook = {
    type: "command",
    command: "$CLAUDE_PROJECT_DIR/guard",
    args: ["--root", "${CLAUDE_PROJECT_DIR}", "a b"],
  };
  const file = writeSettings(root, ".claude/settings.json", { hooks: { PreToolUse: [{ hooks: [hook, hook] }] } });
  const { hooks, remarks } = await convertFile(file);
  assert.deepEqual(hooks, {
    pre_tool_call: [{ protocol: "claude", command: `'${root}/guard'`, args: ["--root", root, "a b"] }],
  });
  assert.equal(remarks[0]?.problem, "the same hook is above");
});

test("200 hooks are converted in their order", async (t) => {
  const groups = Array.from({ length: 200 }, (_, index) => ({
    matcher: "Bash",
    hooks: [{ command: `guard ${index}` }],
  }));
  const { hooks, remarks } = await convertFile(
    writeSettings(temporaryFolder(t), "x.json", { hooks: { PreToolUse: groups } }),
  );
  assert.deepEqual(remarks, []);
  assert.deepEqual(
    hooks["pre_tool_call"]?.map(({ command }) => command),
    groups.map(({ hooks: [hook] }) => hook?.command),
  );
});
