/** The inbound webhooks of a session that stays, for `hermes run --daemon` and `hermes serve`. */
import { problemOf } from "#core/errors";
import { openJsonLines } from "#core/home/jsonl";
import type { HookAddress } from "#core/ports/inbound";
import { InboundReceiver } from "#daemon/inbound/receiver";
import { listen } from "#daemon/inbound/server";
import type { DaemonSession } from "#daemon/session/daemon-session";
import type { Host } from "../host/host.ts";
import { checkInbound, type InboundStartOptions } from "./start.ts";

/** Disposing of it frees the addresses, without waiting for scripts. */
export interface DaemonInbound extends AsyncDisposable {
  readonly addresses: readonly HookAddress[];
  /** Answers requests; those that came before have waited. */
  start(daemon: DaemonSession, host: Pick<Host, "storage" | "log" | "redact" | "paths" | "warn">): Promise<void>;
  /** Turns new requests away, and gives running scripts this many milliseconds. */
  stop(ms: number): Promise<void>;
}

/** How long requests are kept after they ended. */
const KEEP_MS = 24 * 60 * 60 * 1000;

/**
 * Checks the hooks, asks for consent on a terminal, and takes their addresses, all or none. Throws what `checkInbound`
 * throws, HERMES_INBOUND_PORT and HERMES_INBOUND_BIND.
 */
export async function openInbound(names: readonly string[], options: InboundStartOptions): Promise<DaemonInbound> {
  const { hooks, run } = await checkInbound(names, options);
  const servers = await listen(hooks);
  let close = (): void => undefined;
  const stop = async (ms: number) => {
    await servers.stop(ms);
    close();
  };
  return {
    addresses: servers.addresses,
    async start(daemon, { storage, log, redact, paths, warn }) {
      const onError = (error: unknown) => warn(`${paths.inboundLog} cannot be written: ${problemOf(error)}`);
      const records = openJsonLines({ path: paths.inboundLog, onError });
      close = () => records.close();
      const { inbox, inboundRuns: runs } = await storage();
      await runs.prune(new Date(Date.now() - KEEP_MS));
      const receiver = new InboundReceiver({
        session: daemon.name,
        hooks,
        run,
        inbox: {
          add: (message) => daemon.post(message),
          remember: (keys) => inbox.remember(keys),
          isRemembered: (key) => inbox.isRemembered(key),
        },
        runs,
        log,
        record: (record) => records.append(redact(JSON.stringify(record))),
      });
      await receiver.start();
      servers.serve(receiver);
    },
    stop,
    [Symbol.asyncDispose]: () => stop(0),
  };
}
