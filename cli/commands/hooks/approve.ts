/** `hermes hooks allow` and `hermes hooks revoke`. */
import type { Command } from "commander";
import { openApprovals } from "#allowlist/approvals";
import { takeScriptFingerprint } from "#allowlist/fingerprint";
import type { HookPair } from "#allowlist/grant";
import { forgetCopies, recordApprovals, type Approved } from "#allowlist/record";
import { pairKey, readAllowlist, revokeCommand } from "#allowlist/store";
import { visible } from "#allowlist/visible";
import { loadConfig } from "#core/home/config";
import { HermesError } from "#core/errors";
import { userHome } from "#core/home/paths";
import { didYouMean } from "#core/suggest";
import { parseCommand } from "#sandbox/shell/command";
import { parseHookEntries } from "#sandbox/shell/entries";
import type { CliContext } from "#cli/context";
import { demandEvent } from "./event.ts";

export interface AllowRequest {
  readonly event: string | undefined;
  readonly line: string | undefined;
  readonly all?: true;
  readonly json?: true;
}

interface Candidate extends HookPair {
  readonly argv: readonly string[];
}

/**
 * Records approvals; those that there are stay as they are, unless scripts are pinned and theirs has changed. Throws
 * HERMES_USAGE, HERMES_EVENT_UNKNOWN, HERMES_ALLOWLIST_*.
 */
export async function allowHooks(request: AllowRequest, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const home = userHome(context.env);
  const { entries } = parseHookEntries(config.values.hooks, home);
  const configured = entries.flatMap(({ event, command: line, argv, enabled }): Candidate[] =>
    enabled && line !== null && argv !== null ? [{ event, command: line, argv }] : [],
  );
  const throughShell = new Set(
    entries.flatMap(({ event, command: line, throughShell: sh }) =>
      sh && line !== null ? [pairKey({ event, command: line })] : [],
    ),
  );
  const describe = (pair: HookPair) =>
    `${visible(pair.command)} (${pair.event}${throughShell.has(pairKey(pair)) ? ", runs through sh -c" : ""})`;
  const wanted = request.all ? demandNothingElse(request, configured) : [namedPair(request, configured, home)];
  const place = { cwd: process.cwd(), env: context.env };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  const before = approvals.state();
  for (const warning of before.unusable === null ? before.warnings : []) context.warn(warning);
  const known = new Set(before.approvals.map(pairKey));
  const stale = new Set(wanted.filter((pair) => approvals.examine(pair, pair.argv).state !== "unchanged").map(pairKey));
  const approved = wanted.map((candidate): Approved => {
    const { argv } = candidate;
    const renew = stale.has(pairKey(candidate));
    return { pair: plainPair(candidate), argv, script: takeScriptFingerprint(argv, place), by: "command", renew };
  });
  const problems = await recordApprovals(paths.allowlist, approved, { mode: approvals.mode, place });
  const fresh = wanted.filter((pair) => !known.has(pairKey(pair)));
  const again = wanted.filter((pair) => known.has(pairKey(pair)) && stale.has(pairKey(pair)));
  const old = wanted.filter((pair) => known.has(pairKey(pair)) && !stale.has(pairKey(pair)));
  if (request.json) {
    context.json({ approved: [...fresh, ...again].map(plainPair), already_approved: old.map(plainPair) });
  } else {
    for (const pair of fresh) context.out(`Approved: ${describe(pair)}`);
    for (const pair of again) context.out(`Approved again, with the changed script: ${describe(pair)}`);
    for (const pair of old) context.out(`Already approved: ${describe(pair)}`);
    if (wanted.length === 0) context.out("No shell hooks are configured.");
  }
  for (const problem of problems) context.warn(problem);
  const keys = new Set(configured.map(pairKey));
  for (const pair of wanted) {
    if (!keys.has(pairKey(pair))) context.note(`note: ${describe(pair)} is not configured in config.yaml.`);
  }
}

/** Removes every approval of a command. Throws HERMES_HOOK_UNKNOWN when there is none, and HERMES_ALLOWLIST_*. */
export async function revokeHook(line: string, json: boolean, command: Command, context: CliContext): Promise<void> {
  const { allowlist } = context.paths(command);
  const { approvals, warnings, unusable } = readAllowlist(allowlist);
  for (const warning of unusable === null ? warnings : []) context.warn(warning);
  const removed = await revokeCommand(allowlist, line);
  forgetCopies(allowlist);
  if (removed === 0) {
    const hint = didYouMean(
      line,
      approvals.map((approval) => approval.command),
    );
    throw new HermesError("HERMES_HOOK_UNKNOWN", { command: visible(line), hint: visible(hint) });
  }
  if (json) context.json({ command: line, revoked: removed });
  else context.out(`Revoked ${removed} approval${removed === 1 ? "" : "s"} of ${visible(line)}. It no longer runs.`);
}

function demandNothingElse({ event }: AllowRequest, configured: readonly Candidate[]): readonly Candidate[] {
  if (event !== undefined) {
    throw new HermesError("HERMES_USAGE", { problem: "Give an event and a command, or --all, not both." });
  }
  return [...new Map(configured.map((pair) => [pairKey(pair), pair])).values()];
}

/** The pair that was named; a configured one has the words that its protocol finds in the command. */
function namedPair({ event, line }: AllowRequest, configured: readonly Candidate[], home: string): Candidate {
  if (event === undefined) {
    throw new HermesError("HERMES_USAGE", { problem: "Give an event and a command, or --all." });
  }
  const name = demandEvent(event);
  if (line === undefined) {
    throw new HermesError("HERMES_USAGE", {
      problem: `Give the command to approve for ${name}, exactly as configured.`,
    });
  }
  const known = configured.find((pair) => pair.event === name && pair.command === line);
  if (known !== undefined) return known;
  const { argv, problem } = parseCommand(line, home);
  if (argv === null)
    throw new HermesError("HERMES_USAGE", { problem: `${visible(line)} is not a valid command: ${problem}.` });
  return { event: name, command: line, argv };
}

function plainPair({ event, command }: HookPair): HookPair {
  return { event, command };
}
