/**
 * What completion offers from the home: ids of tasks, sessions, deliveries and schedules, names of plugins, webhooks and
 * daemons, commands of hooks.
 */
import { visible } from "#allowlist/visible";
import { loadConfig } from "#core/home/config";
import { EVENT_NAMES } from "#core/events";
import { isHidden } from "#core/home/hidden";
import { userHome } from "#core/home/paths";
import type { DeliveryStatus } from "#core/ports/deliveries";
import type { TaskStatus } from "#core/ports/tasks";
import { taskState } from "#core/tasks-command";
import { fitLine } from "../text-width.ts";
import { withDatabase, withStorage, type Source } from "./source.ts";

export interface OfferedValue {
  readonly value: string;
  readonly description: string;
}

type Offer = (source: Source) => Promise<readonly OfferedValue[]>;

/** Of each status; more would fill the terminal. */
const MOST_OFFERED = 50;
const PROMPT_COLUMNS = 50;
/** Values that no shell splits or expands: bash expands each word that it is offered, `$(…)` included. */
const PLAIN_WORD = /^[\w.:@%+,/~-]+$/;

const anyTask = tasksWith([undefined]);
const endpointNames = endpointsThat(() => true);

/** By command and argument, or by command and option: only values that the command can do something with. */
const OFFERS: Readonly<Record<string, Offer>> = {
  "tasks status <id>": anyTask,
  "tasks output <id>": anyTask,
  "tasks wait <id>": anyTask,
  "tasks cancel <id>": tasksWith(["queued", "running"]),
  "tasks retry <id>": tasksWith(["succeeded", "failed", "timeout", "cancelled", "lost"]),
  "webhooks show <id>": deliveriesWith([undefined]),
  "webhooks redeliver <id>": deliveriesWith(["delivered", "failed", "disabled"]),
  "sessions show <id>": sessions,
  "sessions export <id>": sessions,
  "sessions delete <id>": sessions,
  "chat --resume": sessions,
  "hooks replay --session": recordedSessions,
  "hooks replay --event": recordedEvents,
  "webhooks test <name>": endpointNames,
  "webhooks enable <name>": endpointsThat((isDisabled) => isDisabled),
  "webhooks deliveries --endpoint": endpointNames,
  "plugins update <name>": installedPlugins,
  "plugins remove <name>": installedPlugins,
  "send --name": runningDaemons,
  "stop --name": runningDaemons,
  "attach --name": runningDaemons,
  "inbox list --name": runningDaemons,
  "schedule add --name": runningDaemons,
  "schedule list --name": runningDaemons,
  "schedule remove <id>": schedules,
  "cron add --name": runningDaemons,
  "cron list --name": runningDaemons,
  "cron remove <id>": schedules,
  "plugins enable <name>": pluginsThat((isEnabled) => !isEnabled),
  "plugins disable <name>": pluginsThat((isEnabled) => isEnabled),
  "hooks allow <event>": approvableEvents,
  "hooks allow <command>": configuredCommands,
  "hooks revoke <command>": approvedCommands,
  "inbound test <name>": inboundNames,
  "run --hook": inboundNames,
  "run --tag": tags,
  "worker --tags": tags,
  "mcp test <name>": mcpServers,
  "pairing revoke <user>": pairedUsers,
  "gateway setup <platform>": setUpPlatforms,
};

/**
 * The values for the arguments and options of a command, by their place in {@link OFFERS}, newest first. None when the
 * home cannot be read: completion never fails and changes nothing.
 */
export async function storedValues(
  command: string,
  source: Source,
): Promise<ReadonlyMap<string, readonly OfferedValue[]>> {
  const values = new Map<string, readonly OfferedValue[]>();
  const places = Object.keys(OFFERS).filter((place) => place.replace(/ (<|--).*$/, "") === command);
  try {
    if (isHidden(source.paths)) return values;
    for (const place of places) values.set(place, await OFFERS[place]!(source));
  } catch {
    // A message would end up in the middle of the line that somebody types.
  }
  return values;
}

