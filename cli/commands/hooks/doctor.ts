/** `hermes hooks doctor`: everything that could keep a hook from doing what its author expects, and what to do. */
import type { Command } from "#cli/command-line/command";
import { openApprovals } from "#allowlist/approvals";
import { loadConfig } from "#core/home/config";
import { EXIT, HermesError } from "#core/errors";
import { userHome } from "#core/home/paths";
import { discoverPlugins } from "#plugins/discover";
import { parseHookEntries } from "#sandbox/shell/entries";
import { listBuiltinTools } from "#cli/builtin-tools";
import type { CliContext } from "#cli/context";
import { warnOfAccess } from "#cli/hook-scripts";
import { examineInstalled } from "#cli/plugin-install/examine";
import { mcpOrigins } from "#cli/mcp-origins";
import { interruptible } from "#cli/shutdown";
import { wallsOfHooks } from "#cli/walls";
import { examineEntry, type Examination, type SampleRun } from "./examine-entry.ts";
import { pythonPlace } from "#cli/python";
import { tierChecks } from "#cli/tiers";
import { examineGatewayHooks } from "./examine-gateway-hooks.ts";
import { examineApprovals, examinePlugins, examinePythonPlugins } from "./examine-home.ts";
import { examineSandbox } from "./examine-sandbox.ts";
import { examineStorage } from "./examine-storage.ts";
import { examineStream } from "./examine-stream.ts";
import { findGatewayHooks } from "./list-gateway-hooks.ts";
import { printReport, type DoctorReport, type ExaminedHook } from "./doctor-report.ts";
import { listPluginHooks, listShellHooks } from "./list.ts";
import type { ListedHook } from "./listed-hook.ts";

/** Examines and prints; ends with 1 when there is a problem, 130 on Ctrl+C. Scripts that are not approved do not run. */
export async function runDoctor(json: boolean, command: Command, context: CliContext): Promise<void> {
  const report = await interruptible((signal) => examine(command, context, signal));
  if (json) context.json(report);
  else printReport(report, context);
  if (report.problems > 0) context.exit(EXIT.failed);
}

async function examine(command: Command, context: CliContext, signal: AbortSignal): Promise<DoctorReport> {
  const { env } = context;
  const { safeMode } = context.globals(command);
  const paths = context.paths(command);
  const config = await loadConfig(paths, env);
  const parsed = parseHookEntries(config.values.hooks, userHome(env));
  const { entries } = parsed;
  const warnings = [...parsed.warnings, ...warnOfAccess(entries, { cwd: process.cwd(), env, home: paths.home })];
  const listed = listShellHooks(config, paths, env).hooks;
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent);
  const discovery = await discoverPlugins(paths.plugins, config.values.plugins);
  const place = { cwd: process.cwd(), env };
  const toolsOf = (enabled: boolean) =>
    discovery.plugins.flatMap(({ state, manifest }) =>
      (state === "enabled") === enabled ? (manifest?.providesTools ?? []) : [],
    );
  const examination: Examination = {
    place,
    shellContext: {
      cwd: place.cwd,
      home: paths.home,
      env,
      wallFor: wallsOfHooks(config, { home: paths.home, env }),
      ...mcpOrigins(config),
    },
    mcpServers: Object.keys(config.values.mcp_servers ?? {}),
    decide: (request) => approvals.decide(request),
    tools: { known: [...(await listBuiltinTools(env)).map(({ name }) => name), ...toolsOf(true)], off: toolsOf(false) },
    signal,
    run: !safeMode,
  };

  const hooks: ExaminedHook[] = pluginHooks((await listPluginHooks(config, paths, env)).hooks);
  for (const [index, entry] of entries.entries()) {
    const found = await examineEntry(entry, listed[index]!, examination);
    if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
    const bad = warningsOf(warnings, entry.event, entry.index);
    hooks.push({ ...listed[index]!, ...found, problems: [...bad, ...found.problems] });
  }
  hooks.push(...skippedEntries(warnings, entries));
  const gatewayHooks = await findGatewayHooks(config, paths, env);
  const { findCodeProblem } = tierChecks(() => pythonPlace(config, env));
  hooks.push(...(await examineGatewayHooks(gatewayHooks, findCodeProblem)).map((hook) => ({ ...hook, ...NOT_RUN })));
  const attached = new Set(hooks.flatMap(({ problems }) => problems));
  const around = [
    examineApprovals(paths.allowlist, approvals, [
      ...entries.map(({ event, command: line }) => ({ event, command: line ?? "" })),
      ...(config.values.inbound ?? []).map(({ name, script }) => ({ event: `inbound:${name}`, command: script })),
    ]),
    examinePlugins(discovery, config, env),
    await examinePythonPlugins(discovery, pythonPlace(config, env)),
    { problems: examineInstalled(paths.plugins).problems, notes: [] },
    await examineSandbox({ paths, env, profiles: config.values.sandbox ?? {}, entries }),
    await examineStream(config, env),
    await examineStorage(config, env),
  ];
  const general = [
    ...config.warnings,
    ...gatewayHooks.warnings,
    ...warnings.filter((warning) => !attached.has(warning)),
    ...around.flatMap(({ problems }) => problems),
  ];
  const notes = around.flatMap((one) => one.notes);
  if (safeMode) notes.push("Safe mode: no scripts were run.");
  const problems = general.length + hooks.reduce((sum, hook) => sum + hook.problems.length, 0);
  return { hooks, general, problems, notes };
}

const NOT_RUN: SampleRun = { exit_code: null, duration_ms: null, answer: null };

function pluginHooks(listed: readonly ListedHook[]): ExaminedHook[] {
  return listed.map((hook) => ({ ...hook, ...NOT_RUN, problems: [], notes: [] }));
}

/** The warnings about an entry; each names it. */
function warningsOf(warnings: readonly string[], event: string, index: number): readonly string[] {
  return warnings.filter((warning) => warning.startsWith(`hooks.${event}[${index}]`));
}

/** Entries that are too broken to be listed, although their author expects them to run. */
function skippedEntries(
  warnings: readonly string[],
  entries: readonly { readonly event: string; readonly index: number }[],
): readonly ExaminedHook[] {
  const kept = new Set(entries.map(({ event, index }) => `hooks.${event}[${index}]`));
  const places = new Set(warnings.flatMap((warning) => /^hooks\.\w+\[\d+\]/.exec(warning)?.[0] ?? []));
  return [...places.difference(kept)].map((name) => {
    const [, event = "", index = ""] = /^hooks\.(\w+)\[(\d+)\]/.exec(name) ?? [];
    const problems = warningsOf(warnings, event, Number.parseInt(index, 10));
    return {
      event,
      source: "shell",
      name,
      command: null,
      matcher: null,
      enabled: true,
      ...NOT_RUN,
      problems,
      notes: [],
    };
  });
}
