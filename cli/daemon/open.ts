/** A session that stays, made of the parts of a host: for `hermes run --daemon` and `hermes serve`. */
import { createDaemonTools } from "#agent/tools/daemon";
import type { Frame } from "#core/frames";
import type { Session } from "#core/ports/agent";
import type { HookAddress } from "#core/ports/inbound";
import { processStartOf } from "#core/process-identity";
import { DaemonSession } from "#daemon/session/daemon-session";
import type { DaemonFiles } from "#daemon/session/place";
import { Skills } from "#daemon/skills/skills";
import { reportEnd } from "#daemon/tasks/events";
import { settleTasks } from "#daemon/tasks/settle";
import type { Host } from "../host/host.ts";
import { ensureWorker } from "../tasks/workers.ts";

/** How long a running turn, and scripts of webhooks, may take to end after SIGTERM. */
export const DRAIN_MS = 30_000;
/** How long the hooks of the end may take. */
const CLOSING_MS = 5000;
/** The platform of its sessions, on every surface. */
export const PLATFORM = "daemon";

export interface OpenDaemonOptions {
  readonly host: Host;
  readonly name: string;
  readonly files: DaemonFiles;
  /** The names of its inbound webhooks. */
  readonly hooks: readonly string[];
  /** Where it takes their requests. */
  readonly addresses: readonly HookAddress[];
  /** False in a process that runs something else, too. */
  readonly ownsProcess: boolean;
  readonly onFrame: (frame: Frame) => void;
  /** Called when `hermes stop` asks for its end. */
  readonly onStop: () => void;
}

/** Starts nothing yet; the caller has claimed the name. Rejects with HERMES_DATABASE_*. */
export async function openDaemon(options: OpenDaemonOptions): Promise<DaemonSession> {
  const { host, name } = options;
  const { paths, log, runner } = host;
  const storage = await host.storage();
  const { tasks, workers, outputs } = storage;
  const settings = () => host.config.values.background;
  return new DaemonSession({
    ...options,
    session: () => sessionOf(host, name),
    platform: PLATFORM,
    identity: { pid: process.pid, start: processStartOf(process.pid) },
    runner,
    storage,
    background: {
      tasks,
      folder: paths.tasks,
      outputs,
      settings,
      async keepRunning() {
        const reports = reportEnd((event, payload) => host.webhooks.deliveriesFor(event, payload));
        await settleTasks(tasks, { persist: settings().persist_on_restart, reports });
        if (settings().enabled && (await tasks.queued()) > 0) await ensureWorker({ paths, workers });
      },
    },
    skills: new Skills(paths.skills, log),
    tools: createDaemonTools,
    order: () => host.config.values.inbox?.order ?? "priority",
    log,
  });
}

/** Gives the running turn its time, then stops the session, which goes on with its next start. */
export async function endDaemon(host: Host, daemon: DaemonSession, onFrame?: (frame: Frame) => void): Promise<void> {
  await daemon.drain(DRAIN_MS);
  const session = sessionOf(host, daemon.name);
  const signal = AbortSignal.timeout(CLOSING_MS);
  await host.runner.close({ session, platform: PLATFORM, signal, onFrame, goesOn: true });
}

/** The conversation of a name, which every start of it goes on with. */
export function sessionOf({ sessions }: Pick<Host, "sessions">, name: string): Session {
  const key = `${PLATFORM}:${name}`;
  return sessions.byKey(key) ?? sessions.create({ platform: PLATFORM, source: PLATFORM, key, title: name });
}