function tasksWith(statuses: readonly (TaskStatus | undefined)[]): Offer {
  return (source) =>
    withStorage(source, async ({ tasks: store }) => {
      const lists = await Promise.all(statuses.map((status) => store.list({ status, limit: MOST_OFFERED })));
      return lists.flat().map((task) => ({
        value: task.id,
        description: `${taskState(task)}: ${fitLine(task.prompt, PROMPT_COLUMNS)}`,
      }));
    });
}

/** Those that running workers have, then those that tasks wait for. */
function tags(source: Source): Promise<readonly OfferedValue[]> {
  return withStorage(source, async ({ tasks, workers }) => {
    const [running, queued] = await Promise.all([
      workers.list(),
      tasks.list({ status: "queued", limit: MOST_OFFERED }),
    ]);
    const served = new Set(running.flatMap((worker) => worker.tags));
    const waiting = new Set(queued.flatMap(({ tag }) => (tag === undefined || served.has(tag) ? [] : [tag])));
    return [
      ...[...served].map((tag) => ({ value: tag, description: "a running worker has it" })),
      ...[...waiting].map((tag) => ({ value: tag, description: "tasks wait for a worker with it" })),
    ];
  });
}

function deliveriesWith(statuses: readonly (DeliveryStatus | undefined)[]): Offer {
  return (source) =>
    withStorage(source, async ({ deliveries: store }) => {
      const lists = await Promise.all(statuses.map((status) => store.list({ status, limit: MOST_OFFERED })));
      return lists.flat().map(({ id, status, event, endpoint }) => ({
        value: id,
        description: `${status}: ${visible(event)} to ${visible(endpoint)}`,
      }));
    });
}

function endpointsThat(isOffered: (isDisabled: boolean) => boolean): Offer {
  return async (source) => {
    const { configuredEndpoints } = await import("#daemon/webhooks/endpoints");
    const config = await loadConfig(source.paths, source.env);
    const disabled = new Set(
      await withStorage(source, async (storage) => [...(await storage.deliveries.disabledEndpoints())]),
    );
    return configuredEndpoints(config.values.webhooks ?? {})
      .filter(({ name }) => PLAIN_WORD.test(name) && isOffered(disabled.has(name)))
      .map(({ name, event }) => ({ value: name, description: visible(event) }));
  };
}

async function installedPlugins({ paths }: Source): Promise<readonly OfferedValue[]> {
  const { readInstalled } = await import("#plugins/installed");
  const { shownSource } = await import("../plugin-install/source.ts");
  return Object.entries(readInstalled(paths.plugins))
    .filter(([directory]) => PLAIN_WORD.test(directory))
    .map(([directory, { source }]) => ({ value: directory, description: visible(shownSource(source)) }));
}

function pluginsThat(isOffered: (isEnabled: boolean) => boolean): Offer {
  return async ({ paths, env }) => {
    const { discoverPlugins } = await import("#plugins/discover");
    const config = await loadConfig(paths, env);
    const { plugins } = await discoverPlugins(paths.plugins, config.values.plugins);
    return plain(
      plugins
        .filter(({ state }) => isOffered(state === "enabled"))
        .map(({ name, manifest }) => ({
          value: name,
          description: fitLine(manifest?.description ?? "", PROMPT_COLUMNS),
        })),
    );
  };
}

/** The pairs that an approval can be for: configured shell hooks and the scripts of inbound webhooks. */
async function configuredPairs({ paths, env }: Source): Promise<readonly { event: string; command: string }[]> {
  const { parseHookEntries } = await import("#sandbox/shell/entries");
  const config = await loadConfig(paths, env);
  const { entries } = parseHookEntries(config.values.hooks, userHome(env));
  const inbound = config.values.inbound ?? [];
  return [
    ...entries.flatMap(({ event, command }) => (command === null ? [] : [{ event, command }])),
    ...inbound.map(({ name, script }) => ({ event: `inbound:${name}`, command: script })),
  ];
}

async function approvableEvents(source: Source): Promise<readonly OfferedValue[]> {
  const configured = new Set((await configuredPairs(source)).map(({ event }) => event));
  const other = EVENT_NAMES.filter((event) => !configured.has(event));
  return plain([
    ...[...configured].map((event) => ({ value: event, description: "configured" })),
    ...other.map((event) => ({ value: event, description: "" })),
  ]);
}

