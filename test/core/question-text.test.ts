import assert from "node:assert/strict";
import test from "node:test";
import { visible } from "#allowlist/visible";
import { judge } from "#core/answers";
import type { CallQuestion } from "#core/ports/question";
import { describeCall } from "#core/question-text";

const question = (parts: Partial<CallQuestion>): CallQuestion => ({
  tool: "terminal",
  args: { command: "ls" },
  agent: null,
  reasons: [{ message: "is it wise?", choices: [], hook: { name: "guard", command: null } }],
  answers: [],
  ...parts,
});

test("a question names the call, the reason and the hook", () => {
  assert.deepEqual(describeCall(question({}), visible), [
    "A hook wants your approval for this tool call:",
    '  call     terminal {"command":"ls"}',
    "  reason   is it wise?",
    "  hook     guard",
  ]);
  assert.match(
    describeCall(question({ agent: "helper" }), visible).join("\n"),
    /\n {2}agent {4}helper \(a child agent\)/,
  );
});

test("no text of a hook, model or child can fake a line, recolour or reverse one", () => {
  const evil = '\n  call     terminal {"command":"ls"}\u001b[2J\u202e\r';
  const lines = describeCall(
    question({
      tool: `terminal${evil}`,
      args: { command: evil, [evil]: 1 },
      agent: evil,
      reasons: [{ message: evil, choices: [], hook: { name: evil, command: evil } }],
    }),
    visible,
  );
  assert.equal(lines.length, 5);
  assert.equal(lines.filter((line) => line.startsWith("  call ")).length, 1);
  for (const line of lines) assert.doesNotMatch(line, /\p{C}/u);
});

test("a long argument shows its beginning and its end, and hides no other argument", () => {
  const command = `echo ${"a".repeat(50_000)}; rm -rf /`;
  const text = describeCall(question({ args: { command, workdir: "/tmp" } }), visible).join("\n");
  assert.ok(text.length < 4000);
  assert.match(text, /"echo aaa.*a … \(48015 more characters\) … a+; rm -rf \/","workdir":"\/tmp"/);
});

test("a call with very many arguments is cut, too", () => {
  const args = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`name${index}`, index]));
  assert.ok(describeCall(question({ args }), visible).join("\n").length < 9000);
});

const INVALID = [
  [{ key: "y", label: "yes" }],
  [{ key: "n", label: "no" }],
  [{ key: "a", label: "all" }],
  [{ key: "pp", label: "two letters" }],
  [{ key: "P", label: "a capital" }],
  [{ key: "p", label: " " }],
  [{ key: "p" }],
  [{ key: "p", label: "x", on_chosen: 1 }],
  ["p"],
  "p",
];

test("choices are checked; a script, which has ended by then, gets none", () => {
  const ask = (answer: object, dialect: "plugin" | "shell" = "plugin") =>
    judge("pre_tool_call", { action: "ask", message: "sure?", ...answer }, dialect);
  for (const choices of INVALID) assert.equal(ask({ choices }).kind, "invalid", JSON.stringify(choices));
  const on_chosen = () => undefined;
  assert.deepEqual(ask({ choices: [{ key: "p", label: "always", on_chosen }] }), {
    kind: "ask",
    reasons: [{ message: "sure?", choices: [{ key: "p", label: "always", on_chosen }] }],
  });
  assert.deepEqual(ask({ choices: "p" }, "shell"), { kind: "ask", reasons: [{ message: "sure?", choices: [] }] });
  assert.equal(ask({ args: 1 }).kind, "invalid");
  assert.equal(judge("pre_gateway_dispatch", { action: "ask", message: "x" }, "plugin").kind, "invalid");
});

test("the stricter verb of a script wins: block, then ask, then modify", () => {
  const verbs = (decision: string, action: string) =>
    judge("pre_tool_call", { decision, action, args: {} }, "shell").kind;
  assert.deepEqual(
    [verbs("ask", "modify"), verbs("modify", "ask"), verbs("block", "ask"), verbs("ask", "block")],
    ["ask", "ask", "block", "block"],
  );
});
