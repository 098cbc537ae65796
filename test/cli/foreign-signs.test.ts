/** Scripts and matchers that were written for another program. */
import assert from "node:assert/strict";
import test from "node:test";
import { findForeignSigns, findForeignTool } from "#cli/commands/hooks/foreign-signs";

const SCRIPTS: readonly (readonly [text: string, protocol: string | undefined])[] = [
  [`tool=$(jq -r .tool_name)\nif [ "$tool" = "Bash" ]; then exit 2; fi\n`, "claude"],
  [`case "$(jq -r .tool_name)" in\n  Write|Edit) exit 2 ;;\nesac\n`, "claude"],
  [`file=$(jq -r '.tool_input.file_path // empty')\n[ "$file" = /etc/passwd ] && exit 2\n`, "claude"],
  [`[[ $(jq -r .hook_event_name) == PreToolUse ]] && exit 2\n`, "claude"],
  [`if call["tool_name"] == "run_shell_command": sys.exit(2)\n`, "gemini"],
  [`if (event === "BeforeTool" && tool === "write_file") process.exit(2);\n`, "gemini"],
  [`echo '{"permission": "deny", "user_message": "no"}'\n`, "cursor"],
  [`console.log(JSON.stringify({ permission: "allow" }));\n`, "cursor"],
  [`jq -r 'select(.hook_event_name == "beforeShellExecution").command'\n`, "cursor"],
  [`TOOL=$(jq -r '.toolName')\necho '{"permissionDecision":"deny"}'\n`, "copilot"],
  [`case "$(jq -r .tool_name)" in Bash|write_file) exit 0 ;; esac\n`, undefined],
  [`# unlike "Bash" and permission: "deny" of others\necho "Write down" >&2\necho '{}'\n`, undefined],
  [`[ "$(jq -r .tool_name)" = "terminal" ] && echo '{"decision":"block"}'\n`, undefined],
];
for (const [text, protocol] of SCRIPTS) {
  test(`${JSON.stringify(text)} is ${protocol === undefined ? "not of another program" : `for ${protocol}`}`, () => {
    assert.equal(findForeignSigns(text)?.protocol, protocol);
  });
}

test("a program's name of a tool is found, unless it is one of ours", () => {
  const known = ["terminal", "read_file", "write_file", "patch", "search_files"];
  const toolOf = (name: string) => findForeignTool(name, known);
  assert.deepEqual(toolOf("Bash"), { protocol: "claude", owner: "Claude Code", tool: "terminal" });
  assert.deepEqual(toolOf("apply_patch")?.protocol, "codex");
  assert.deepEqual([toolOf("replace")?.protocol, toolOf("replace")?.tool], ["gemini", "patch"]);
  assert.deepEqual([toolOf("Shell")?.protocol, toolOf("create")?.protocol], ["cursor", "copilot"]);
  assert.deepEqual([toolOf("write_file"), toolOf("no_tool")], [undefined, undefined]);
});
