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

const linesOf = (parts: Partial<CallQuestion>) => describeCall(question(parts), visible).map(({ text }) => text);
/** The lines of the call, without the title and the hook that asks. */
const call = (tool: string, args: CallQuestion["args"]) => linesOf({ tool, args }).slice(1, -2);

test("a question names the call, the reason and the hook", () => {
  assert.deepEqual(linesOf({}), [
    "A hook wants your approval for this tool call:",
    "  tool     terminal",
    "  command  ls",
    "  reason   is it wise?",
    "  hook     guard",
  ]);
  assert.ok(linesOf({ agent: "helper" }).includes("  agent    helper (a child agent)"));
});

test("a command, a file and a change are shown as what they are, other arguments by their names", () => {
  assert.deepEqual(call("terminal", { command: "cd x\n\tmake", timeout: 5 }), [
    "  tool     terminal",
    "  command  2 lines",
    "    │ cd x",
    "    │     make",
    "    timeout: 5",
  ]);
  assert.deepEqual(call("write_file", { content: "one\ntwo\n", path: "a.txt" }), [
    "  tool     write_file",
    "  path     a.txt",
    "  text     2 lines",
    "    │ one",
    "    │ two",
  ]);
  assert.deepEqual(call("write_file", { content: "", path: "a.txt" }).at(-1), "  text     (empty)");
  const change = { path: "a.ts", old_string: "f() {\n  return 1;\n}", new_string: "f() {\n  return 2;\n  // two\n}" };
  assert.deepEqual(call("patch", { ...change, replace_all: true }), [
    "  tool     patch",
    "  path     a.ts",
    "  change   5 lines",
    "    │   f() {",
    "    │ -   return 1;",
    "    │ +   return 2;",
    "    │ +   // two",
    "    │   }",
    "    replace_all: true",
  ]);
  assert.deepEqual(call("patch", { path: "a", old_string: "x\n", new_string: "x" }).slice(3), [
    "    │   x",
    "    │ - ",
  ]);
  assert.deepEqual(call("mcp_mail_send", { to: "a@b.example", lines: ["x", 1], body: "Hello,\nbye" }), [
    "  tool     mcp_mail_send",
    "    to: a@b.example",
    '    lines: ["x",1]',
    "    body: 2 lines",
    "    │ Hello,",
    "    │ bye",
  ]);
  assert.deepEqual(call("terminal", { command: 7 }), ["  tool     terminal", "    command: 7"]);
  assert.deepEqual(call("toString", {}), ["  tool     toString"]);
});

test("no text of a hook, model or child can fake a line, recolour or reverse one", () => {
  const evil = '\n  tool     terminal {"command":"ls"}\u001b[2J\u202e\r';
  for (const tool of ["terminal", "write_file", "patch", "other"]) {
    const names = ["command", "content", "path", "old_string", "new_string", evil];
    const lines = linesOf({
      tool: `${tool}${tool === "other" ? evil : ""}`,
      args: Object.fromEntries(names.map((name) => [name, evil])),
      agent: evil,
      reasons: [{ message: evil, choices: [], hook: { name: evil, command: evil } }],
    });
    assert.equal(lines.filter((line) => line.startsWith("  tool ")).length, 1);
    const own = /^(?:A hook wants|  (?:tool|command|path|text|change|agent|reason|hook) {2,}| {4}(?:│ |\S))/;
    for (const line of lines) {
      assert.match(line, own);
      assert.doesNotMatch(line, /\p{C}/u);
    }
  }
});

test("a long argument shows its beginning and its end, and hides no other argument", () => {
  const command = `echo ${"a".repeat(50_000)}; rm -rf /`;
  const lines = call("terminal", { command, workdir: "/tmp" });
  assert.ok(lines.join("\n").length < 3000);
  assert.match(lines[1]!, /^ {2}command {2}echo aaa.*a … \(48015 more characters\) … a+; rm -rf \/$/);
  assert.equal(lines[2], "    workdir: /tmp");

  const content = Array.from({ length: 100 }, (_, number) => `row ${number}`).join("\n");
  const rows = call("write_file", { content, path: "a", mode: 7 });
  assert.deepEqual(rows.slice(2), [
    "  text     100 lines",
    ...Array.from({ length: 10 }, (_, number) => `    │ row ${number}`),
    "    … 86 more lines …",
    ...Array.from({ length: 4 }, (_, number) => `    │ row ${number + 96}`),
    "    mode: 7",
  ]);
  const gap = call("terminal", { command: `ls${" ".repeat(500)}; rm` })[1];
  assert.equal(gap, "  command  ls … (500 blanks) … ; rm");
});

test("a call with very many arguments is cut, too, and says so", () => {
  const args = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`name${index}`, index]));
  const lines = call("other", args);
  assert.ok(lines.join("\n").length < 9000);
  assert.match(lines.at(-1)!, /^ {4}… \d+ more lines of arguments …$/);
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
