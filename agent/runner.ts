/** The agent for all surfaces: `AgentRunner` of core/ports/agent.ts. */
import { randomUUID } from "node:crypto";
import { HermesError } from "#core/errors";
import type { FrameOf } from "#core/frames";
import type {
  AgentRunner,
  CompactionResult,
  CompactRequest,
  InjectedFrom,
  Session,
  SessionRequest,
  ToolRequest,
  TurnRequest,
  TurnResult,
  UsageRecord,
} from "#core/ports/agent";
import { withChangingTools } from "./changing-tools.ts";
import { compactSession } from "./compact.ts";
import { createDelegateTool } from "./delegate.ts";
import { Injections } from "./injections.ts";
import { CallQuestions } from "./questions.ts";
import { openLine, originOf, showFrames, type AgentDeps, type TurnOutput, type TurnScope } from "./scope.ts";
import { closeSession, resetSession, sessionFrame } from "./session-life.ts";
import { runToolCall } from "./tool-call.ts";
import { runTurn } from "./turn.ts";

/**
 * Creates the runner of turns. Turns emit the frames of CONTRACT §3: `session` is the first, `cost` and `result` are
 * the last. An interrupted turn has `exit_code` 130; a surface that gets SIGTERM sets 143 itself. A session runs one
 * turn at a time: a second `turn` rejects with HERMES_INTERNAL; every other failure is a result.
 */
export function createAgentRunner(deps: AgentDeps): AgentRunner {
  const running = new Map<string, Injections>();
  const compacting = new Set<string>();
  const questions = new CallQuestions();

  async function turn(request: TurnRequest): Promise<TurnResult> {
    const { session, runs = [], injected, message } = request;
    if (isBusy(session)) {
      throw new HermesError("HERMES_INTERNAL", { problem: `session ${session.id} runs a turn already` });
    }
    const injections = new Injections();
    running.set(session.id, injections);
    const line = openLine(deps, request);
    const scope = scopeOf(request, line, request.maxIterations);
    try {
      line.emit(sessionFrame(deps, request));
      for (const run of runs) line.report(run);
      if (injected !== undefined) line.emit(injectedFrame(session, injected, message));
      const outcome = await runTurn(scope, request, injections);
      const { error: _error, ...result } = outcome;
      const { completed, interrupted, duration_ms, exit_code } = result;
      recordUsage("turn", session, line);
      line.emit({ type: "cost", session_id: session.id, ...line.cost });
      line.emit({ type: "result", session_id: session.id, completed, interrupted, duration_ms, exit_code });
      return result;
    } finally {
      line.close();
      running.delete(session.id);
    }
  }

  async function callTool(request: ToolRequest): Promise<string> {
    const { tool, args } = request;
    const line = openLine(deps, request);
    const scope = scopeOf(request, line);
    const all = withChangingTools(deps, [...deps.tools(), createDelegateTool(scope, runTurn)]);
    const id = `call_${randomUUID().replaceAll("-", "")}`;
    try {
      line.emit(sessionFrame(deps, request));
      // A command of the user's does not wait for tools that it does not need.
      if (all().every(({ name }) => name !== tool)) await deps.toolsReady?.(request.signal);
      return await runToolCall(scope, all(), { id, tool, args, problem: null });
    } finally {
      line.close();
    }
  }

  /** As a turn does, it keeps others out of the session meanwhile. */
  async function compact(request: CompactRequest): Promise<CompactionResult | null> {
    const { session, focus, signal } = request;
    if (isBusy(session)) throw new HermesError("HERMES_COMPACTION", { problem: "a turn is running" });
    compacting.add(session.id);
    const line = openLine(deps, request);
    try {
      line.emit(sessionFrame(deps, request));
      const selected = await deps.model();
      deps.sessions.setModel(session.id, selected.id);
      const result = await compactSession(scopeOf(request, line), { selected, focus, count: 1 });
      recordUsage("summary", session, line);
      return result;
    } catch (thrown) {
      if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {}, { cause: thrown });
      throw thrown;
    } finally {
      line.close();
      compacting.delete(session.id);
    }
  }

  function recordUsage(kind: UsageRecord["kind"], { id }: Session, { cost, context }: TurnOutput): void {
    if (cost.input_tokens + cost.output_tokens === 0) return;
    const model = deps.sessions.get(id)?.model ?? null;
    deps.sessions.usage.add(id, { kind, model, ...cost, context_tokens: context.tokens });
  }

  function isBusy({ id }: Session): boolean {
    return running.has(id) || compacting.has(id);
  }

  function inject(sessionId: string, message: string, label: string, kind = "inject"): boolean {
    return running.get(sessionId)?.add({ content: message, label, kind }) ?? false;
  }

  function scopeOf(request: SessionRequest, line: TurnOutput, maxIterations = deps.maxIterations()): TurnScope {
    const { session, platform, user_id = "" } = request;
    return { deps, session, platform, user_id, depth: 0, line, origin: originOf(session), questions, maxIterations };
  }

  return {
    turn,
    callTool,
    compact,
    inject,
    show: (request) => showFrames(deps, request)(sessionFrame(deps, request)),
    reset: (request) => {
      if (request.session !== undefined) questions.forget(request.session.id);
      return resetSession(deps, request);
    },
    close: (request) => {
      questions.forget(request.session.id);
      return closeSession(deps, request);
    },
  };
}

function injectedFrame({ id }: Session, { kind, label }: InjectedFrom, content: string): FrameOf<"injected"> {
  return { type: "injected", session_id: id, source_kind: kind, source_label: label, content };
}
