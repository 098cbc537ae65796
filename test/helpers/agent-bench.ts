/** An agent on a workbench: real runner, real dispatcher, real sessions, tools and hooks of the test's own. */
import type { DatabaseSync } from "node:sqlite";
import { createAgentRunner } from "#agent/runner";
import type { AgentDeps } from "#agent/scope";
import { describeModel, selectModel, type ModelSettings } from "#agent/models/select";
import { SqliteSessions } from "#agent/sessions";
import { problemOf } from "#core/errors";
import { openMemoryDatabase } from "#core/home/database";
import { HookDispatcher } from "#core/dispatch";
import { EVENT_NAMES, type EventName } from "#core/events";
import type { Frame, FrameOf, FrameType } from "#core/frames";
import type { AgentRunner, Session, Tool, TurnResult } from "#core/ports/agent";
import { mirrorFrames, mirrorRetries } from "#core/mirror";
import { HookRegistry } from "#core/registry";
import { makeHook } from "./hooks.ts";

export interface Fired {
  readonly event: EventName;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface AgentBench {
  readonly runner: AgentRunner;
  readonly sessions: SqliteSessions;
  readonly session: Session;
  readonly dispatcher: HookDispatcher;
  readonly registry: HookRegistry;
  readonly frames: Frame[];
  /** What {@link AgentBench.listen} saw, in order. */
  readonly fired: Fired[];
  turn(
    message: string,
    options?: { signal?: AbortSignal; session?: Session; maxIterations?: number },
  ): Promise<TurnResult>;
  framesOf<Type extends FrameType>(type: Type): FrameOf<Type>[];
  /** Adds a hook, as a plugin would. */
  hook(event: EventName, run: (payload: Readonly<Record<string, unknown>>) => unknown): void;
  /** Records every event. */
  listen(): void;
}

/** A tool that tells its arguments back. */
export const ECHO: Tool = {
  name: "terminal",
  description: "Tells its arguments back",
  parameters: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
  execute: async (args) => ({ ran: args["command"] }),
};

export function createBench(
  options: {
    model?: ModelSettings;
    tools?: readonly Tool[];
    database?: DatabaseSync;
    deps?: Partial<AgentDeps>;
  } = {},
): AgentBench {
  const dispatcher = new HookDispatcher();
  const registry = new HookRegistry();
  const sessions = new SqliteSessions(options.database ?? openMemoryDatabase(), (error) => {
    throw new Error(`the test's database failed: ${problemOf(error)}`);
  });
  const settings = options.model ?? { provider: "offline" };
  const runner = createAgentRunner({
    dispatcher,
    registry,
    sessions,
    tools: () => options.tools ?? [ECHO],
    model: () => selectModel(settings, {}),
    modelId: () => describeModel(settings, {}).id,
    mirror: mirrorFrames(registry, String),
    mirrorRetry: mirrorRetries(registry),
    maxIterations: () => 10,
    maxRetries: () => 2,
    cwd: process.cwd(),
    log: { debug: () => {}, warn: () => {} },
    retryDelayMs: 5,
    ...options.deps,
  });
  const session = sessions.create({ platform: "cli", source: "chat" });
  const frames: Frame[] = [];
  const fired: Fired[] = [];
  const bench: AgentBench = {
    runner,
    sessions,
    session,
    dispatcher,
    registry,
    frames,
    fired,
    turn: (message, turn = {}) =>
      runner.turn({
        session: turn.session ?? session,
        message,
        platform: "cli",
        signal: turn.signal ?? new AbortController().signal,
        onFrame: (frame) => frames.push(frame),
        maxIterations: turn.maxIterations,
      }),
    framesOf: <Type extends FrameType>(type: Type) =>
      frames.filter((frame): frame is Frame & FrameOf<Type> => frame.type === type),
    hook: (event, run) => {
      dispatcher.register(makeHook(event, (firing) => answerOf(run(firing.frozen())), { name: `test-${event}` }));
    },
    listen: () => {
      for (const event of EVENT_NAMES) {
        bench.hook(event, (payload) => void fired.push({ event, payload }));
      }
    },
  };
  return bench;
}

function answerOf(answer: unknown) {
  return answer instanceof Promise ? answer.then((settled: unknown) => ({ answer: settled })) : { answer };
}
