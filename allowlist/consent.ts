/** Decides at the start which configured hooks may run: by an opt-in, by asking, or not at all (CONTRACT §5). */
import { isHermesError } from "#core/errors";
import type { OpenApprovals } from "./approvals.ts";
import { approvedWithout } from "./decide.ts";
import { takeScriptFingerprint, type ScriptFingerprint } from "./fingerprint.ts";
import { describeUnpinned } from "./files.ts";
import type { Prompter } from "./prompt.ts";
import type { Question } from "./question.ts";
import { makeApproval, recordApprovals, type Approved } from "./record.ts";
import { pairKey, type ApprovedBy } from "./store.ts";
import { joinTerms } from "./terms.ts";
import { visible, visibleCommand } from "./visible.ts";
import type { LookupContext } from "./words.ts";

/** What consent needs to know of a configured entry. */
export interface ConsentSubject {
  readonly event: string;
  readonly command: string | null;
  readonly argv: readonly string[] | null;
  readonly matcher: string | null;
  readonly timeoutSeconds: number;
  readonly failClosed: boolean;
  readonly enabled: boolean;
  /** True when the command runs through `sh -c`, which interprets `;`, `|` and `$(…)` in it. */
  readonly throughShell: boolean;
  /** Variables that the script gets although they are named like secrets. */
  readonly env: readonly string[];
  /** Data files of the command, which are not pinned. */
  readonly pinIgnore?: readonly string[];
}

export interface ConsentOptions {
  readonly file: string;
  readonly approvals: OpenApprovals;
  /** The opt-in of this run, or null. */
  readonly optIn: "flag" | "env" | "config" | null;
  /** Opens the terminal to ask the user; null where there is no terminal. */
  readonly prompter: (() => Prompter) | null;
  readonly place: LookupContext;
  /** Called instead of a warning when approvals could not be saved and are valid for this run only. */
  readonly onUnrecorded?: (sentence: string) => void;
}

export interface ConsentResult {
  /** Full sentences for standard error. */
  readonly warnings: readonly string[];
}

interface PendingApproval extends Question {
  readonly argv: readonly string[];
}

/**
 * Records an approval, or asks for one, for every enabled entry that is not approved yet, or not with its shell and
 * environment. If scripts are pinned, the user is asked again about a changed one; an opt-in does not renew its approval. Rejects with HERMES_INTERRUPTED
 * when the user presses Ctrl+C at a question; all other problems are warnings.
 */
export async function settleConsent(
  entries: readonly ConsentSubject[],
  options: ConsentOptions,
): Promise<ConsentResult> {
  const { approvals, optIn, prompter } = options;
  const state = approvals.state();
  const unsettled = findUnsettled(entries, options);
  const open = unsettled.filter(({ reason }) => reason !== "changed");
  const changed = unsettled.filter(({ reason }) => reason === "changed");
  const warnings = [...state.warnings];
  if (unsettled.length === 0) return { warnings };
  if (state.unusable !== null) return { warnings: [...warnings, ...dormant(open, "")] };
  if (optIn === null && prompter !== null) return { warnings: [...warnings, ...(await askEach(unsettled, options))] };
  const settled = optIn === null ? dormant(open, OPT_INS) : await record(open, optIn, options);
  return { warnings: [...warnings, ...settled, ...stopped(changed)] };
}

const OPT_INS =
  " To approve them, start with --accept-hooks, set HERMES_ACCEPT_HOOKS=1, set hooks_auto_accept: true in config.yaml, or run: hermes hooks allow.";

function findUnsettled(
  entries: readonly ConsentSubject[],
  { approvals, place }: ConsentOptions,
): readonly PendingApproval[] {
  const found = new Map<string, PendingApproval>();
  for (const entry of entries) {
    const { event, command, argv, enabled } = entry;
    // A broken entry cannot run, so it needs no approval.
    if (!enabled || command === null || argv === null) continue;
    const request = { event, command, shell: entry.throughShell, env: entry.env, pinIgnore: entry.pinIgnore ?? [] };
    const missing = approvals.lacks(request);
    const check = approvals.examine(request, argv);
    const changed = check.state === "changed";
    if (missing?.length === 0 && !changed) continue;
    const reason = changed ? "changed" : missing === null ? "new" : "wider";
    const known = found.get(pairKey(request));
    const script = known?.script ?? takeScriptFingerprint(argv, { ...place, ignored: entry.pinIgnore });
    const { uses, ...terms } =
      known === undefined ? { uses: [], shell: false, env: [] } : { ...known, ...known.request };
    found.set(pairKey(request), {
      request: { ...request, ...joinTerms(terms, request) },
      argv,
      uses: [...uses, entry],
      script,
      reason,
      change: check.state === "changed" ? check.problem : null,
      missing: missing ?? [],
      pinned: approvals.mode === "pinned",
      unpinned: approvals.mode === "pinned" ? describeUnpinned(argv, script.words, place) : null,
    });
  }
  return [...found.values()];
}

