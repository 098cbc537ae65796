/** How every case is measured: contestants in turns, several rounds in one process run, medians. */
import { Bench } from "tinybench";

/** What a case reports: ours against one peer. */
export interface Measurement {
  /** `case / what`, the key of its budget. */
  readonly name: string;
  readonly unit: "ns" | "ms" | "B" | "MB" | "%" | "events";
  readonly ours: number;
  /** Who it is compared with; null when the figure stands for itself. */
  readonly peer: string | null;
  readonly theirs: number | null;
}

/** What may be chosen on the command line. */
export interface CaseOptions {
  /** Which dashboard events are forwarded to. */
  readonly dashboard: "stand-in" | "hermes";
  /** How long a soak runs. */
  readonly seconds: number;
}

export interface Case {
  readonly name: string;
  readonly run: (options: CaseOptions) => Promise<readonly Measurement[]>;
}

/** Something to measure; one call does its work `batch` times, so that the clock's grain does not count. */
export type Contestants = Readonly<Record<string, (batch: number) => void | Promise<void>>>;

export interface Rounds {
  readonly batch: number;
  readonly rounds?: number;
  /** Milliseconds for each contestant and round. */
  readonly time?: number;
}

/** Median nanoseconds of one piece of work, by contestant. */
export async function race(contestants: Contestants, options: Rounds): Promise<ReadonlyMap<string, number>> {
  const { batch, rounds = 7, time = 60 } = options;
  const samples = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(contestants)) {
      const bench = new Bench({ time, warmupTime: round === 0 ? 60 : 10, throws: true });
      bench.add(name, () => work(batch));
      await bench.run();
      const { result } = bench.tasks[0] ?? {};
      if (result?.state !== "completed") throw new Error(`${name} could not be measured`);
      samples.set(name, [...(samples.get(name) ?? []), (result.latency.p50 * 1e6) / batch]);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of `ours` beside that of each peer, in nanoseconds. */
export function compare(name: string, times: ReadonlyMap<string, number>, peers: readonly string[]): Measurement[] {
  const ours = times.get("ours") ?? Number.NaN;
  return peers.map((peer) => ({
    // The first peer carries the budget, the others are for orientation.
    name: peer === peers[0] ? name : `${name} (${peer})`,
    unit: "ns",
    ours,
    peer,
    theirs: times.get(peer) ?? Number.NaN,
  }));
}
