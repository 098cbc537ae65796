/** Fires recorded payloads at the hooks of a dispatcher and compares what comes of it with what came then. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Decision } from "#core/answers";
import type { HookDispatcher } from "#core/dispatch";
import { HermesError } from "#core/errors";
import { isEventName, type EventName, type Payload } from "#core/events";
import { decidingRun, decisionContent, fingerprintOf, firingOutcome, outcomeOfHook } from "#core/firing-outcome";
import type { HookRun } from "#core/ports/hook";
import type { RecordedRun, Recording } from "#core/ports/recordings";
import type { ChangedFiring, HookChanges } from "#core/ports/replays";
import type { HookRegistry } from "#core/registry";
import { shownDetail } from "#core/runs";
import { EmissionReplay } from "./replay-emissions.ts";

export interface ReplayReport {
  readonly firings: number;
  readonly same: number;
  readonly changed: readonly ChangedFiring[];
  readonly hooks: HookChanges;
}

export interface ReplayOptions {
  readonly dispatcher: HookDispatcher;
  /** Has the handlers of gateway events. */
  readonly registry: HookRegistry;
  /** Compares the outcomes of this hook alone. */
  readonly hook?: string | undefined;
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
  /** Called now and then with how many were fired so far. */
  readonly onProgress: (firings: number) => void;
}

/** Hooks of this process may leave the event loop no turn; it gets one after this many firings, for Ctrl+C. */
const FIRINGS_IN_A_ROW = 50;

/**
 * Fires the recorded events one after another, in the order given. Throws HERMES_INTERRUPTED once the signal is
 * aborted.
 */
export async function replayFirings(
  recordings: AsyncIterable<Recording>,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const { signal, onProgress } = options;
  using emissions = new EmissionReplay(options.registry);
  const changed: ChangedFiring[] = [];
  const [then, now] = [new Set<string>(), new Set<string>()];
  let firings = 0;
  for await (const recording of recordings) {
    const replayed = await replay(recording, emissions, options);
    if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
    for (const { name } of recording.runs) then.add(name);
    for (const { name } of replayed.runs) now.add(name);
    const difference = compare(recording, replayed, options);
    if (difference !== undefined) changed.push(difference);
    if (++firings % FIRINGS_IN_A_ROW === 0) await nextTurn();
    onProgress(firings);
  }
  const hooks = { added: [...now.difference(then)].toSorted(), removed: [...then.difference(now)].toSorted() };
  return { firings, same: firings - changed.length, changed, hooks };
}

interface Replayed {
  readonly decision: Decision;
  readonly runs: readonly RecordedRun[];
}

async function replay(
  recording: Recording,
  emissions: EmissionReplay,
  { dispatcher, redact, signal }: ReplayOptions,
): Promise<Replayed> {
  const { event } = recording;
  const recorded = (run: HookRun, background: boolean): RecordedRun => {
    const { source, name, outcome } = run;
    return { source, name: redact(name), outcome, detail: shownDetail(run, redact), background };
  };
  if (!isEventName(event)) {
    const { decision, runs } = await emissions.emit(recording, signal);
    return { decision, runs: runs.map((run) => recorded(run, false)) };
  }
  const runs: RecordedRun[] = [];
  const background: ReadonlySet<object> = new Set(dispatcher.hooksOf(event).filter((one) => one.background));
  const onRun = (run: HookRun, ran: object) => void runs.push(recorded(run, background.has(ran)));
  const payload = JSON.parse(recording.payload) as Payload<EventName>;
  const origin = recording.origin ?? undefined;
  const decision = await dispatcher.invoke_hook(event, payload, { signal, onRun, origin });
  if (background.size > 0) await dispatcher.drain();
  return { decision, runs };
}

function compare(recording: Recording, replayed: Replayed, { hook, redact }: ReplayOptions): ChangedFiring | undefined {
  return hook === undefined ? compareFirings(recording, replayed) : compareHooks(redact(hook), recording, replayed);
}

/** What would differ for the agent; undefined for nothing. */
function compareFirings(recording: Recording, { decision, runs }: Replayed): ChangedFiring | undefined {
  const { outcome: recorded } = recording;
  const now = firingOutcome(decision, runs);
  if (now !== recorded) {
    const run = now === "pass" ? decidingRun(recorded, recording.runs) : decidingRun(now, runs);
    return { ...firingOf(recording), recorded, now, ...nameOf(run), ...marksOf(recording) };
  }
  // Of another payload, the same hook decides on another text.
  if (recording.redacted || recording.truncated) return undefined;
  const content = decisionContent(decision);
  if ((content === null ? null : fingerprintOf(content)) === recording.answer) return undefined;
  const hook = decidingRun(now, runs)?.name ?? null;
  return { ...firingOf(recording), recorded, now, hook, message: otherContent(decision) };
}

/** What would differ of one hook's runs. */
function compareHooks(name: string, recording: Recording, { runs }: Replayed): ChangedFiring | undefined {
  const [recorded, now] = [outcomeOfHook(name, recording.runs), outcomeOfHook(name, runs)];
  if (now === recorded) return undefined;
  const [all, outcome] = now === "pass" ? [recording.runs, recorded] : [runs, now];
  const run = all.find((one) => one.name === name && one.outcome === outcome);
  return { ...firingOf(recording), recorded, now, ...nameOf(run), ...marksOf(recording) };
}

function firingOf({ at, event, session_id, tool_name }: Recording) {
  return { time: new Date(at).toISOString(), event, session_id, tool_name };
}

function nameOf(run: RecordedRun | undefined) {
  return { hook: run?.name ?? null, message: run?.detail ?? null };
}

function marksOf({ redacted, truncated }: Recording): Pick<ChangedFiring, "redacted" | "truncated"> {
  return { ...(redacted ? { redacted } : {}), ...(truncated ? { truncated } : {}) };
}

function otherContent({ kind }: Decision): string {
  return kind === "modify" || kind === "ask" ? "The changed arguments differ." : "The text differs.";
}
