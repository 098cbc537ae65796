import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "undici";
import { start_if_dashboard_available, stop } from "#core/forwarder";
import { createRedactor } from "#core/home/redact";
import { HookRegistry } from "#core/registry";
import { median, race, type Case, type Measurement } from "../measure.ts";
import { startReceiver, type Receiver } from "../receiver.ts";
import { pieceOf, TEXT_KINDS, type TextKind } from "../texts.ts";

const EVENT = "tui:message.delta";
const PATH = "/api/hooks/ingest";
const HEADERS = { "content-type": "application/json", authorization: "Bearer bench" };
const BATCH = 256;
const ROUNDS = 5;
const EVENTS = 50_000;
/** Sent one by one. */
const SINGLE_EVENTS = 2000;
/** With `--check`, each contestant sends so much less. */
const QUICK_SHARE = 0.3;
const redact = createRedactor({});
const silent = { redact, warn: () => undefined, log: () => undefined };

/** About 500 bytes as a frame, a fresh object each time. */
function contextOf(number: number): Record<string, unknown> {
  const text = `${number} The quick brown fox jumps over the lazy dog. `.repeat(9).slice(0, 380);
  return { session_id: "sess_0123456789", payload: { text, number } };
}

/** The cost of an emission while a forwarder is attached, without the sender's work, which runs in other turns. */
async function push(receiver: Receiver, isQuick: boolean): Promise<Measurement> {
  const registry = new HookRegistry();
  start_if_dashboard_available(registry, { src: "bench", home: receiver.home, ...silent });
  const context = contextOf(0);
  const times = await race(
    {
      ours: (batch) => {
        for (let turn = 0; turn < batch; turn++) registry.emit_sync(EVENT, context);
      },
    },
    { batch: 1000, isQuick },
  );
  await stop();
  return { name: "forward / push, per event", unit: "ns", ours: times.get("ours")!, peer: null, theirs: null };
}

/**
 * Pieces of a text through the whole forwarder, and the same pieces as events that are not checked for unfinished
 * secrets.
 */
async function pieces(receiver: Receiver, kind: TextKind, share: number): Promise<Measurement> {
  const send = (event: string) =>
    ours(receiver, share, {
      event,
      contextOf: (n) => ({ session_id: "sess_0123456789", payload: { text: pieceOf(kind, n) } }),
    });
  const times: [held: number, other: number][] = [];
  for (let round = 0; round <= ROUNDS; round++) times.push([await send(EVENT), await send("tui:status.update")]);
  // The first round warms up.
  const [held, other] = [0, 1].map((index) => median(times.slice(1).map((pair) => pair[index]!)));
  const name = `forward / pieces of ${kind}, per piece`;
  return { name, unit: "ns", ours: held!, peer: "other events", theirs: other! };
}

/** Sends a share of its events as fast as it can without losing any; the result is nanoseconds per event. */
type Contestant = (receiver: Receiver, share: number) => Promise<number>;

interface Load {
  readonly event: string;
  readonly contextOf: (number: number) => Record<string, unknown>;
}

async function timed(events: number, send: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await send();
  return ((performance.now() - before) * 1e6) / events;
}

async function ours({ home }: Receiver, share: number, load: Load = { event: EVENT, contextOf }): Promise<number> {
  const registry = new HookRegistry();
  const forwarder = start_if_dashboard_available(registry, { src: "bench", home, ...silent });
  if (forwarder === null) throw new Error("the forwarder is not attached");
  const events = EVENTS * share;
  // The queue is always full for the sender, and the publisher does not use the time in between.
  const turn = () => sleep(1);
  const time = await timed(events, async () => {
    for (let number = 0; number < events; await turn()) {
      while (number < events && forwarder.waiting < 4 * BATCH) registry.emit_sync(load.event, load.contextOf(number++));
    }
    while (forwarder.waiting > 0) await turn();
  });
  if (forwarder.dropped > 0) throw new Error(`${forwarder.dropped} events were dropped`);
  await stop();
  return time;
}

/** Plain undici in a loop: builds a batch of frames, serialises, redacts and posts it. */
const bareBatches: Contestant = async ({ url }, share) => {
  const client = new Client(url);
  const events = EVENTS * share;
  const time = await timed(events, async () => {
    for (let number = 0; number < events;) {
      const frames = [];
      while (number < events && frames.length < BATCH) {
        frames.push({ event_type: EVENT, context: contextOf(number++), src: "bench" });
      }
      const body = redact(JSON.stringify(frames));
      const answer = await client.request({ method: "POST", path: PATH, headers: HEADERS, body });
      await answer.body.text();
    }
  });
  await client.close();
  return time;
};

const oneByFetch: Contestant = ({ url }, share) => {
  const events = SINGLE_EVENTS * share;
  return timed(events, async () => {
    for (let number = 0; number < events; number++) {
      const body = redact(JSON.stringify({ event_type: EVENT, context: contextOf(number), src: "bench" }));
      const answer = await fetch(url + PATH, { method: "POST", headers: HEADERS, body });
      await answer.text();
    }
  });
};

const oneByUndici: Contestant = async ({ url }, share) => {
  const client = new Client(url);
  const events = SINGLE_EVENTS * share;
  const time = await timed(events, async () => {
    for (let number = 0; number < events; number++) {
      const body = redact(JSON.stringify({ event_type: EVENT, context: contextOf(number), src: "bench" }));
      const answer = await client.request({ method: "POST", path: PATH, headers: HEADERS, body });
      await answer.body.text();
    }
  });
  await client.close();
  return time;
};

async function saturated(receiver: Receiver, share: number): Promise<Measurement[]> {
  const contestants: Readonly<Record<string, Contestant>> = {
    ours: (to) => ours(to, share),
    "bare batch loop": bareBatches,
    "one frame, fetch": oneByFetch,
    "one frame, undici": oneByUndici,
  };
  const samples = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, contestant] of Object.entries(contestants)) {
      const time = await contestant(receiver, share);
      if (round > 0) samples.get(name)!.push(time);
    }
  }
  const mine = median(samples.get("ours")!);
  return ["one frame, fetch", "bare batch loop", "one frame, undici"].map((peer) => ({
    name: `forward / saturated, 500 bytes, per event (${peer})`,
    unit: "ns",
    ours: mine,
    peer,
    theirs: median(samples.get(peer)!),
  }));
}

export const forwardCase: Case = {
  name: "forward",
  run: async ({ isQuick }) => {
    using receiver = await startReceiver("stand-in");
    const share = isQuick ? QUICK_SHARE : 1;
    const measured = [await push(receiver, isQuick), ...(await saturated(receiver, share))];
    for (const kind of TEXT_KINDS) measured.push(await pieces(receiver, kind, share));
    return measured;
  },
};