async function configuredCommands(source: Source): Promise<readonly OfferedValue[]> {
  return plain((await configuredPairs(source)).map(({ event, command }) => ({ value: command, description: event })));
}

async function approvedCommands({ paths }: Source): Promise<readonly OfferedValue[]> {
  const { readAllowlist } = await import("#allowlist/store");
  return plain(
    readAllowlist(paths.allowlist).approvals.map(({ event, command }) => ({ value: command, description: event })),
  );
}

async function inboundNames({ paths, env }: Source): Promise<readonly OfferedValue[]> {
  const { values } = await loadConfig(paths, env);
  return plain((values.inbound ?? []).map(({ name, bind }) => ({ value: name, description: visible(bind) })));
}

async function mcpServers({ paths, env }: Source): Promise<readonly OfferedValue[]> {
  const { values } = await loadConfig(paths, env);
  return plain(
    Object.entries(values.mcp_servers ?? {}).map(([name, { command, url }]) => ({
      value: name,
      description: command === undefined ? visible(url ?? "") : visible(command),
    })),
  );
}

async function setUpPlatforms(): Promise<readonly OfferedValue[]> {
  const { findPlatform, PLATFORM_NAMES } = await import("#gateway/adapters/table");
  return PLATFORM_NAMES.map((value) => ({ value, description: findPlatform(value)?.about ?? "" }));
}

function pairedUsers({ paths }: Source): Promise<readonly OfferedValue[]> {
  return withDatabase(paths, async (database) => {
    const { Pairing } = await import("#gateway/pairing");
    const { paired } = new Pairing(database).list();
    return plain(paired.map(({ user_id, platform }) => ({ value: user_id, description: visible(platform) })));
  });
}

/** Those that no shell splits or expands. */
function plain(values: readonly OfferedValue[]): readonly OfferedValue[] {
  return values.filter(({ value }) => PLAIN_WORD.test(value));
}

async function runningDaemons({ paths }: Source): Promise<readonly OfferedValue[]> {
  const { listDaemons } = await import("#daemon/session/place");
  return listDaemons(paths.run)
    .filter(({ name }) => PLAIN_WORD.test(name))
    .map(({ name, started_at }) => ({ value: name, description: `running since ${visible(started_at)}` }));
}

function schedules(source: Source): Promise<readonly OfferedValue[]> {
  return withStorage(source, async (storage) => {
    const list = await storage.schedules.list();
    return list.slice(0, MOST_OFFERED).map(({ id, name, when, prompt }) => ({
      value: id,
      description: `${visible(name)}, ${visible(when)}: ${fitLine(prompt, PROMPT_COLUMNS)}`,
    }));
  });
}

function sessions({ paths }: Source): Promise<readonly OfferedValue[]> {
  return withDatabase(paths, async (database) => {
    const { SqliteSessions } = await import("#agent/sessions");
    const list = new SqliteSessions(database, () => undefined).list({ limit: MOST_OFFERED });
    return list.map(({ id, title, message_count: count }) => ({
      value: id,
      description: `${count} messages: ${fitLine(visible(title ?? ""), PROMPT_COLUMNS)}`,
    }));
  });
}

function recordedSessions({ paths }: Source): Promise<readonly OfferedValue[]> {
  return withDatabase(paths, async (database) => {
    const { SqliteSessions } = await import("#agent/sessions");
    const { EmbeddedRecordings } = await import("#daemon/storage/embedded-recordings");
    const stored = new SqliteSessions(database, () => undefined);
    const list = await new EmbeddedRecordings(database).sessions(MOST_OFFERED);
    return plain(
      list.map(({ id, firings }) => ({
        value: id,
        description: `${firings} firings: ${fitLine(visible(stored.get(id)?.title ?? ""), PROMPT_COLUMNS)}`,
      })),
    );
  });
}

function recordedEvents({ paths }: Source): Promise<readonly OfferedValue[]> {
  return withDatabase(paths, async (database) => {
    const { EmbeddedRecordings } = await import("#daemon/storage/embedded-recordings");
    const recorded = await new EmbeddedRecordings(database).events();
    return plain(recorded.map(({ event, firings }) => ({ value: event, description: `${firings} firings` })));
  });
}
