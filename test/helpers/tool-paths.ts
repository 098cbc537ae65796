/** Every path on which a tool call runs in an agent. */
import assert from "node:assert/strict";
import type { AgentBench } from "./agent-bench.ts";

/** A call that a guard is to block: the tool, valid arguments, and others. */
export interface WalkedCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export const TOOL_PATHS: Readonly<Record<string, (bench: AgentBench, call: WalkedCall) => Promise<unknown>>> = {
  "the very first message": (bench, call) => bench.turn(asked(call)),
  "a later turn": async (bench, call) => {
    await bench.turn("hello");
    await bench.turn(asked(call));
  },
  "a resumed session": async (bench, call) => {
    bench.sessions.append(bench.session.id, { role: "user", content: "earlier" });
    bench.sessions.append(bench.session.id, { role: "assistant", content: "yes" });
    await bench.turn(asked(call));
  },
  "a parallel step": (bench, call) => bench.turn(`${asked(call)}\n${asked(call)}`),
  "malformed arguments": (bench, { tool }) => bench.turn(`@${tool} {nonsense`),
  "a child agent": (bench, call) => bench.turn(delegated([asked(call)])),
  "a child's child, in a batch": (bench, call) => bench.turn(delegated([delegated([asked(call)]), asked(call)])),
  "a command typed by the person": (bench, { tool, args }) =>
    bench.runner.callTool({
      session: bench.session,
      platform: "cli",
      tool,
      args,
      signal: new AbortController().signal,
      onFrame: (frame) => bench.frames.push(frame),
    }),
  "a message injected into a running turn": async (bench, call) => {
    bench.hook("pre_llm_call", () => void bench.runner.inject(bench.session.id, asked(call), "test"));
    await bench.turn("hello");
  },
};

/** What the offline model understands as this call. */
function asked({ tool, args }: WalkedCall): string {
  return `@${tool} ${JSON.stringify(args)}`;
}

function delegated(goals: readonly string[]): string {
  return asked({ tool: "delegate_task", args: { tasks: goals.map((goal) => ({ goal })) } });
}

/** Walks a path with a guard that blocks the tool: each call has its frames, and each of them is blocked. */
export async function assertBlocked(
  bench: AgentBench,
  call: WalkedCall,
  walk: (bench: AgentBench, call: WalkedCall) => Promise<unknown>,
): Promise<void> {
  bench.hook("pre_tool_call", ({ tool_name }) =>
    tool_name === call.tool ? { action: "block", message: "guarded" } : undefined,
  );
  await walk(bench, call);
  const uses = bench.framesOf("tool_use").filter(({ tool }) => tool === call.tool);
  const results = bench.framesOf("tool_result").filter(({ tool }) => tool === call.tool);
  assert.ok(uses.length > 0);
  assert.deepEqual(new Set(uses.map(({ tool_id }) => tool_id)).size, uses.length);
  assert.deepEqual(uses.map(({ tool_id }) => tool_id).toSorted(), results.map(({ tool_id }) => tool_id).toSorted());
  for (const { content, success, session_id } of results) {
    assert.deepEqual([content, success], ['{"error":"guarded"}', false]);
    assert.equal(session_id, bench.session.id);
  }
  const blocks = bench.framesOf("hook").filter(({ outcome }) => outcome === "block");
  assert.equal(blocks.length, uses.length);
}
