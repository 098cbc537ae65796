/** Finds problems around the hooks: in the approvals' file, unused approvals, plugins that cannot be loaded. */
import { statSync } from "node:fs";
import type { OpenApprovals } from "#allowlist/approvals";
import type { HookPair } from "#allowlist/grant";
import { pairKey } from "#allowlist/store";
import { visible } from "#allowlist/visible";
import type { Config } from "#core/home/config";
import { declarationOf, EVENT_NAMES, isEventName } from "#core/events";
import { didYouMean } from "#core/suggest";
import { entryOf, isNamed, sourceOf, type Discovery, type FoundPlugin } from "#plugins/discover";
import type { PythonPlace } from "#sandbox/python/interpreter";
import { environmentProblem } from "#plugins/manifest";
import type { Findings } from "./examine-entry.ts";

/** The approvals' file: its state, its mode, and the approvals that no configured hook uses. */
export function examineApprovals(file: string, approvals: OpenApprovals, configured: readonly HookPair[]): Findings {
  const { warnings, approvals: approved, problem } = approvals.state();
  const notes: string[] = [];
  const mode = problem === null ? statSync(file, { throwIfNoEntry: false })?.mode : undefined;
  if (mode !== undefined && (mode & 0o077) !== 0)
    notes.push(`Other users can read ${file}. To prevent this, run: chmod 600 ${file}`);
  const used = new Set(configured.map(pairKey));
  for (const pair of approved.filter((one) => !used.has(pairKey(one)))) {
    notes.push(
      `The approval of ${visible(pair.command)} (${visible(pair.event)}) is not used by any configured hook. To remove it, run: hermes hooks revoke '${visible(pair.command)}'`,
    );
  }
  return { problems: warnings, notes };
}

/** Enabled plugins that cannot be loaded, according to their manifests; none of their code is executed. */
export function examinePlugins({ plugins, warnings }: Discovery, config: Config, env: NodeJS.ProcessEnv): Findings {
  const problems = [...warnings];
  const notes: string[] = [];
  const { entries } = config.values.plugins;
  for (const plugin of plugins) {
    const named = (clause: string) => `plugin "${visible(plugin.name)}": ${visible(clause)}`;
    if (plugin.error !== undefined) (plugin.wanted ? problems : notes).push(named(plugin.error));
    if (plugin.state !== "enabled") continue;
    problems.push(...unmetNeeds(plugin, plugins, env).map(named));
    for (const event of plugin.manifest?.providesHooks ?? []) {
      if (isEventName(event)) continue;
      problems.push(named(`its plugin.yaml names an unknown event, ${event}.${didYouMean(event, EVENT_NAMES)}`));
    }
    if (entryOf(plugin, entries).on_error === "block") continue;
    for (const event of plugin.manifest?.providesHooks ?? []) {
      if (!isEventName(event) || declarationOf(event).onFailure !== "mark") continue;
      notes.push(
        named(
          `if it fails in ${event}, the ${declarationOf(event).subject} is allowed. Set plugins.entries.${plugin.name}.on_error: block to block it instead.`,
        ),
      );
    }
  }
  return { problems, notes };
}

/** What is wrong with the code of enabled Python plugins, without executing it. */
export async function examinePythonPlugins({ plugins }: Discovery, place: PythonPlace): Promise<Findings> {
  const wanted = plugins.filter((plugin) => plugin.state === "enabled" && sourceOf(plugin) === "python");
  if (wanted.length === 0) return { problems: [], notes: [] };
  const { findPythonCodeProblem, findPythonProblem } = await import("#sandbox/python/check");
  const missing = await findPythonProblem(place);
  const named = async ({ name, folder, entry = folder }: FoundPlugin) => {
    const problem = missing ?? (await findPythonCodeProblem({ folder, handler: entry }, place, "register"));
    return problem === null ? [] : [`plugin "${visible(name)}": ${visible(problem)}`];
  };
  return { problems: (await Promise.all(wanted.map(named))).flat(), notes: [] };
}

function unmetNeeds(
  { manifest }: FoundPlugin,
  others: readonly FoundPlugin[],
  env: NodeJS.ProcessEnv,
): readonly string[] {
  const problem = environmentProblem(manifest, env);
  const missing = (manifest?.requiresPlugins ?? []).filter(
    (word) => !others.some((other) => isNamed(other, word) && other.state === "enabled"),
  );
  return [
    ...(problem === undefined ? [] : [problem]),
    ...missing.map(
      (word) => `it requires the plugin "${word}", which does not exist or is not enabled (requires_plugins).`,
    ),
  ];
}
