import assert from "node:assert/strict";
import test from "node:test";
import { mcpToolName, splitMcpName } from "#core/mcp-names";

const NAMES: readonly (readonly [server: string, tool: string, name: string])[] = [
  ["files", "read_file", "mcp_files_read_file"],
  ["my.tracker", "list-issues", "mcp_my_tracker_list_issues"],
  ["größe", "a/b c", "mcp_gr__e_a_b_c"],
  ["s", "x".repeat(58), `mcp_s_${"x".repeat(58)}`],
];
for (const [server, tool, name] of NAMES) {
  test(`${tool} of ${server} is ${name}`, () => assert.equal(mcpToolName({ server, tool }), name));
}

test("a name that is too long is cut, and stays distinct", () => {
  const names = ["a", "b"].map((last) => mcpToolName({ server: "s", tool: "x".repeat(80) + last }));
  assert.ok(names.every((name) => /^mcp_s_x{49}_[0-9a-f]{8}$/.test(name)));
  assert.notEqual(names[0], names[1]);
});

test("a name is split where the longest configured server ends", () => {
  const servers = ["git", "git-hub", "x"];
  assert.deepEqual(splitMcpName("mcp_git_hub_search", servers), { server: "git-hub", tool: "search" });
  assert.deepEqual(splitMcpName("mcp_git_log", servers), { server: "git", tool: "log" });
  for (const name of ["mcp_git_", "mcp_other_log", "terminal"]) assert.equal(splitMcpName(name, servers), undefined);
});
