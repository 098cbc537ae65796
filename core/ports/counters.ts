/**
 * The port of what a home has counted, for its metrics (CONTRACT §12). It is stored, so that neither a restart nor the
 * removal of old rows lowers it, and every process of the home adds to it.
 */

/** What is counted, and the labels of each: the storage knows no more of them. */
export const COUNTERS = {
  /** `status` is `completed`, `failed` or `cancelled`. */
  tasks: ["status"],
  tokens: [],
  tool_calls: ["tool"],
  task_seconds: ["le"],
  task_seconds_sum: [],
  hook_runs: ["event", "source", "outcome"],
  hook_seconds: ["event", "source", "le"],
  hook_seconds_sum: ["event", "source"],
  /** `outcome` is `delivered`, `failed` or `disabled`. */
  deliveries: ["endpoint", "outcome"],
} as const satisfies Record<string, readonly string[]>;

export type CounterName = keyof typeof COUNTERS;

export interface Count {
  readonly name: CounterName;
  /** The values of the counter's labels, in their order. */
  readonly labels: readonly string[];
  readonly amount: number;
}

/**
 * The most tools, and the most combinations of other labels that a home's configuration makes. What comes later is
 * counted as {@link OTHER}.
 */
export const MOST_TOOLS = 100;
export const MOST_SERIES = 2000;
export const OTHER = "other";

/** Every method rejects with what the engine throws. */
export interface CounterStore {
  /** Adds to what is counted already, in one transaction. */
  add(counts: readonly Count[]): Promise<void>;
  /** Everything that was ever counted. */
  read(): Promise<readonly Count[]>;
}

/** The upper bounds of the buckets, in seconds. A task takes up to hours, a hook mostly milliseconds. */
export const TASK_BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400] as const;
export const HOOK_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** The counts of one observation of `seconds`. */
export function observationOf(kind: "task" | "hook", labels: readonly string[], seconds: number): readonly Count[] {
  const bounds = kind === "task" ? TASK_BUCKETS : HOOK_BUCKETS;
  const bound = bounds.find((most) => seconds <= most);
  const le = bound === undefined ? "+Inf" : String(bound);
  return [
    { name: `${kind}_seconds`, labels: [...labels, le], amount: 1 },
    { name: `${kind}_seconds_sum`, labels, amount: seconds },
  ];
}
