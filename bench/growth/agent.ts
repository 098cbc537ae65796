import { createAgentRunner } from "#agent/runner";
import type { AgentDeps } from "#agent/scope";
import { describeModel, selectModel } from "#agent/models/select";
import { SqliteSessions } from "#agent/sessions";
import { HookDispatcher } from "#core/dispatch";
import { openDatabase, transaction } from "#core/home/database";
import { mirrorFrames } from "#core/mirror";
import type { AgentRunner, Session, Tool } from "#core/ports/agent";
import { HookRegistry } from "#core/registry";
import type { DatabaseSync } from "node:sqlite";
import { join } from "node:path";

export interface OpenAgent extends Disposable {
  readonly runner: AgentRunner;
  readonly deps: AgentDeps;
  readonly sessions: SqliteSessions;
  readonly database: DatabaseSync;
  /** Runs a turn; rejects when it did not complete. */
  turn(session: Session, message: string): Promise<void>;
}

const settings = { provider: "offline" } as const;

/** The real agent with the offline model and a `state.db` in this home. */
export function openAgent(home: string, tools: readonly Tool[] = []): OpenAgent {
  const database = openDatabase(join(home, "state.db"));
  const registry = new HookRegistry();
  const sessions = new SqliteSessions(database, (error) => {
    throw error;
  });
  const deps: AgentDeps = {
    dispatcher: new HookDispatcher(),
    registry,
    sessions,
    tools: () => tools,
    model: () => selectModel(settings, {}),
    modelId: () => describeModel(settings, {}).id,
    mirror: mirrorFrames(registry, String),
    maxIterations: () => 10,
    maxRetries: () => 0,
    cwd: home,
    log: { debug: () => undefined, warn: () => undefined },
  };
  const runner = createAgentRunner(deps);
  return {
    runner,
    deps,
    sessions,
    database,
    turn: async (session, message) => {
      const { signal } = new AbortController();
      const { completed } = await runner.turn({ session, message, platform: "cli", signal, onFrame: () => undefined });
      if (!completed) throw new Error(`the turn "${message}" did not complete`);
    },
    [Symbol.dispose]: () => database.close(),
  };
}

/** Adds so many messages to a session: questions, answers, and every eighth a tool's call with its result. */
export function fillHistory({ database, sessions }: OpenAgent, id: string, size: number): void {
  const filler = "The build passed on both machines, and nothing else changed since then. ".repeat(3);
  transaction(database, () => {
    for (let index = 0; index < size; index += 2) {
      if (index % 8 === 6) {
        const call = { name: "terminal", arguments: '{"command":"make"}' };
        const tool_calls = [{ id: `call_${index}`, type: "function" as const, function: call }];
        sessions.append(id, { role: "assistant", content: null, tool_calls });
        sessions.append(id, { role: "tool", tool_call_id: `call_${index}`, content: filler });
        continue;
      }
      sessions.append(id, { role: "user", content: `${index} ${filler}` });
      sessions.append(id, { role: "assistant", content: `${index + 1} ${filler}` });
    }
  });
}
