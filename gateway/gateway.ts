/** The gateway: messages of platforms in, the agent's answers out (CONTRACT §8). */
import { HermesError } from "#core/errors";
import type { Adapter } from "#core/ports/platform";
import { UserAccess } from "./access.ts";
import { TIMINGS, type GatewayDeps } from "./deps.ts";
import { ClientHistories } from "./client-histories.ts";
import { IdleResets } from "./idle-resets.ts";
import { LiveSessions } from "./live-sessions.ts";
import { Outbox } from "./outbox.ts";
import { Pairing } from "./pairing.ts";
import { PlatformConnections, type PlatformHandle } from "./platforms.ts";
import { ChatQuestions } from "./questions.ts";
import { ReceivedMessages } from "./received.ts";
import { Router } from "./router.ts";
import { withDeadline } from "#core/deadline";
import { UnansweredMessages } from "./unanswered.ts";

/** A chat to send to. */
export interface Channel {
  readonly platform: string;
  readonly chat_id: string | number;
  readonly thread_id?: string | null;
}

export interface GatewayStart {
  /** True for an adapter without which nothing should run. */
  readonly mustStart?: (adapter: Adapter) => boolean;
}

export interface RunningGateway {
  /** The running platforms by name, as `pre_gateway_dispatch` passes them to hooks. */
  readonly adapters: Readonly<Record<string, PlatformHandle>>;
  /**
   * Starts the adapters, sends messages left by an earlier run, and emits `gateway:startup`. An adapter that cannot
   * start causes a warning and is retried while the others run. Rejects with HERMES_ADAPTER_CONFIG when all of them are
   * misconfigured. With `mustStart`, it also rejects when one of them is misconfigured, or when one that `mustStart`
   * names cannot start; the caller then drains.
   */
  start(adapters: readonly Adapter[], options?: GatewayStart): Promise<void>;
  /** Replaces the adapters: removed ones stop, new ones start, unchanged ones keep running. */
  setAdapters(adapters: readonly Adapter[]): Promise<void>;
  /**
   * Sends a text to a channel (default: the home channel), as reliably as an answer. Resolves when it was sent or is
   * queued for its platform; rejects with HERMES_HOME_CHANNEL when the channel does not exist or refuses the text.
   */
  deliver(text: string, channel?: Channel): Promise<void>;
  /** The number of running turns. */
  active(): number;
  /**
   * Shuts the gateway down: accepts no more messages, gives running turns `ms` milliseconds and then stops them,
   * finalizes the sessions that were used, sends queued messages, and stops the adapters. Never rejects; irreversible.
   */
  drain(ms: number): Promise<void>;
}

export function createGateway(given: GatewayDeps): RunningGateway {
  const timings = { ...TIMINGS, ...given.timings };
  const deps = { ...given, timings };
  const { log, registry, dispatcher, database, settings } = given;
  const closing = new AbortController();

  const live = new LiveSessions({ ...deps, histories: new ClientHistories(database, log) });
  const platforms: PlatformConnections = new PlatformConnections({
    ...deps,
    inbox: (platform, isOpen) => router.inbox(platform, isOpen),
    onRetry: given.onRetry,
    onLive: (platform, one) => {
      outbox.wake(platform);
      given.onLive?.(platform, one);
    },
  });
  const adapter = (platform: string) => platforms.live(platform);
  const outbox = new Outbox({ database, adapter, log, timings });
  const access = new UserAccess({ settings, pairing: new Pairing(database), log });
  const unanswered = new UnansweredMessages(database, log);
  const router: Router = new Router({
    ...deps,
    live,
    outbox,
    adapter,
    access,
    handles: platforms.handles,
    platforms: () => platforms.names,
    questions: new ChatQuestions({ clean: given.clean, ms: timings.question }),
    received: new ReceivedMessages(database, log),
    unanswered,
    idle: new IdleResets({ live, outbox, settings, log, closing: closing.signal }),
    closing: closing.signal,
    streams: () => dispatcher.mayStream(),
    sendMs: timings.send,
  });
  let drained: Promise<void> | undefined;

  async function start(adapters: readonly Adapter[], { mustStart }: GatewayStart = {}): Promise<void> {
    if (mustStart !== undefined) await platforms.require(adapters.filter(mustStart));
    outbox.restore();
    for (const notice of unanswered.takeLeft()) void outbox.write(notice).send();
    const problems = await platforms.set(adapters);
    const [first] = problems;
    if (first !== undefined && (mustStart !== undefined || platforms.isHopeless)) {
      tell(problems.slice(1));
      throw first;
    }
    tell(problems);
    registry.emit_sync("gateway:startup", { platforms: platforms.names });
  }

  async function setAdapters(adapters: readonly Adapter[]): Promise<void> {
    if (drained === undefined) tell(await platforms.set(adapters));
  }

  function tell(problems: readonly HermesError[]): void {
    for (const { message } of problems) given.warn(message);
  }

  async function deliver(text: string, channel: Channel | undefined = settings().home_channel): Promise<void> {
    if (channel === undefined) {
      const problem = "gateway.home_channel is not set in config.yaml.";
      throw new HermesError("HERMES_HOME_CHANNEL", { problem });
    }
    const { platform, chat_id, thread_id = null } = channel;
    if (!platforms.knows(platform)) {
      throw new HermesError("HERMES_HOME_CHANNEL", { problem: `the platform "${platform}" is not running here.` });
    }
    if (text.trim() === "") return;
    const problem = await outbox.write({ platform, chat_id: String(chat_id), thread_id, session_id: "", text }).send();
    if (problem !== null) throw new HermesError("HERMES_HOME_CHANNEL", { problem });
  }

  async function end(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    router.close();
    const settled = await withDeadline(ms, () => Promise.all([router.settled(), given.background?.settled()]));
    if (settled.kind === "late") {
      router.stop("draining");
      closing.abort();
      await withDeadline(timings.abort, () => Promise.all([router.settled(), given.background?.stop()]));
    }
    await live.closeAll();
    await outbox.flush(Math.max(deadline - performance.now(), timings.closing));
    await platforms.set([]);
    outbox.close();
  }

  return {
    adapters: platforms.handles,
    start,
    setAdapters,
    deliver,
    active: () => router.active,
    drain: (ms) => (drained ??= end(ms)),
  };
}
