/** `hermes hooks replay`: what the hooks of now would have done to what was recorded (CONTRACT §17). */
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError, problemOf } from "#core/errors";
import { demandFor } from "#core/home/demands";
import { createRedactor } from "#core/home/redact";
import { isEventName } from "#core/events";
import { findNameDoubt, findPatternProblem } from "#core/gateway-event-names";
import type { Recording, RecordingFilter } from "#core/ports/recordings";
import type { ChangedFiring } from "#core/ports/replays";
import { chooseId, mayBeginId } from "#core/short-id";
import { didYouMean } from "#core/suggest";
import { EmbeddedRecordings } from "#daemon/storage/embedded-recordings";
import type { CliContext } from "#cli/context";
import { withHomeState, type HomeState } from "#cli/home-state";
import { secretsOf } from "#cli/host-files";
import { printList, type Column } from "#cli/list";
import { interruptible } from "#cli/shutdown";
import { demandEvent } from "./event.ts";
import { replayFirings, type ReplayReport } from "#daemon/recordings/replay";
import { EmbeddedReplays } from "#daemon/storage/embedded-replays";
import { openReplayHooks } from "./replay-hooks.ts";

export interface ReplayCommandOptions {
  readonly session?: string;
  /** A moment, in milliseconds since 1970. */
  readonly since?: number;
  readonly event?: string;
  readonly hook?: string;
  readonly json?: true;
}

/** How long the command is silent at most. */
const PROGRESS_MS = 2000;

const COLUMNS: readonly Column[] = [
  { head: "TIME", kind: "time" },
  { head: "EVENT" },
  { head: "SESSION", isOptional: true },
  { head: "TOOL", kind: "line" },
  { head: "RECORDED", kind: "state" },
  { head: "NOW", kind: "state" },
  { head: "HOOK", kind: "text" },
  { head: "MESSAGE", kind: "text" },
];

/**
 * Prints what would differ, and exits with 1 if something does. Throws HERMES_EVENT_UNKNOWN, HERMES_USAGE,
 * HERMES_SESSION_UNKNOWN and HERMES_ID_AMBIGUOUS.
 */
export async function replayHooks(options: ReplayCommandOptions, command: Command, context: CliContext): Promise<void> {
  const event = options.event === undefined ? undefined : demandRecordable(options.event, context);
  await withHomeState(command, context, { creates: false }, async (state) => {
    demandFor("hooks replay", state.config);
    const session = options.session === undefined ? undefined : await sessionNamed(options.session, state);
    const filter = { session, since: options.since, event };
    const report = await replayIn(state, filter, { options, command, context });
    await keepForDashboard(state, report, { filter, hook: options.hook, context });
    const { firings, same, changed } = report;
    if (options.json) context.json({ firings, same, changed });
    else print(report, context);
    if (report.changed.length > 0) context.exit(EXIT.failed);
  });
}

/** A hook event, a gateway event or `namespace:*`. Throws HERMES_EVENT_UNKNOWN. */
function demandRecordable(name: string, context: CliContext): string {
  if (isEventName(name) || findPatternProblem(name) !== null) return demandEvent(name);
  const doubt = findNameDoubt(name);
  if (doubt !== null) context.warn(`--event: ${doubt}`);
  return name;
}

/** The recorded session that a person means, else one of the home's sessions that nothing was recorded of. */
async function sessionNamed(written: string, { database }: HomeState): Promise<string> {
  const candidates = await new EmbeddedRecordings(database).findSessions(written);
  const isMeant = candidates.includes(written) || mayBeginId(written, /./);
  const id = isMeant ? chooseId(written, candidates) : undefined;
  if (id !== undefined) return id;
  const { SqliteSessions } = await import("#agent/sessions");
  return new SqliteSessions(database, () => undefined).named(written).id;
}

interface Asked {
  readonly options: ReplayCommandOptions;
  readonly command: Command;
  readonly context: CliContext;
}

function replayIn(
  { paths, config, database }: HomeState,
  filter: RecordingFilter,
  { options, command, context }: Asked,
): Promise<ReplayReport> {
  return interruptible(async (signal) => {
    const store = new EmbeddedRecordings(database);
    const redact = createRedactor(context.env, secretsOf(config.values));
    const { event } = filter;
    const loadsGatewayHooks = event === undefined || !isEventName(event);
    const hooksOptions = { config, paths, database, globals: context.globals(command), context, redact };
    await using hooks = await openReplayHooks({ ...hooksOptions, loadsGatewayHooks });
    const { dispatcher, registry, names } = hooks;
    if (options.hook !== undefined) await demandHook(options.hook, names, store.read(filter));
    const onProgress = progressOf(await store.count(filter), context);
    const replayed = { dispatcher, registry, hook: options.hook, redact, signal, onProgress };
    // Awaited here: the hooks are unloaded at the end of this block.
    return await replayFirings(store.read(filter), replayed);
  });
}

interface Kept {
  readonly filter: RecordingFilter;
  readonly hook: string | undefined;
  readonly context: CliContext;
}

/** What the dashboard shows of the last replay. The result is worth printing where it cannot be kept. */
async function keepForDashboard(
  { database, paths }: HomeState,
  { firings, same, changed, hooks }: ReplayReport,
  { filter, hook, context }: Kept,
): Promise<void> {
  const { session, event, since } = filter;
  const filters = {
    session: session ?? null,
    event: event ?? null,
    hook: hook ?? null,
    since: since === undefined ? null : new Date(since).toISOString(),
  };
  const counts = { firings, same, changed: changed.length };
  try {
    await new EmbeddedReplays(database).save({ ran_at: new Date().toISOString(), filters, hooks, ...counts }, changed);
  } catch (error) {
    context.warn(
      `The dashboard will not show this replay, because ${paths.state} cannot be written: ${problemOf(error)}`,
    );
  }
}

/** Throws HERMES_USAGE for a hook that neither exists now nor ran then. */
async function demandHook(name: string, present: ReadonlySet<string>, recordings: AsyncIterable<Recording>) {
  if (present.has(name)) return;
  const names = new Set(present);
  for await (const { runs } of recordings) for (const run of runs) names.add(run.name);
  if (names.has(name)) return;
  const problem = `--hook: there is no hook "${visible(name)}".${didYouMean(name, [...names])}`;
  throw new HermesError("HERMES_USAGE", { problem });
}

function progressOf(all: number, context: CliContext): (firings: number) => void {
  let toldAt = performance.now();
  return (firings) => {
    if (performance.now() - toldAt < PROGRESS_MS) return;
    toldAt = performance.now();
    context.faint(`replayed ${firings} of ${all} firings`);
  };
}

function print({ firings, changed }: ReplayReport, context: CliContext): void {
  if (firings === 0) return context.out("No recorded firing matches. Firings are kept while record.enabled is true.");
  if (changed.length > 0) printList(context, COLUMNS, changed.map(rowOf));
  const all = firings === 1 ? "1 firing" : `${firings} firings`;
  context.out(changed.length === 0 ? `Of ${all}, none would differ.` : `Of ${all}, ${changed.length} would differ.`);
}

function rowOf(changed: ChangedFiring): readonly string[] {
  const { time, event, session_id: session, tool_name: tool, recorded, now, hook, message } = changed;
  const marks = (["redacted", "truncated"] as const).filter((mark) => changed[mark]).map((mark) => `(${mark})`);
  const texts = [session, tool ?? "", recorded, now, hook ?? "", [message ?? "", ...marks].join(" ").trim()];
  return [time, event, ...texts.map(visible)];
}
