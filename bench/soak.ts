/** Sends events at a steady rate to a dashboard in another process, which is stopped and resumed. */
import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { start_if_dashboard_available, stop } from "#core/forwarder";
import { createRedactor } from "#core/home/redact";
import { HookRegistry } from "#core/registry";
import { startReceiver, type DashboardKind, type Receiver } from "./receiver.ts";
import type { Received } from "./stand-in.ts";
import { pieceOf, TEXT_KINDS, type TextKind } from "./texts.ts";

export interface SoakOptions {
  /** Events per second. */
  readonly rate: number;
  readonly seconds: number;
  /** How long the dashboard is stopped (SIGSTOP); 0 for not at all. */
  readonly stoppedSeconds: number;
  readonly dashboard: DashboardKind;
  /** Sends pieces of this text only; otherwise of all texts, and longer events. */
  readonly text?: TextKind;
  /** The shortest stretch, before the measured one: of the load without listeners, and to connect. */
  readonly leastSeconds?: number;
  /** Gets the events instead of one started for them; its kind is that of `dashboard`. */
  readonly receiver?: Receiver;
}

/** One phase of the soak. */
export interface Stretch {
  readonly emitted: number;
  /** The event loop's utilisation, 0 to 1. */
  readonly utilisation: number;
  /** Nanoseconds per emission. */
  readonly emit_p50: number;
  readonly emit_p99: number;
  /** The largest number of waiting events. */
  readonly most_waiting: number;
}

export interface SoakReport {
  /** The same load without listeners. */
  readonly idle: Stretch;
  readonly running: Stretch;
  readonly stopped: Stretch | null;
  /** What arrived while the dashboard ran. */
  readonly received: Received;
  readonly dropped_running: number;
  readonly dropped: number;
  readonly emitted: number;
  readonly arrived: number;
  /** Frames that arrived twice or out of order. */
  readonly disordered: number;
  /** Milliseconds from the dashboard's return until nothing was waiting. */
  readonly caught_up_ms: number | null;
}

const TICK_MS = 2;
/** The load is steady: work missed by a late timer is made up for in small portions. */
const MOST_A_TICK = 64;
const LONG_TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(9).slice(0, 380);

export async function soak(soakOptions: SoakOptions): Promise<SoakReport> {
  const { rate, seconds, stoppedSeconds, dashboard, text, leastSeconds = 1 } = soakOptions;
  using own = soakOptions.receiver === undefined ? await startReceiver(dashboard) : undefined;
  const receiver = soakOptions.receiver ?? own!;
  const registry = new HookRegistry();
  let number = 0;
  const load = (forSeconds: number, waiting: () => number) =>
    emitSteadily({
      rate,
      seconds: forSeconds,
      waiting,
      emit: () => registry.emit_sync("tui:message.delta", contextOf(number++, text)),
    });

  const idle = await load(Math.max(leastSeconds, seconds / 10), () => 0);
  number = 0;
  const options = { src: "bench", home: receiver.home, redact: createRedactor({}), log: () => undefined };
  const forwarder = start_if_dashboard_available(registry, options);
  if (forwarder === null) throw new Error("the forwarder is not attached");
  const waiting = () => forwarder.waiting;
  const allSent = async () => {
    while (forwarder.waiting > 0) await sleep(1);
  };
  try {
    // Connects, compiles.
    await load(Math.max(leastSeconds, seconds / 30), waiting);
    await allSent();
    let { frames: arrived, disordered } = await settled(() => receiver.received(), dashboard);
    const before = forwarder.dropped;
    const running = await load(seconds, waiting);
    const dropped_running = forwarder.dropped - before;
    await allSent();
    const received = await settled(() => receiver.received(), dashboard);
    let stopped: Stretch | null = null;
    let caught_up_ms: number | null = null;
    if (stoppedSeconds > 0) {
      process.kill(receiver.pid, "SIGSTOP");
      stopped = await load(stoppedSeconds, waiting);
      process.kill(receiver.pid, "SIGCONT");
      const resumed = performance.now();
      await allSent();
      caught_up_ms = performance.now() - resumed;
    }
    const rest = await settled(() => receiver.received(), dashboard);
    arrived += received.frames + rest.frames;
    disordered += received.disordered + rest.disordered;
    const { dropped } = forwarder;
    return {
      idle,
      running,
      stopped,
      received,
      dropped_running,
      dropped,
      emitted: number,
      arrived,
      disordered,
      caught_up_ms,
    };
  } finally {
    await stop();
  }
}

function contextOf(n: number, kind: TextKind | undefined): Record<string, unknown> {
  const at = performance.timeOrigin + performance.now();
  if (kind !== undefined) return { session_id: `sess_${kind}`, n, at, payload: { text: pieceOf(kind, n) } };
  // A session for each text, and one with longer events.
  const turn = n % (TEXT_KINDS.length + 1);
  const written = TEXT_KINDS[turn];
  const text = written === undefined ? LONG_TEXT : pieceOf(written, Math.floor(n / (TEXT_KINDS.length + 1)));
  return { session_id: `sess_${turn}`, n, at, payload: { text } };
}

/** A subscriber of the real dashboard gets the last events a moment after the dashboard received them. */
async function settled(received: () => Promise<Received>, dashboard: DashboardKind): Promise<Received> {
  if (dashboard === "hermes") await sleep(1000);
  return received();
}

interface Load {
  readonly rate: number;
  readonly seconds: number;
  readonly emit: () => void;
  readonly waiting: () => number;
}

async function emitSteadily({ rate, seconds, emit, waiting }: Load): Promise<Stretch> {
  const times = createHistogram();
  const utilisation = performance.eventLoopUtilization();
  const began = performance.now();
  let [emitted, most_waiting] = [0, 0];
  for (let now = began; now - began < seconds * 1000; now = performance.now()) {
    const due = Math.floor(((now - began) * rate) / 1000) - emitted;
    for (let turn = 0; turn < Math.min(due, MOST_A_TICK); turn++) {
      const before = performance.now();
      emit();
      times.record(Math.max(1, Math.round((performance.now() - before) * 1e6)));
      emitted++;
    }
    most_waiting = Math.max(most_waiting, waiting());
    await sleep(TICK_MS);
  }
  return {
    emitted,
    utilisation: performance.eventLoopUtilization(utilisation).utilization,
    emit_p50: times.percentile(50),
    emit_p99: times.percentile(99),
    most_waiting,
  };
}
