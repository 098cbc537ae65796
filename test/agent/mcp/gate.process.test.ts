/** The tools of MCP servers pass the same gate as every tool, on every path to them. */
import assert from "node:assert/strict";
import test from "node:test";
import { createBench } from "../../helpers/agent-bench.ts";
import { fixtureServer, startMcp } from "../../helpers/mcp.ts";
import { assertBlocked, TOOL_PATHS } from "../../helpers/tool-paths.ts";

test("the guard blocks a server's tool on every path, and the server is not asked", async (context) => {
  const { servers, recorded } = await startMcp(context, { one: fixtureServer() });
  for (const [name, walk] of Object.entries(TOOL_PATHS)) {
    await context.test(name, async () => {
      const bench = createBench({ deps: { tools: () => [], changingTools: servers.tools } });
      await assertBlocked(bench, { tool: "mcp_one_echo", args: { text: "x" } }, walk);
    });
  }
  assert.deepEqual(
    recorded().filter((line) => line.startsWith("call")),
    [],
  );
});

test("hooks change the arguments and the result; bad arguments and long results are handled as for every tool", async (context) => {
  const { servers, recorded } = await startMcp(context, { one: fixtureServer() });
  const bench = createBench({ deps: { tools: () => [], changingTools: servers.tools } });
  bench.hook("pre_tool_call", ({ args }) =>
    (args as { text?: unknown }).text === "before" ? { action: "modify", args: { text: "after" } } : undefined,
  );
  bench.listen();
  bench.hook("transform_tool_result", ({ result }) => (String(result).includes("said") ? "seen" : undefined));
  await bench.turn('@mcp_one_echo {"text":"before"}\n@mcp_one_echo {"text":7}\n@mcp_one_fail {}\n@mcp_one_big {}');
  const results = bench.framesOf("tool_result").map(({ content, success }) => `${success} ${content}`);
  const find = (text: string) => results.filter((result) => result.includes(text)).length;
  assert.equal(find("true seen"), 1);
  assert.equal(find('false {"error":"Bad arguments for mcp_one_echo: '), 1);
  assert.equal(find('false {"error":"no such row"}'), 1);
  assert.equal(find('true {"truncated":true,"total_characters":10485773,"output":'), 1);
  const posted = bench.fired.find(
    ({ event, payload }) => event === "post_tool_call" && payload["result"] === '{"result":"said after"}',
  );
  assert.deepEqual([posted?.payload["tool_name"], posted?.payload["args"]], ["mcp_one_echo", { text: "after" }]);
  assert.equal(recorded().filter((line) => line === "call echo").length, 1);
});

test("a tool that a call has brought can be called in the same turn", async (context) => {
  const { servers } = await startMcp(context, { one: fixtureServer() });
  const bench = createBench({ deps: { tools: () => [], changingTools: servers.tools } });
  await bench.turn("@mcp_one_grow {}\nand then\n@mcp_one_grown {}");
  const results = bench.framesOf("tool_result").map(({ content }) => content);
  assert.deepEqual(results, ['{"result":"grown"}', '{"result":"new"}']);
});
