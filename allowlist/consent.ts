/** Settles at a start which of the configured hooks may run: by an opt-in, by asking, or not at all (CONTRACT §5). */
import { isHermesError } from "#core/errors";
import type { OpenApprovals } from "./approvals.ts";
import { takeFingerprint, type Fingerprint, type Place } from "./fingerprint.ts";
import type { HookPair } from "./grant.ts";
import type { Prompter, Question } from "./prompt.ts";
import { addApprovals, pairKey, type Approval, type ApprovedBy } from "./store.ts";
import { visible } from "./visible.ts";

/** What consent needs to know of a configured entry. */
export interface ConsentSubject {
  readonly event: string;
  readonly command: string | null;
  readonly argv: readonly string[] | null;
  readonly matcher: string | null;
  readonly failClosed: boolean;
  readonly enabled: boolean;
  /** True when the command is given to `sh -c`, so that `;`, `|` and `$(…)` in it count. */
  readonly throughShell?: boolean;
}

export interface ConsentOptions {
  readonly file: string;
  readonly approvals: OpenApprovals;
  /** The opt-in that holds for this run, or null. */
  readonly optIn: "flag" | "env" | "config" | null;
  /** Opens the terminal to ask a person, or null where there is none. */
  readonly prompter: (() => Prompter) | null;
  readonly place: Place;
  /** Told, in place of a warning, that approvals could not be written and hold for this run only. */
  readonly onUnrecorded?: (sentence: string) => void;
}

export interface Settlement {
  /** Whole sentences for standard error. */
  readonly warnings: readonly string[];
}

interface Unsettled extends Question {
  readonly failClosed: boolean;
}

/**
 * Records or asks for every enabled entry whose pair is not approved yet. Rejects with HERMES_INTERRUPTED when the
 * person presses Ctrl+C at a question; everything else that goes wrong is a warning.
 */
export async function settleConsent(entries: readonly ConsentSubject[], options: ConsentOptions): Promise<Settlement> {
  const { approvals, optIn, prompter } = options;
  const state = approvals.state();
  const warnings = [...state.warnings];
  const open = findUnsettled(entries, options);
  if (approvals.refusal !== null) return { warnings: [...warnings, approvals.refusal] };
  if (open.length === 0) return { warnings };
  if (state.unusable !== null) return { warnings: [...warnings, dormant(open, "")] };
  if (optIn !== null) return { warnings: [...warnings, ...(await record(open, optIn, options))] };
  if (prompter === null) return { warnings: [...warnings, dormant(open, OPT_INS)] };
  return { warnings: [...warnings, ...(await askEach(open, prompter, options))] };
}

const OPT_INS =
  " To approve them, start with --accept-hooks, set HERMES_ACCEPT_HOOKS=1, set hooks_auto_accept: true in config.yaml, or use: hermes hooks allow.";

/** The record of an approval made now, with the script's fingerprint. */
export function makeApproval(pair: HookPair, approvedBy: ApprovedBy, script: Fingerprint): Approval {
  return {
    event: pair.event,
    command: pair.command,
    approved_at: new Date().toISOString(),
    script_mtime_at_approval: script.mtime,
    approved_by: approvedBy,
    script_path: script.path,
    script_sha256: script.sha256,
  };
}

function findUnsettled(entries: readonly ConsentSubject[], { approvals, place }: ConsentOptions): readonly Unsettled[] {
  const found = new Map<string, Unsettled>();
  for (const { event, command, argv, matcher, failClosed, enabled, throughShell = false } of entries) {
    // A broken entry cannot run, so there is nothing to consent to.
    if (!enabled || command === null || argv === null) continue;
    const pair = { event, command };
    const known = found.get(pairKey(pair));
    if (known !== undefined) {
      found.set(pairKey(pair), {
        ...known,
        failClosed: known.failClosed || failClosed,
        throughShell: known.throughShell || throughShell,
      });
    } else if (!approvals.has(pair)) {
      found.set(pairKey(pair), { pair, matcher, failClosed, throughShell, script: takeFingerprint(argv, place) });
    }
  }
  return [...found.values()];
}

/** Records the approvals; where they cannot be recorded they hold for this run, with a warning. */
async function record(open: readonly Unsettled[], by: ApprovedBy, options: ConsentOptions): Promise<readonly string[]> {
  try {
    await addApprovals(
      options.file,
      open.map(({ pair, script }) => makeApproval(pair, by, script)),
    );
    return [];
  } catch (error) {
    if (!isHermesError(error)) throw error;
    if (error.code === "HERMES_ALLOWLIST_UNUSABLE") return [error.message, dormant(open, "")];
    options.approvals.approveForThisRun(open.map(({ pair }) => pair));
    const subject = open.length === 1 ? "1 shell hook" : `${open.length} shell hooks`;
    const sentence = `${error.message.replace(/\.$/, "")}. The approval of ${subject} holds for this run only.`;
    if (options.onUnrecorded === undefined) return [sentence];
    options.onUnrecorded(sentence);
    return [];
  }
}

async function askEach(
  open: readonly Unsettled[],
  openTerminal: () => Prompter,
  options: ConsentOptions,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const refused: Unsettled[] = [];
  const terminal = openTerminal();
  try {
    for (const question of open) {
      if (await terminal.ask(question)) warnings.push(...(await record([question], "prompt", options)));
      else refused.push(question);
    }
  } finally {
    terminal.close();
  }
  if (refused.length > 0) warnings.push(dormant(refused, ""));
  return warnings;
}

/** One sentence for all hooks that stay unapproved, and what those that fail closed do. */
function dormant(open: readonly Unsettled[], cure: string): string {
  const list = (some: readonly Unsettled[]) =>
    some.map(({ pair }) => `${visible(pair.command)} (${pair.event})`).join(", ");
  const gates = open.filter(({ failClosed }) => failClosed);
  const blocking =
    gates.length === 0
      ? ""
      : ` Until it is approved, every call that it matches is blocked (fail_closed) by: ${list(gates)}.`;
  const subject = open.length === 1 ? "1 shell hook is" : `${open.length} shell hooks are`;
  return `${subject} not approved and will not run: ${list(open)}.${blocking}${cure}`;
}
