/** `/hooks`: the hooks that are registered in this conversation, as `hermes hooks list` shows them. */
import { EVENT_NAMES } from "#core/events";
import { readLive, type LiveHook } from "#core/home/live";
import type { Hook } from "#core/ports/hook";
import { listShellHooks } from "../commands/hooks/list.ts";
import { hookText } from "../commands/hooks/hook-rows.ts";
import type { LastRun, ListedHook } from "../commands/hooks/listed-hook.ts";
import type { Host } from "../host/host.ts";

/** The list with approvals, matchers, what failures do, and how each hook ended last in this process. */
export function registeredHooks(host: Host, env: NodeJS.ProcessEnv): string {
  const hooks = EVENT_NAMES.flatMap((event) => host.dispatcher.hooksOf(event)).filter(({ derived }) => !derived);
  if (hooks.length === 0) return 'No hooks are registered. "hermes hooks list" shows the configured hooks.';
  const shell = listShellHooks(host.config, host.paths, env).hooks;
  const live = readLive(host.paths.run).find(({ pid }) => pid === process.pid)?.hooks ?? [];
  return hookText(
    hooks.map((hook) => {
      const listed = hook.source === "shell" ? shell.find((entry) => isSame(entry, hook)) : undefined;
      return { ...(listed ?? listedHook(hook)), last_run: lastRunOf(live.find((entry) => isSame(entry, hook))) };
    }),
  );
}

function isSame(
  { event, name, matcher }: Pick<ListedHook | LiveHook, "event" | "name" | "matcher">,
  hook: Pick<Hook, "event" | "name" | "matcher">,
): boolean {
  return event === hook.event && name === hook.name && (matcher ?? null) === (hook.matcher ?? null);
}

/** A plugin's hook, which runs because its plugin is enabled. */
function listedHook({ event, source, name, command, matcher, onFailure, deadlineSeconds }: Hook): ListedHook {
  return {
    event,
    source,
    name,
    command,
    matcher: matcher ?? null,
    protocol: null,
    timeout: deadlineSeconds ?? 0,
    fail_closed: onFailure === "block",
    enabled: true,
    allowed: true,
    approved_at: null,
    drift: "none",
    problem: null,
  };
}

function lastRunOf(hook: LiveHook | undefined): LastRun | null {
  if (hook === undefined || hook.last_fired_at === null || hook.last_outcome === null) return null;
  return { time: hook.last_fired_at, outcome: hook.last_outcome, cause: hook.last_cause };
}
