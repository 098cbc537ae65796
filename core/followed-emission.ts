/** Follows one emission of a gateway event until all hooks that it reached have run. */
import { commandVerdict, isCommandEvent, readDecision, type CommandVerdict } from "./command-events.ts";
import type { FiringWatch } from "./dispatch.ts";
import { problemOf } from "./errors.ts";
import type { HookOutcome, HookRun } from "./ports/hook.ts";
import type { EventContext, Registration } from "./registry.ts";
import { makeRun } from "./runs.ts";
import { isThenable } from "./thenable.ts";

const PASSED: CommandVerdict = { kind: "pass" };
const AWAITED = { background: false } as const;

export interface FollowedEmission {
  readonly event: string;
  readonly context: EventContext;
  readonly watch: FiringWatch;
}

/**
 * The handlers to call in place of these. When the hooks among them have run, the watch gets their runs in the order of
 * the handlers, and the first decision about a slash command: gateway hooks run after the emission has returned.
 */
export function followEmission(
  handlers: readonly Registration[],
  { event, context, watch }: FollowedEmission,
): readonly Registration[] {
  const hooks = handlers.filter(({ source }) => source !== null);
  const endings = new Map<Registration, Ending>();

  function finish(): void {
    const inOrder = hooks.map((hook) => endings.get(hook)!);
    for (const { run } of inOrder) if (run !== null) watch.run(run, AWAITED);
    watch.end(inOrder.find(({ made }) => made.kind !== "pass")?.made ?? PASSED);
  }

  if (hooks.length === 0) finish();
  return handlers.map((registration) => {
    if (registration.source === null) return registration;
    const call = registration.source === "plugin" ? callHere : callElsewhere;
    const ended = (made: CommandVerdict, run: HookRun | null): void => {
      endings.set(registration, { made, run });
      if (endings.size === hooks.length) finish();
    };
    return { ...registration, handler: () => call(registration, event, context, ended) };
  });
}

interface Ending {
  readonly made: CommandVerdict;
  readonly run: HookRun | null;
}

type Ended = (made: CommandVerdict, run: HookRun | null) => void;

/** Calls a handler that runs in this process: its run ends with what it returns. */
function callHere(registration: Registration, event: string, context: EventContext, ended: Ended): unknown {
  const started = performance.now();
  const runOf = (outcome: HookOutcome, detail: string | null) =>
    makeOwnRun(registration, context, { event, started, outcome, detail });
  const failed = (error: unknown) => ended(PASSED, runOf("error", problemOf(error)));
  const succeeded = (answer: unknown) => {
    let made;
    try {
      made = decisionIn(event, answer);
    } catch (error) {
      return failed(error);
    }
    ended(made, runOf(made.kind, made.kind === "block" ? made.message : null));
  };
  let answer: unknown;
  try {
    answer = registration.handler(event, context);
  } catch (error) {
    failed(error);
    throw error;
  }
  if (isThenable(answer)) answer.then(succeeded, failed);
  else succeeded(answer);
  return answer;
}

/** Calls a handler that passes the event on to its queue, and reports its run itself. */
function callElsewhere(registration: Registration, event: string, context: EventContext, ended: Ended): unknown {
  const { promise: run, resolve } = Promise.withResolvers<HookRun | null>();
  const answer = registration.handler(event, context, resolve);
  void Promise.all([run, answer]).then(([record, decided]) => ended(decisionIn(event, decided), record));
  return answer;
}

/** Throws for an invalid decision. */
function decisionIn(event: string, answer: unknown): CommandVerdict {
  const decision = isCommandEvent(event) ? readDecision(answer) : null;
  return decision === null ? PASSED : commandVerdict(decision);
}

interface OwnRun {
  readonly event: string;
  readonly started: number;
  readonly outcome: HookOutcome;
  readonly detail: string | null;
}

function makeOwnRun({ source, name }: Registration, { session_id: session }: EventContext, own: OwnRun): HookRun {
  const { event, started, outcome, detail } = own;
  return makeRun(
    { source: source!, name, event, command: null },
    {
      firing: { event, session_id: typeof session === "string" ? session : "", tool_name: null, tool_call_id: null },
      attempt: { started, ended: performance.now() },
      verdict: { outcome, cause: null, detail },
      exit_code: null,
    },
  );
}