/** Records the approvals. If they cannot be saved, they are valid for this run only, with a warning. */
async function record(
  open: readonly PendingApproval[],
  by: ApprovedBy,
  options: ConsentOptions,
): Promise<readonly string[]> {
  if (open.length === 0) return [];
  const { file, approvals, place } = options;
  const approved = open.map(({ request, argv, script, reason }): Approved => ({
    request,
    argv,
    script,
    by,
    // The user saw the script as it is now; an opt-in saw nothing.
    renew: by === "prompt" && reason !== "new",
  }));
  try {
    return await recordApprovals(file, approved, { mode: approvals.mode, place });
  } catch (error) {
    if (!isHermesError(error)) throw error;
    if (error.code === "HERMES_ALLOWLIST_UNUSABLE") return [error.message, ...dormant(open, "")];
    approvals.approveForThisRun(approved.map((each) => makeApproval(each, approvals.mode, place)));
    const subject = open.length === 1 ? "1 shell hook" : `${open.length} shell hooks`;
    const sentence = `${error.message.replace(/\.$/, "")}. The approval of ${subject} applies to this run only.`;
    if (options.onUnrecorded === undefined) return [sentence];
    options.onUnrecorded(sentence);
    return [];
  }
}

async function askEach(pending: readonly PendingApproval[], options: ConsentOptions): Promise<readonly string[]> {
  const open = pending.filter(({ script }) => exists(script));
  const warnings = absent(pending.filter(({ script }) => !exists(script)));
  const refused: PendingApproval[] = [];
  if (open.length === 0) return warnings;
  const terminal = options.prompter?.();
  if (terminal === undefined) return warnings;
  try {
    for (const question of open) {
      if (await terminal.ask(question, open)) warnings.push(...(await record([question], "prompt", options)));
      else refused.push(question);
    }
  } finally {
    terminal.close();
  }
  const changed = refused.filter(({ reason }) => reason === "changed");
  const others = refused.filter(({ reason }) => reason !== "changed");
  return [...warnings, ...dormant(others, ""), ...stopped(changed)];
}

/** False for a script that is missing: what is not there cannot be approved. Inline code has none. */
function exists({ words, bytes }: ScriptFingerprint): boolean {
  return typeof words.script === "string" || bytes !== null;
}

/** One warning for the hooks that cannot be asked about. */
function absent(some: readonly PendingApproval[]): string[] {
  if (some.length === 0) return [];
  const names = some.map(({ request: { command, event }, script }) => {
    const missing =
      script.path === null ? "its program was not found in PATH" : `${visible(script.path)} does not exist`;
    return `${visibleCommand(command)} (${event}): ${missing}`;
  });
  const subject = some.length === 1 ? "1 shell hook was" : `${some.length} shell hooks were`;
  const cure = "Create the script, then start again or run: hermes hooks allow.";
  return [
    `${subject} not offered for approval and will not run: ${names.join("; ")}.${blocking(some, "is approved")} ${cure}`,
  ];
}

/** One warning for all hooks that stay unapproved; says what those that fail closed do. */
function dormant(open: readonly PendingApproval[], cure: string): readonly string[] {
  if (open.length === 0) return [];
  const subject = open.length === 1 ? "1 shell hook is" : `${open.length} shell hooks are`;
  return [`${subject} not approved and will not run: ${list(open)}.${blocking(open, "is approved")}${cure}`];
}

/** One warning for the approved hooks whose pinned script has changed. */
function stopped(changed: readonly PendingApproval[]): readonly string[] {
  if (changed.length === 0) return [];
  const subject = changed.length === 1 ? "1 shell hook has" : `${changed.length} shell hooks have`;
  const cure = " Review the script, then approve it again with: hermes hooks allow.";
  return [
    `${subject} changed since approval and will not run (hooks_consent: pinned): ${list(changed)}.${blocking(changed, "is approved again")}${cure}`,
  ];
}

function list(some: readonly PendingApproval[]): string {
  return some
    .map(({ request, reason, missing }) => {
      const lacking = reason === "wider" ? `, ${approvedWithout(missing)}` : "";
      return `${visibleCommand(request.command)} (${request.event}${lacking})`;
    })
    .join(", ");
}

function blocking(open: readonly PendingApproval[], until: string): string {
  const gates = open.filter(({ uses }) => uses.some(({ failClosed }) => failClosed));
  if (gates.length === 0) return "";
  return ` Until it ${until}, every matching call is blocked (fail_closed) by: ${list(gates)}.`;
}
