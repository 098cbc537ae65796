/** The agent as every surface sees it: `AgentRunner` of core/ports/agent.ts. */
import { randomUUID } from "node:crypto";
import { HermesError } from "#core/errors";
import type { AgentRunner, ToolRequest, TurnRequest, TurnResult } from "#core/ports/agent";
import { createDelegateTool } from "./delegate.ts";
import { Injections } from "./injections.ts";
import { openLine, type AgentDeps, type TurnScope } from "./scope.ts";
import { runToolCall } from "./tool-call.ts";
import { runTurn } from "./turn.ts";

/**
 * Makes the runner of turns. Its turns emit every frame of CONTRACT §3 but `session`, which the surface emits;
 * `cost` and then `result` are the last ones, and nothing comes after. An interrupted turn's `exit_code` is 130; a
 * surface that was told to terminate says 143 itself. A session runs one turn at a time: a second `turn` in it
 * rejects with HERMES_INTERNAL, every other failure is a result.
 */
export function createAgentRunner(deps: AgentDeps): AgentRunner {
  const running = new Map<string, Injections>();

  async function turn(request: TurnRequest): Promise<TurnResult> {
    const { session, message, platform, signal, user_id = "" } = request;
    if (running.has(session.id)) {
      throw new HermesError("HERMES_INTERNAL", { problem: `session ${session.id} runs a turn already` });
    }
    const injections = new Injections();
    running.set(session.id, injections);
    const line = openLine(session.id, request.onFrame, signal);
    const maxIterations = request.maxIterations ?? deps.maxIterations();
    const scope: TurnScope = { deps, session, platform, user_id, depth: 0, line, maxIterations };
    try {
      const outcome = await runTurn(scope, message, injections);
      const { text, completed, interrupted, duration_ms, exit_code } = outcome;
      line.emit({ type: "cost", session_id: session.id, ...line.cost });
      line.emit({ type: "result", session_id: session.id, completed, interrupted, duration_ms, exit_code });
      return { text, completed, interrupted, duration_ms, exit_code };
    } finally {
      line.close();
      running.delete(session.id);
    }
  }

  async function callTool({ session, tool, args, signal, onFrame }: ToolRequest): Promise<string> {
    const line = openLine(session.id, onFrame, signal);
    const scope: TurnScope = {
      deps,
      session,
      platform: session.platform,
      user_id: "",
      depth: 0,
      line,
      maxIterations: deps.maxIterations(),
    };
    const tools = [...deps.tools(), createDelegateTool(scope, runTurn)];
    const id = `call_${randomUUID().replaceAll("-", "")}`;
    try {
      return await runToolCall(scope, tools, { id, tool, args, problem: null });
    } finally {
      line.close();
    }
  }

  function inject(sessionId: string, message: string, label: string): boolean {
    return running.get(sessionId)?.add({ content: message, label }) ?? false;
  }

  return { turn, callTool, inject };
}
