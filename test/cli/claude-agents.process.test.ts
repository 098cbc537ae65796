/** `protocol: claude` through the whole program: whose events a script gets, the user's or a child agent's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test, { type TestContext } from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";

const skip = spawnSync("jq", ["--version"]).error !== undefined && "there is no jq here";

/** A logger as people write them: one line for each event. */
const LOGS = `#!/usr/bin/env bash
INPUT=$(cat)
echo "$INPUT" | jq -c '{event: .hook_event_name, session: .session_id, agent: .agent_id, type: .agent_type, tool: .tool_name}' >> "$HERMES_HOME/events.jsonl"
exit 0
`;
const EVENTS = [
  "pre_tool_call",
  "post_tool_call",
  "pre_llm_call",
  "post_llm_call",
  "subagent_start",
  "subagent_stop",
  "on_session_start",
  "on_session_finalize",
];

interface Logged {
  readonly event: string;
  readonly session: string;
  readonly agent: string | null;
  readonly type: string | null;
  readonly tool: string | null;
}

function withLogger(t: TestContext, more = ""): Home {
  const home = new Home(t);
  const command = home.script("log-event.sh", LOGS);
  const entries = EVENTS.map(
    (event) =>
      `  ${event}:\n    - { command: "${command}", protocol: claude }\n${event === "pre_tool_call" ? more : ""}`,
  );
  home.write("config.yaml", `hooks_auto_accept: true\nhooks:\n${entries.join("")}`);
  return home;
}

function loggedIn(home: Home): Logged[] {
  return home
    .read("events.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Logged);
}

test(
  "a child agent fires SubagentStart and SubagentStop, and its tool events say whose they are",
  { skip },
  async (t) => {
    const home = withLogger(t);
    const ended = await home.run(["chat", "-q", 'delegate "run `true`"', "--output-format", "stream-json"]);
    assert.equal(ended.code, 0, ended.stderr);
    const { session_id: session } = framesOf(ended)[0]!;
    const logged = loggedIn(home);
    const agent = logged.find(({ event }) => event === "SubagentStart")?.agent;
    assert.match(String(agent), /^[0-9a-f]{8}_/);
    assert.notEqual(agent, session);
    const own = { session, agent: null, type: null, tool: null };
    const childs = { session, agent, type: "general-purpose", tool: null };
    assert.deepEqual(logged, [
      { event: "SessionStart", ...own },
      { event: "UserPromptSubmit", ...own },
      { event: "PreToolUse", ...own, tool: "Task" },
      { event: "SubagentStart", ...childs },
      { event: "PreToolUse", ...childs, tool: "Bash" },
      { event: "PostToolUse", ...childs, tool: "Bash" },
      { event: "SubagentStop", ...childs },
      { event: "PostToolUse", ...own, tool: "Task" },
      { event: "Stop", ...own },
      { event: "SessionEnd", ...own },
    ]);
  },
);

test("PostToolUse does not run for a call that was blocked", { skip }, async (t) => {
  const home = withLogger(t, `    - { command: "exit 2", protocol: claude, matcher: Write }\n`);
  const ended = await home.run(["chat", "-q", '@write_file {"path":"a","content":""}\n@terminal {"command":"true"}']);
  assert.equal(ended.code, 0, ended.stderr);
  const tools = loggedIn(home).filter(({ tool }) => tool !== null);
  assert.deepEqual(tools.map(({ event, tool }) => `${event} ${tool}`).toSorted(), [
    "PostToolUse Bash",
    "PreToolUse Bash",
    "PreToolUse Write",
  ]);
});

test("a turn of a plugin is not the user's session", { skip }, async (t) => {
  const home = withLogger(t);
  home.plugin(
    "nightly",
    "export const register = (ctx) => void ctx.register_command({ name: 'nightly', description: 'd', handler: async () => (await ctx.run_turn({ prompt: 'run `true`' })).text });\n",
  );
  home.write("config.yaml", `${home.read("config.yaml")}plugins: { enabled: [nightly] }\n`);
  const ended = await home.run(["chat", "-q", "/nightly"]);
  assert.equal(ended.code, 0, ended.stderr);
  const events = loggedIn(home).filter(({ event }) => event !== "SessionEnd");
  assert.deepEqual(
    events.map(({ event, type, tool }) => [event, type, tool]),
    [
      ["PreToolUse", "plugin:nightly", "Bash"],
      ["PostToolUse", "plugin:nightly", "Bash"],
    ],
  );
});
