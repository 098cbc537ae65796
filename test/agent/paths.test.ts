/** There is one function through which any tool call runs: the same guard must block on every path to a tool. */
import assert from "node:assert/strict";
import test from "node:test";
import { createBench, ECHO, type AgentBench } from "../helpers/agent-bench.ts";

interface Guarded {
  readonly bench: AgentBench;
  readonly ran: () => number;
}

function guarded(): Guarded {
  let runs = 0;
  const bench = createBench({ tools: [{ ...ECHO, execute: async () => ++runs }] });
  bench.hook("pre_tool_call", ({ tool_name }) =>
    tool_name === "terminal" ? { action: "block", message: "guarded" } : undefined,
  );
  return { bench, ran: () => runs };
}

const PATHS: Readonly<Record<string, (bench: AgentBench) => Promise<unknown>>> = {
  "the very first message": (bench) => bench.turn("run `x`"),
  "a later turn": async (bench) => {
    await bench.turn("hello");
    await bench.turn("run `x`");
  },
  "a resumed session": async (bench) => {
    bench.sessions.append(bench.session.id, { role: "user", content: "earlier" });
    bench.sessions.append(bench.session.id, { role: "assistant", content: "yes" });
    await bench.turn("run `x`");
  },
  "a parallel step": (bench) => bench.turn('@terminal {"command":"x"}\n@terminal {"command":"y"}'),
  "malformed arguments": (bench) => bench.turn("@terminal {nonsense"),
  "a child agent": (bench) => bench.turn('delegate "run `x`"'),
  "a child's child, in a batch": (bench) =>
    bench.turn('@delegate_task {"tasks":[{"goal":"delegate \\"run `x`\\""},{"goal":"run `y`"}]}'),
  "a command typed by the person": (bench) =>
    bench.runner.callTool({
      session: bench.session,
      platform: "cli",
      tool: "terminal",
      args: { command: "x" },
      signal: new AbortController().signal,
      onFrame: (frame) => bench.frames.push(frame),
    }),
  "a message injected into a running turn": async (bench) => {
    bench.hook("pre_llm_call", () => void bench.runner.inject(bench.session.id, "run `x`", "test"));
    await bench.turn("hello");
  },
};

for (const [name, walk] of Object.entries(PATHS)) {
  test(`the guard blocks on this path: ${name}`, async () => {
    const { bench, ran } = guarded();
    await walk(bench);
    assert.equal(ran(), 0);
    const uses = bench.framesOf("tool_use").filter(({ tool }) => tool === "terminal");
    const results = bench.framesOf("tool_result").filter(({ tool }) => tool === "terminal");
    assert.ok(uses.length > 0);
    assert.deepEqual(new Set(uses.map(({ tool_id }) => tool_id)).size, uses.length);
    assert.deepEqual(uses.map(({ tool_id }) => tool_id).toSorted(), results.map(({ tool_id }) => tool_id).toSorted());
    for (const { content, success, session_id } of results) {
      assert.deepEqual([content, success], ['{"error":"guarded"}', false]);
      assert.equal(session_id, bench.session.id);
    }
    const blocks = bench.framesOf("hook").filter(({ outcome }) => outcome === "block");
    assert.equal(blocks.length, uses.length);
  });
}
