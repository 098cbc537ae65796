/** `hermes hooks list`: what is configured and whether it may run. None of the user's code is executed. */
import { lstatSync } from "node:fs";
import type { Command } from "#cli/command-line/command";
import { openApprovals } from "#allowlist/approvals";
import { loadConfig, type Config } from "#core/home/config";
import { EXIT } from "#core/errors";
import type { HomePaths } from "#core/home/paths";
import { userHome } from "#core/home/paths";
import { discoverPlugins, entryOf, sourceOf } from "#plugins/discover";
import { parseHookEntries } from "#sandbox/shell/entries";
import { requestOf } from "#sandbox/shell/request";
import type { CliContext } from "#cli/context";
import { pythonPlace } from "#cli/python";
import { warnOfAccess } from "#cli/hook-scripts";
import { consentFor } from "./consent-state.ts";
import { printHooks } from "./hook-rows.ts";
import type { ListedHook, Listing } from "./listed-hook.ts";

/** Prints the listing; with `check`, exits with 1 if a hook needs attention. */
export async function listHooks(
  options: { json: boolean; check: boolean; live: boolean },
  command: Command,
  context: CliContext,
): Promise<void> {
  const paths = context.paths(command);
  const { hooks, warnings } = await collectHooks(paths, context.env);
  const live = options.live ? await import("./list-live.ts") : undefined;
  const processes = live?.listProcesses(paths);
  if (options.json) context.json({ hooks, warnings, ...(processes === undefined ? {} : { processes }) });
  else if (hooks.length === 0) context.out(NOTHING);
  else printHooks(hooks, context);
  if (!options.json && processes !== undefined) context.out(`\n${live?.describeProcesses(processes)}`);
  if (!options.json) for (const warning of warnings) context.warn(warning);
  if (options.check && (warnings.length > 0 || hooks.some(needsALook))) context.exit(EXIT.failed);
}

/** Everything that is configured now, with how each hook ended last. Throws what reading the configuration throws. */
export async function collectHooks(paths: HomePaths, env: NodeJS.ProcessEnv): Promise<Listing> {
  const config = await loadConfig(paths, env);
  const shell = listShellHooks(config, paths, env);
  const plugins = await listPluginHooks(config, paths, env);
  const inbound = await loadInboundHookList(config, paths, env);
  const gatewayHooks = await loadGatewayHookList(config, paths, env);
  const listings = [plugins, shell, inbound, gatewayHooks];
  const listed = listings.flatMap((listing) => listing.hooks);
  const warnings = [...config.warnings, ...listings.flatMap((listing) => listing.warnings)];
  return { hooks: await withLastRuns(listed, paths), warnings };
}

const NOTHING = "No hooks are configured. Add them to config.yaml under hooks: (see docs/shell-hooks.md).";

function needsALook({ source, enabled, allowed, drift, state }: ListedHook): boolean {
  if (state === "skipped") return true;
  return source === "shell" && enabled && (!allowed || drift === "modified" || drift === "missing");
}

/** Most homes have no inbound webhooks; then their settings are not loaded. */
async function loadInboundHookList(config: Config, paths: HomePaths, env: NodeJS.ProcessEnv): Promise<Listing> {
  if ((config.values.inbound ?? []).length === 0) return { hooks: [], warnings: [] };
  const { listInboundHooks } = await import("./list-inbound.ts");
  return listInboundHooks(config, paths, env);
}

/** The hooks with how each ended last; where nothing has run yet, the log's reader is not loaded. */
async function withLastRuns(hooks: readonly ListedHook[], { hookLog }: HomePaths): Promise<readonly ListedHook[]> {
  if (hooks.length === 0 || lstatSync(hookLog, { throwIfNoEntry: false }) === undefined) return hooks;
  const { readLastRuns, lastRunOf } = await import("./last-runs.ts");
  const runs = readLastRuns(hookLog);
  return hooks.map((hook) => {
    const last_run = lastRunOf(hook, runs);
    return last_run === undefined ? hook : { ...hook, last_run };
  });
}

/** Most homes have no gateway hooks; then their discovery is not loaded. */
async function loadGatewayHookList(config: Config, paths: HomePaths, env: NodeJS.ProcessEnv): Promise<Listing> {
  if (lstatSync(paths.hooks, { throwIfNoEntry: false }) === undefined) return { hooks: [], warnings: [] };
  const { listGatewayHooks } = await import("./list-gateway-hooks.ts");
  return listGatewayHooks(config, paths, env);
}

/** The configured shell hooks, in the order of the file. */
export function listShellHooks(config: Config, paths: HomePaths, env: NodeJS.ProcessEnv): Listing {
  const { entries, warnings } = parseHookEntries(config.values.hooks, userHome(env));
  const place = { cwd: process.cwd(), env, pinned: config.values.hooks_consent === "pinned" };
  const approvals = openApprovals(paths.allowlist, config.values.hooks_consent, place);
  const hooks = entries.map((entry): ListedHook => {
    return {
      event: entry.event,
      source: "shell",
      name: entry.name,
      command: entry.command,
      matcher: entry.matcher,
      protocol: entry.protocol,
      ...(entry.protocolEvent === null ? {} : { protocol_event: entry.protocolEvent }),
      ...(entry.coprocess ? { coprocess: true } : {}),
      timeout: entry.timeoutSeconds,
      fail_closed: entry.failClosed,
      enabled: entry.enabled,
      ...consentFor(requestOf(entry), entry.argv, approvals, place),
      problem: entry.problem,
    };
  });
  const exposed = warnOfAccess(entries, { ...place, home: paths.home });
  return { hooks, warnings: [...warnings, ...exposed, ...approvals.state().warnings] };
}

/** The hooks that plugins' manifests name. */
export async function listPluginHooks(config: Config, paths: HomePaths, env: NodeJS.ProcessEnv): Promise<Listing> {
  const { plugins: settings } = config.values;
  const { plugins, warnings } = await discoverPlugins(paths.plugins, settings);
  const isPython = plugins.some((plugin) => plugin.state === "enabled" && sourceOf(plugin) === "python");
  const reason = isPython ? await pythonProblem(config, env) : null;
  const hooks = plugins.flatMap((plugin) =>
    (plugin.manifest?.providesHooks ?? []).map((event): ListedHook => {
      const enabled = plugin.state === "enabled";
      const { on_error: onError } = entryOf(plugin, settings.entries);
      return {
        event,
        source: sourceOf(plugin),
        name: plugin.name,
        command: null,
        matcher: null,
        protocol: null,
        timeout: settings.callback_timeout_seconds,
        fail_closed: onError === "block",
        enabled,
        allowed: enabled,
        approved_at: null,
        drift: "none",
        problem: plugin.error ?? null,
        ...(enabled && reason !== null && sourceOf(plugin) === "python" ? skipped(reason) : {}),
      };
    }),
  );
  return { hooks, warnings };
}

async function pythonProblem(config: Config, env: NodeJS.ProcessEnv): Promise<string | null> {
  const { findPythonProblem } = await import("#sandbox/python/check");
  return findPythonProblem(pythonPlace(config, env));
}

function skipped(reason: string) {
  return { state: "skipped", reason, problem: reason, allowed: false } as const;
}
