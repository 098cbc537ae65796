/** The gateway of a host, as `hermes gateway` and `hermes serve` have it: platforms, gateway hooks, and their drain. */
import { visible } from "#allowlist/visible";
import type { Adapter } from "#core/ports/platform";
import type { HookIdentity } from "#core/ports/hook";
import type { StyledLine } from "#core/styled-text";
import { findPlatform } from "#gateway/adapters/table";
import { createGateway, type RunningGateway } from "#gateway/gateway";
import type { Host } from "../host/host.ts";
import { taskDeskOf } from "../tasks/desk.ts";
import { openGatewayHooks } from "./hooks.ts";
import { hookLines, messageLine, retryLine } from "./operator.ts";
import { ConfiguredPlatforms } from "./platforms.ts";

export interface HostGatewayOptions {
  readonly host: Host;
  readonly safeMode: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Called for every platform that is up, at the start or later. */
  readonly onLive: (platform: string, adapter: Adapter) => void;
  /** Shows lines to the operator. */
  readonly show: (lines: readonly StyledLine[]) => void;
}

export interface HostGateway {
  /** The platforms of the configuration and of plugins, not started yet. */
  adapters(): Promise<readonly Adapter[]>;
  /** Loads the gateway hooks and starts; from then on each reload of the host applies to it. */
  start(adapters: readonly Adapter[], options?: StartOptions): Promise<void>;
  /** Shows the operator which hooks are loaded. */
  showHooks(): void;
  /** The number of running turns. */
  active(): number;
  /** Ends it: running turns and the last events of gateway hooks get their time. Never rejects. */
  drain(): Promise<void>;
}

interface StartOptions {
  /** Rejects when a platform is misconfigured or cannot listen on its port, instead of running without it. */
  readonly whole?: boolean;
}

/** How long running turns may continue after SIGTERM. */
const DRAIN_MS = 30_000;
/** How long gateway hooks may take for their remaining events. */
const LAST_EVENTS_MS = 5000;

/** Starts nothing yet. */
export function openGateway({ host, safeMode, env, onLive, show }: HostGatewayOptions): HostGateway {
  const platforms = new ConfiguredPlatforms(host);
  const undo = new AsyncDisposableStack();
  let gateway: RunningGateway | undefined;
  let gatewayHooks: () => readonly HookIdentity[] = () => [];
  return {
    adapters: () => platforms.adapters(),
    async start(adapters, { whole = false } = {}) {
      const hooks = undo.use(await openGatewayHooks(host, { safeMode, env }));
      gatewayHooks = () => hooks.identities();
      const made = makeGateway(host, { onLive, show });
      gateway = made;
      undo.defer(async () => {
        await made.drain(DRAIN_MS);
        await hooks.drain(LAST_EVENTS_MS);
      });
      host.setDeliver(({ text }) => made.deliver(text));
      const undoReload = host.onReload(async () => made.setAdapters(await platforms.adapters()));
      undo.defer(() => undoReload());
      await made.start(adapters, whole ? { mustStart: listens } : {});
    },
    showHooks() {
      const own = host.dispatcher.hooks().filter(({ derived }) => derived !== true);
      show(hookLines([...own, ...gatewayHooks()]));
    },
    active: () => gateway?.active() ?? 0,
    drain: () => undo.disposeAsync(),
  };
}

/** True for a platform that programs connect to. One that connects to servers is retried instead. */
function listens({ name }: Adapter): boolean {
  return findPlatform(name)?.address !== undefined;
}

function makeGateway(host: Host, { onLive, show }: Pick<HostGatewayOptions, "onLive" | "show">): RunningGateway {
  const { runner, dispatcher, registry, sessions, database, model, log, pluginTurns } = host;
  return createGateway({
    runner,
    dispatcher,
    registry,
    sessions,
    database,
    model,
    log,
    clean: visible,
    // A platform's message may contain its address, and the address its token.
    warn: (sentence) => host.warn(host.redact(sentence)),
    settings: () => host.config.values.gateway ?? {},
    tasks: taskDeskOf(host),
    commands: () => host.plugins.commands(),
    onLive,
    onRetry: (platform, seconds, problem) => show([retryLine(platform, seconds, host.redact(problem))]),
    onMessage: (report) => show([messageLine(report)]),
    background: pluginTurns,
  });
}
