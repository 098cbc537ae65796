/** A daemon as others see it, in this process: announced in `run/`, with a socket that says how it is. */
import type { TestContext } from "node:test";
import type { HookAddress } from "#core/ports/inbound";
import { announceDaemon, daemonFiles } from "#daemon/session/place";
import { SessionServer } from "#daemon/session/server";
import type { RunningState } from "#core/ports/daemon-directory";
import type { DaemonStatus } from "#daemon/session/wire";

export interface AnnouncedOptions {
  readonly state?: RunningState;
  readonly queued?: number;
  readonly hooks?: readonly string[];
  readonly addresses?: readonly HookAddress[];
  /** True for one that takes connections and says nothing. */
  readonly isSilent?: boolean;
}

export interface Announced {
  readonly session_id: string;
  /** Changes what it says. */
  set(status: Partial<Pick<DaemonStatus, "state" | "queued">>): void;
  /** Ends it. */
  end(): Promise<void>;
}

/** Starts one, which ends with the test. */
export async function announced(
  t: Pick<TestContext, "after">,
  run: string,
  name: string,
  { state = "idle", queued = 0, hooks = [], addresses = [], isSilent = false }: AnnouncedOptions = {},
): Promise<Announced> {
  const files = daemonFiles(run, name);
  const session_id = `session-of-${name.length}`;
  const started_at = new Date().toISOString();
  let status: DaemonStatus = { name, session_id, pid: process.pid, state, queued, hooks, started_at };
  const server = await SessionServer.listen(files.socket, async (request, client) => {
    if (request.type === "status" && !isSilent) client.answer({ type: "status", ...status });
  });
  const { socket } = files;
  const unannounce = announceDaemon(files.entry, {
    name,
    session_id,
    socket,
    owns_process: true,
    hooks,
    addresses,
    started_at,
  });
  const end = async () => {
    unannounce();
    await server.close();
  };
  t.after(end);
  return { session_id, set: (changes) => void (status = { ...status, ...changes }), end };
}
