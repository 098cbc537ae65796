/** `hermes hooks allow` and `hermes hooks revoke`. */
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "#cli/command-line/command";
import { openApprovals, type OpenApprovals } from "#allowlist/approvals";
import { allowCommand, approvedWithout } from "#allowlist/decide";
import { takeScriptFingerprint } from "#allowlist/fingerprint";
import type { HookRequest } from "#allowlist/grant";
import { forgetCopies, recordApprovals, type Approved } from "#allowlist/record";
import { pairKey, readAllowlist, revokeCommand } from "#allowlist/store";
import { joinTerms, termsRecord } from "#allowlist/terms";
import { visible, visibleCommand } from "#allowlist/visible";
import { loadConfig } from "#core/home/config";
import { HermesError } from "#core/errors";
import { expandHome, userHome } from "#core/home/paths";
import { quoteWord } from "#core/shell-quote";
import { didYouMean } from "#core/suggest";
import { parseCommand } from "#sandbox/shell/command";
import { parseHookEntries } from "#sandbox/shell/entries";
import { isVariableName } from "#sandbox/shell/entry-values";
import { requestOf } from "#sandbox/shell/request";
import type { CliContext } from "#cli/context";
import { inboundHooksOf, inboundNameOf, inboundRequest } from "#cli/inbound/scripts";
import { demandEvent } from "./event.ts";

export interface AllowRequest {
  readonly event: string | undefined;
  readonly line: string | undefined;
  readonly all?: true;
  /** Approves running the command through a shell, too. */
  readonly shell?: true;
  /** Names of variables to approve for the script. */
  readonly env?: readonly string[];
  readonly json?: true;
}

interface Candidate extends HookRequest {
  readonly argv: readonly string[];
}

/**
 * Records approvals. An earlier approval is kept, unless scripts are pinned and its script has changed, or it lacks the
 * shell or variables. Throws HERMES_USAGE, HERMES_EVENT_UNKNOWN, HERMES_ALLOWLIST_*.
 */
export async function allowHooks(request: AllowRequest, command: Command, context: CliContext): Promise<void> {
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const home = userHome(context.env);
  const { entries } = parseHookEntries(config.values.hooks, home);
  const inbound = inboundHooksOf(config.values, { cwd: process.cwd(), env: context.env });
  const configured = [
    ...entries.flatMap((entry): Candidate[] =>
      entry.enabled && entry.command !== null && entry.argv !== null ? [{ ...requestOf(entry), argv: entry.argv }] : [],
    ),
    ...inbound.map((hook): Candidate => ({ ...inboundRequest(hook), argv: [hook.file] })),
  ];
  const wanted = request.all ? demandNothingElse(request, configured) : [namedCandidate(request, configured, home)];
  const place = { cwd: process.cwd(), env: context.env };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  const { unusable, warnings } = approvals.state();
  for (const warning of unusable === null ? warnings : []) context.warn(warning);
  const judged = wanted.map((candidate) => ({ candidate, ...judge(candidate, approvals) }));
  const approved = judged.map(({ candidate, verdict }): Approved => {
    const { argv, ...rest } = candidate;
    const script = takeScriptFingerprint(argv, { ...place, ignored: rest.pinIgnore });
    return { request: rest, argv, script, by: "command", renew: verdict === "changed" || verdict === "wider" };
  });
  const problems = await recordApprovals(paths.allowlist, approved, { mode: approvals.mode, place });
  if (request.json) {
    const plain = (old: boolean) =>
      judged.filter(({ verdict }) => (verdict === "old") === old).map(({ candidate }) => plainRequest(candidate));
    context.json({ approved: plain(false), already_approved: plain(true) });
  } else {
    for (const { candidate, verdict, missing } of judged) context.out(report(candidate, verdict, missing));
    if (judged.length === 0) context.out("No shell hooks are configured.");
  }
  for (const problem of problems) context.warn(problem);
  for (const candidate of wanted) explainRest(candidate, configured, approvals, context);
}

type Verdict = "new" | "changed" | "wider" | "old";

function judge(candidate: Candidate, approvals: OpenApprovals): { verdict: Verdict; missing: readonly string[] } {
  const missing = approvals.lacks(candidate);
  if (missing === null) return { verdict: "new", missing: [] };
  if (approvals.examine(candidate, candidate.argv).state !== "unchanged") return { verdict: "changed", missing };
  return { verdict: missing.length > 0 ? "wider" : "old", missing };
}

function report(candidate: Candidate, verdict: Verdict, missing: readonly string[]): string {
  switch (verdict) {
    case "new":
      return `Approved: ${describe(candidate)}`;
    case "changed":
      return `Approved again, with the changed script: ${describe(candidate)}`;
    case "wider":
      return `Approved again, now with ${missing.join(" and ")}: ${describe(candidate)}`;
    case "old":
      return `Already approved: ${describe(candidate)}`;
  }
}

