/** Everything that is checked before an inbound webhook starts, and what its scripts run through. */
import { openApprovals, type OpenApprovals } from "#allowlist/approvals";
import { settleConsent } from "#allowlist/consent";
import { openPrompter } from "#allowlist/prompt";
import { findScriptAccessProblem } from "#allowlist/script-access";
import { visibleCommand } from "#allowlist/visible";
import { HermesError, problemOf } from "#core/errors";
import type { Config } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import type { HomePaths } from "#core/home/paths";
import { isLoopback } from "#core/loopback";
import { didYouMean } from "#core/suggest";
import type { InboundHook } from "#daemon/inbound/hooks";
import type { RunScript, ScriptEnd } from "#daemon/inbound/script";
import { runInboundScript } from "#sandbox/inbound/script";
import type { CliContext, GlobalOptions } from "../context.ts";
import { optInOf } from "../opt-in.ts";
import { wallsOfInbound } from "../walls.ts";
import { findInboundProblem, inboundHooksOf, inboundRequest, inboundSubject, type InboundPlace } from "./scripts.ts";

export interface InboundStartOptions {
  readonly context: CliContext;
  readonly globals: GlobalOptions;
  readonly paths: HomePaths;
  readonly config: Config;
}

/** Hooks that may start, and how their scripts run. */
export interface CheckedInbound {
  readonly hooks: readonly InboundHook[];
  readonly run: RunScript;
}

/**
 * Checks the hooks of `--hook`, asks for consent on a terminal, and starts nothing. In safe mode there are none. Throws
 * HERMES_INBOUND_UNKNOWN, HERMES_CONFIG_VARIABLE, HERMES_INBOUND_SCRIPT, HERMES_INBOUND_UNAPPROVED, HERMES_ALLOWLIST_* and
 * HERMES_INTERRUPTED.
 */
export async function checkInbound(names: readonly string[], options: InboundStartOptions): Promise<CheckedInbound> {
  const { context, globals, paths, config } = options;
  const place = { cwd: process.cwd(), env: context.env, home: paths.home };
  const configured = inboundHooksOf(config.values, place);
  const hooks = [...new Set(names)].map((name) => demandHook(name, configured));
  for (const { name } of hooks) demandFor("inbound", config, name);
  for (const hook of hooks) {
    const problem = findInboundProblem(hook, place);
    if (problem !== null) throw new HermesError("HERMES_INBOUND_SCRIPT", { name: hook.name, problem });
  }
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  if (globals.safeMode) {
    if (hooks.length > 0) context.warn("Safe mode: no inbound webhook is started.");
    return { hooks: [], run: createRunner(approvals, options, place) };
  }
  await demandConsent(hooks, approvals, options, place);
  for (const { name, verify, host } of hooks) {
    if (verify !== "none" || isLoopback(host)) continue;
    context.warn(
      `The inbound webhook "${name}" verifies nothing (verify: none): everyone who can reach ${host} can run its script and write to this session.`,
    );
  }
  return { hooks, run: createRunner(approvals, options, place) };
}

/** The hook of a name. Throws HERMES_INBOUND_UNKNOWN. */
export function demandHook(name: string, configured: readonly InboundHook[]): InboundHook {
  const found = configured.find((hook) => hook.name === name);
  if (found !== undefined) return found;
  const names = configured.map((hook) => hook.name);
  const hint = didYouMean(name, names) || (names.length === 0 ? "" : ` Configured: ${names.join(", ")}.`);
  throw new HermesError("HERMES_INBOUND_UNKNOWN", { name, hint });
}

async function demandConsent(
  hooks: readonly InboundHook[],
  approvals: OpenApprovals,
  { context, globals, paths, config }: InboundStartOptions,
  place: InboundPlace,
): Promise<void> {
  const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
  await settleConsent(hooks.map(inboundSubject), {
    file: paths.allowlist,
    approvals,
    optIn: optInOf(globals, config, context.env),
    prompter: isTerminal ? () => openPrompter({ input: process.stdin, output: process.stderr }) : null,
    place,
    onUnrecorded: context.warn,
  });
  for (const hook of hooks) {
    const request = inboundRequest(hook);
    const consent = approvals.decide(request);
    const check = approvals.examine(request, [hook.file]);
    const changed = "problem" in check ? check.problem : null;
    if (consent.granted && changed === null) continue;
    const reason = consent.granted ? `${changed}.` : consent.reason;
    const script = visibleCommand(hook.script);
    throw new HermesError("HERMES_INBOUND_UNAPPROVED", { name: hook.name, script, reason });
  }
}

/** Asks the allowlist at each request, so that a revoke takes effect at once. */
export function createRunner(
  approvals: Pick<OpenApprovals, "decide">,
  { paths, config, context }: Omit<InboundStartOptions, "globals">,
  place: InboundPlace,
): RunScript {
  const walls = wallsOfInbound(config, { home: paths.home, env: context.env, note: context.warn });
  return async ({ hook, variables, body, signal }): Promise<ScriptEnd> => {
    const request = inboundRequest(hook);
    try {
      const consent = approvals.decide(request);
      if (!consent.granted) return { kind: "unapproved", reason: consent.reason };
      const exposed = findScriptAccessProblem([hook.file], place);
      if (exposed !== null) return { kind: "unapproved", reason: exposed };
      const ran = await runInboundScript({
        grant: consent.grant,
        request,
        file: hook.file,
        variables,
        body,
        timeoutMs: hook.timeoutSeconds * 1000,
        signal,
        wall: walls(hook.sandbox),
        place,
      });
      return { kind: "ran", ...ran };
    } catch (error) {
      return { kind: "unapproved", reason: problemOf(error) };
    }
  };
}
