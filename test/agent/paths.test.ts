/** There is one function through which any tool call runs: the same guard must block on every path to a tool. */
import test from "node:test";
import assert from "node:assert/strict";
import { createBench, ECHO } from "../helpers/agent-bench.ts";
import { assertBlocked, TOOL_PATHS } from "../helpers/tool-paths.ts";

for (const [name, walk] of Object.entries(TOOL_PATHS)) {
  test(`the guard blocks on this path: ${name}`, async () => {
    let runs = 0;
    const bench = createBench({ tools: [{ ...ECHO, execute: async () => ++runs }] });
    await assertBlocked(bench, { tool: "terminal", args: { command: "x" } }, walk);
    assert.equal(runs, 0);
  });
}