/** Says when nothing like this is configured, or what the configured entry needs beyond this approval. */
function explainRest(
  candidate: Candidate,
  configured: readonly Candidate[],
  approvals: OpenApprovals,
  context: CliContext,
): void {
  const entries = configured.filter((entry) => pairKey(entry) === pairKey(candidate));
  if (entries.length === 0) context.note(`note: ${describe(candidate)} is not configured in config.yaml.`);
  const meant = entries.length > 0 ? undefined : configured.find((entry) => isSameProgram(entry, candidate));
  if (meant !== undefined) {
    context.warn(
      `config.yaml has the same command as ${visibleCommand(meant.command)}, which your shell has probably expanded. An approval is for the exact text. To approve the configured one, run: ${visible(allowCommand(meant))}`,
    );
  }
  for (const entry of entries) {
    const missing = approvals.lacks(entry) ?? [];
    if (missing.length === 0) continue;
    context.warn(
      `${visible(entry.command)} (${entry.event}) is ${approvedWithout(missing)}, so it does not run. To approve that, run: ${visible(allowCommand(entry))}`,
    );
  }
}

/** True for the same program with the same arguments at the same event, however they are written. */
function isSameProgram(one: Candidate, other: Candidate): boolean {
  return one.event === other.event && isDeepStrictEqual(one.argv, other.argv);
}

function describe(candidate: Candidate): string {
  const { event, command } = candidate;
  const terms = [
    ...(candidate.shell ? ["runs through sh -c"] : []),
    ...(candidate.env.length === 0 ? [] : [`gets ${candidate.env.join(", ")}`]),
  ];
  return `${visibleCommand(command)} (${[event, ...terms].join(", ")})`;
}

/** Removes every approval of a command. Throws HERMES_HOOK_UNKNOWN when there is none, and HERMES_ALLOWLIST_*. */
export async function revokeHook(line: string, json: boolean, command: Command, context: CliContext): Promise<void> {
  const { allowlist } = context.paths(command);
  const { approvals, warnings, unusable } = readAllowlist(allowlist);
  for (const warning of unusable === null ? warnings : []) context.warn(warning);
  const removed = await revokeCommand(allowlist, line);
  forgetCopies(allowlist);
  if (removed === 0) {
    const hint = approvedHint(
      line,
      approvals.map((approval) => approval.command),
      userHome(context.env),
    );
    throw new HermesError("HERMES_HOOK_UNKNOWN", { command: visible(line), hint: visible(hint) });
  }
  if (json) context.json({ command: line, revoked: removed });
  else context.out(`Revoked ${removed} approval${removed === 1 ? "" : "s"} of ${visible(line)}. It no longer runs.`);
}

/** The approved command that was meant: the one that a shell expanded to these words, or one that is spelled nearly so. */
function approvedHint(line: string, commands: readonly string[], home: string): string {
  const { argv } = parseCommand(line, home);
  const expanded = commands.find((each) => argv !== null && isDeepStrictEqual(parseCommand(each, home).argv, argv));
  return expanded === undefined ? didYouMean(line, commands) : ` Did you mean ${quoteWord(expanded)}?`;
}

/** What is configured; entries of the same pair are one approval for what they need together. */
function demandNothingElse(
  { event, shell, env }: AllowRequest,
  configured: readonly Candidate[],
): readonly Candidate[] {
  if (event !== undefined || shell || env !== undefined) {
    const problem = "Give an event and a command with its --shell and --env, or --all, not both.";
    throw new HermesError("HERMES_USAGE", { problem });
  }
  const all = new Map<string, Candidate>();
  for (const candidate of configured) {
    const known = all.get(pairKey(candidate));
    all.set(pairKey(candidate), known === undefined ? candidate : { ...known, ...joinTerms(known, candidate) });
  }
  return [...all.values()];
}

/** The pair that was named, with the shell and variables that were named; a configured one has its protocol's words. */
function namedCandidate(request: AllowRequest, configured: readonly Candidate[], home: string): Candidate {
  const { event, line, shell = false, env = [] } = request;
  if (event === undefined) {
    throw new HermesError("HERMES_USAGE", { problem: "Give an event and a command, or --all." });
  }
  const isInbound = inboundNameOf(event) !== undefined;
  const name = isInbound ? event : demandEvent(event);
  if (line === undefined) {
    throw new HermesError("HERMES_USAGE", {
      problem: `Give the command to approve for ${name}, exactly as configured.`,
    });
  }
  const wrong = env.find((each) => !isVariableName(each));
  if (wrong !== undefined) {
    throw new HermesError("HERMES_USAGE", { problem: `--env takes the name of a variable, not ${visible(wrong)}.` });
  }
  const asked = { event: name, command: line, shell, env: [...new Set(env)] };
  const known = configured.find((pair) => pair.event === name && pair.command === line);
  if (known !== undefined) return { ...asked, argv: known.argv, pinIgnore: known.pinIgnore ?? [] };
  if (isInbound) return inboundCandidate(asked, configured, resolve(expandHome(line, home)));
  const { argv, problem } = parseCommand(line, home);
  if (argv === null)
    throw new HermesError("HERMES_USAGE", { problem: `${visible(line)} is not a valid command: ${problem}.` });
  return { ...asked, argv };
}

/** The script of an inbound webhook is a path, which may hold spaces, and which a shell may have expanded. */
function inboundCandidate(asked: HookRequest, configured: readonly Candidate[], file: string): Candidate {
  const known = configured.find(({ event, argv }) => event === asked.event && argv[0] === file);
  return { ...asked, command: known?.command ?? asked.command, argv: [file] };
}

function plainRequest({ event, command, shell, env }: Candidate): object {
  return { event, command, ...termsRecord({ shell, env }) };
}
