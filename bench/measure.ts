/** Measures the cases: contestants take turns, in several rounds within one process run; the result is the median. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Bench } from "tinybench";

/** The result of a case: ours against one peer. */
export interface Measurement {
  /** `case / what`, the key of its budget. */
  readonly name: string;
  readonly unit: "ns" | "ms" | "B" | "MB" | "%" | "events" | "wake-ups" | "slope";
  readonly ours: number;
  /** The peer it is compared with; null when there is none. */
  readonly peer: string | null;
  readonly theirs: number | null;
}

/** Options of the command line. */
export interface CaseOptions {
  /** The dashboard that events are forwarded to. */
  readonly dashboard: "stand-in" | "hermes";
  /** How long the soak runs. */
  readonly seconds: number;
  /** True for `--check`, whose floors are far enough from the targets for fewer rounds. */
  readonly isQuick: boolean;
}

export interface Case {
  readonly name: string;
  readonly run: (options: CaseOptions) => Promise<readonly Measurement[]>;
}

/** Something to measure; one call does its work `batch` times, so that the clock's resolution does not matter. */
export type Contestants = Readonly<Record<string, (batch: number) => void | Promise<void>>>;

export interface Rounds {
  readonly batch: number;
  /** Fewer and shorter rounds. */
  readonly isQuick?: boolean;
  /** Takes the fastest batch of a round instead of the median: for processes that others disturb. */
  readonly isFastest?: boolean;
  readonly rounds?: number;
  /** Milliseconds per contestant and round. */
  readonly time?: number;
}

/** Median nanoseconds per piece of work, by contestant. */
export async function race(contestants: Contestants, options: Rounds): Promise<ReadonlyMap<string, number>> {
  const { batch, isQuick = false, isFastest = false, rounds = isQuick ? 5 : 7, time = isQuick ? 40 : 60 } = options;
  const samples = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(contestants)) {
      const bench = new Bench({ time, warmupTime: round === 0 ? 60 : 10, throws: true });
      bench.add(name, () => work(batch));
      await bench.run();
      const { result } = bench.tasks[0] ?? {};
      if (result?.state !== "completed") throw new Error(`${name} could not be measured`);
      samples.set(name, [
        ...(samples.get(name) ?? []),
        ((isFastest ? result.latency.min : result.latency.p50) * 1e6) / batch,
      ]);
    }
  }
  return new Map([...samples].map(([name, values]) => [name, median(values)]));
}

/** True for a program that starts and answers `--version`. */
export async function hasProgram(name: string): Promise<boolean> {
  const child = spawn(name, ["--version"], { stdio: "ignore" });
  try {
    const [code] = (await once(child, "exit")) as [number | null];
    return code === 0;
  } catch {
    // It cannot be started.
    return false;
  }
}

/**
 * The least of up to `times` samples, ending at the first that is at most `enough`. For what must not happen at all: a
 * poll shows in every sample; what a start left behind, or another program, does not.
 */
export async function quietest(sample: () => Promise<number>, enough: number, times = 3): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let number = 0; number < times && least > enough; number++) least = Math.min(least, await sample());
  return least;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median of `ours` next to that of each peer, in nanoseconds. */
export function compare(name: string, times: ReadonlyMap<string, number>, peers: readonly string[]): Measurement[] {
  const ours = times.get("ours") ?? Number.NaN;
  return peers.map((peer) => ({
    // The budget applies to the first peer; the others are for comparison.
    name: peer === peers[0] ? name : `${name} (${peer})`,
    unit: "ns",
    ours,
    peer,
    theirs: times.get(peer) ?? Number.NaN,
  }));
}

/** The resident memory of a process. Linux only. */
export function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
