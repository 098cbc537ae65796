/** The gateway inside `hermes serve`: it starts with the first platform, which a reload may bring. */
import type { CliContext } from "../context.ts";
import { createAnnouncer } from "#cli/gateway/announcer";
import { openGateway } from "#cli/gateway/open";
import type { Host } from "../host/host.ts";

export interface ServedGateway {
  /** Starts it, if there is a platform. Throws when one is misconfigured or its port cannot be opened. */
  start(): Promise<void>;
  /** Writes to standard output which platforms run, from now on. */
  announce(): void;
  /** The number of running turns. */
  active(): number;
  drain(): Promise<void>;
}

export function createServedGateway(host: Host, options: { context: CliContext; safeMode: boolean }): ServedGateway {
  const { context, safeMode } = options;
  const announcer = createAnnouncer(context.out);
  const gateway = openGateway({ host, safeMode, env: context.env, onLive: announcer.add, show: context.styled });
  let isStarted = false;
  let isDraining = false;

  async function startOnce(whole: boolean): Promise<void> {
    const adapters = await gateway.adapters();
    if (isStarted || isDraining || adapters.length === 0) return;
    isStarted = true;
    await gateway.start(adapters, { whole });
  }

  return {
    async start() {
      await startOnce(true);
      host.onReload(() => (isStarted ? undefined : startOnce(false)));
    },
    announce() {
      announcer.open();
      if (isStarted) gateway.showHooks();
    },
    active: () => gateway.active(),
    drain() {
      isDraining = true;
      return gateway.drain();
    },
  };
}
