/** `delegate_task`: child agents, each in its own session (CONTRACT §3 and §4; seed 003, "subagent_stop"). */
import { createLimiter } from "#core/limiter";
import type { Tool, TurnInput } from "#core/ports/agent";
import { fireHook, type TurnOutcome, type TurnScope } from "./scope.ts";
import { finalizeSession } from "./session-life.ts";
import type { StoredSession } from "./sessions.ts";

/** The user's session has depth 0. */
const DEEPEST = 3;
const SIDE_BY_SIDE = 4;
const MOST_TASKS = 32;
/** What scripts read as the kind of a child agent: there is one. */
const AGENT_TYPE = "general-purpose";

/** The definition of `delegate_task`, for listings. */
export const DELEGATE_TASK: Omit<Tool, "execute"> = {
  name: "delegate_task",
  description:
    "Hands a task to a child agent that starts without this conversation and has the same tools; gives its summary. " +
    "Give goal (and context), or tasks: several run side by side.",
  parameters: {
    type: "object",
    properties: {
      goal: { type: "string", minLength: 1, description: "What the child should do; it knows nothing else" },
      context: { type: "string", description: "What the child needs to know" },
      tasks: {
        type: "array",
        minItems: 1,
        maxItems: MOST_TASKS,
        items: {
          type: "object",
          properties: { goal: { type: "string", minLength: 1 }, context: { type: "string" } },
          required: ["goal"],
        },
      },
    },
  },
};

interface Task {
  readonly goal: string;
  readonly context?: string;
}

interface Child {
  readonly task: Task;
  readonly session: StoredSession;
}

type Status = "completed" | "failed" | "interrupted" | "error";

interface ChildResult {
  readonly status: Status;
  readonly summary: string | null;
  readonly session_id: string;
  readonly duration_ms: number;
}

/** Runs a child's turn. A parameter, because turns create this tool. */
type RunTurn = (scope: TurnScope, input: TurnInput) => Promise<TurnOutcome>;

/** Creates the tool for the agent of `scope`. Its children report to the same user and stop with the turn. */
export function createDelegateTool(scope: TurnScope, run: RunTurn): Tool {
  return {
    ...DELEGATE_TASK,
    execute: async (args) => {
      if (scope.depth >= DEEPEST) {
        throw new Error(`delegate_task is ${DEEPEST} levels deep at most; do this task yourself`);
      }
      return { results: await runChildren(scope, tasksOf(args), run) };
    },
  };
}

/** The children run in parallel; the parent's events about them fire one after another, before and after. */
async function runChildren(scope: TurnScope, tasks: readonly Task[], run: RunTurn): Promise<ChildResult[]> {
  const { sessions } = scope.deps;
  const children = tasks.map((task): Child => {
    const title = task.goal.slice(0, 80);
    return {
      task,
      session: sessions.create({ platform: "subagent", source: "delegate", parent: scope.session.id, title }),
    };
  });
  for (const child of children) {
    await fireHook(scope, "subagent_start", () => ({ ...identify(scope, child), child_goal: child.task.goal }));
  }
  const limiter = createLimiter(SIDE_BY_SIDE);
  const results = await Promise.all(children.map((child) => limiter.run(() => runChild(scope, child, run))));
  for (const [index, child] of children.entries()) {
    const { status, summary, duration_ms } = results[index]!;
    await fireHook(
      scope,
      "subagent_stop",
      () => ({ ...identify(scope, child), child_summary: summary, child_status: status, duration_ms }),
      { closing: true },
    );
  }
  return results;
}

async function runChild(scope: TurnScope, { task, session }: Child, run: RunTurn): Promise<ChildResult> {
  const { user_session_id } = scope.origin;
  const origin = { user_session_id, agent: { id: session.id, type: AGENT_TYPE } };
  const own: TurnScope = { ...scope, session, platform: "subagent", depth: scope.depth + 1, origin };
  const message = task.context ? `${task.goal}\n\n${task.context}` : task.goal;
  const outcome = await run(own, { message });
  const { deps, platform, line } = own;
  await finalizeSession(deps, {
    session_id: session.id,
    platform,
    signal: line.closing(),
    show: line.emit,
    shownIn: line.session_id,
    origin,
  });
  return {
    status: statusOf(outcome),
    summary: summaryOf(outcome),
    session_id: session.id,
    duration_ms: outcome.duration_ms,
  };
}

/** The parent learns that an answer is empty or cut off. */
function summaryOf({ text, notice, error }: TurnOutcome): string | null {
  if (text === null) return error?.message ?? null;
  return [text, notice === null ? "" : `(${notice})`].filter((words) => words.trim() !== "").join("\n\n");
}

function statusOf({ completed, interrupted, error }: TurnOutcome): Status {
  if (completed) return "completed";
  if (interrupted) return "interrupted";
  return error?.code === "HERMES_TURN_LIMIT" ? "failed" : "error";
}

function identify({ session }: TurnScope, child: Child) {
  return {
    session_id: session.id,
    parent_session_id: session.id,
    child_session_id: child.session.id,
    child_role: null,
  };
}

/** The schema has checked the types. Checks that exactly one of the two forms is used. */
function tasksOf(args: Readonly<Record<string, unknown>>): readonly Task[] {
  const { goal, context, tasks } = args as { goal?: string; context?: string; tasks?: readonly Task[] };
  if (tasks !== undefined) return tasks;
  if (goal === undefined) throw new Error('delegate_task needs "goal", or "tasks" with a goal each');
  return [context === undefined ? { goal } : { goal, context }];
}
