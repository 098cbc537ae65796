/** Other programs' names for the tools of MCP servers, in matchers and documents. */
import assert from "node:assert/strict";
import test from "node:test";
import { createFiring } from "#core/firing";
import { WIRES } from "#sandbox/shell/codecs";
import { PROTOCOLS, type ProtocolName } from "#sandbox/shell/protocols";

const TOOL = "mcp_my_files_read_all";
const mcpTool = (name: string) => (name === TOOL ? { server: "my files", tool: "read-all" } : undefined);
const place = { cwd: "/work", home: "/home/me/.hermes", env: {}, mcpTool };

const CASES: readonly (readonly [
  protocol: ProtocolName,
  name: string,
  matchers: readonly (readonly [string, boolean])[],
])[] = [
  [
    "hermes",
    TOOL,
    [
      ["mcp_my_files_.*", true],
      ["mcp__my_files__read-all", false],
    ],
  ],
  [
    "claude",
    "mcp__my_files__read-all",
    [
      ["mcp__my_files__read-all", true],
      ["mcp__my_files__.*", true],
      [TOOL, true],
      ["mcp__other__.*", false],
    ],
  ],
  [
    "codex",
    "mcp__my_files__read-all",
    [
      ["^mcp__my_files__.*", true],
      [TOOL, true],
    ],
  ],
  [
    "cursor",
    "MCP:read-all",
    [
      ["MCP:read-all", true],
      ["MCP:files_read_all", false],
    ],
  ],
];
for (const [protocol, name, matchers] of CASES) {
  test(`protocol ${protocol}: the script reads ${name}`, () => {
    const firing = createFiring("pre_tool_call", {
      tool_name: TOOL,
      args: { path: "x" },
      task_id: "t",
      session_id: "s",
      tool_call_id: "c",
    });
    const document = JSON.parse(WIRES[protocol].document(firing, place, { protocolEvent: null })) as {
      tool_name: string;
    };
    assert.equal(document.tool_name, name);
    for (const [pattern, isMatch] of matchers) {
      const matcher = PROTOCOLS[protocol].createMatcher(pattern, "pre_tool_call", null);
      assert.equal(matcher.matches(TOOL, { path: "x" }, place), isMatch, pattern);
    }
  });
}
