/** The table of the tiers that run gateway hooks. */

/** What there is to know of a tier without running anything in it. */
interface TierDescription {
  /** What `isolation` says in a manifest, and the source of the runs. */
  readonly name: string;
  /** The names of the files that it runs, the usual one first. */
  readonly handlers: readonly string[];
  /** True when a handler can do no more than `allow` grants. */
  readonly honoursAllow: boolean;
  /** True when its first event would wait long, so that a program which goes on running starts it ahead. */
  readonly startsAhead: boolean;
}

const SCRIPTS = ["handler.ts", "handler.mts", "handler.js", "handler.mjs"] as const;

/**
 * One row a tier. A hook that names no `isolation` runs in the first that takes its file. `cli/tiers.ts` has a row for
 * each that says how its code is checked and how it is made.
 */
export const TIERS = [
  { name: "worker", handlers: SCRIPTS, honoursAllow: false, startsAhead: false },
  { name: "isolate", handlers: SCRIPTS, honoursAllow: true, startsAhead: true },
  { name: "python", handlers: ["handler.py"], honoursAllow: false, startsAhead: false },
] as const satisfies readonly TierDescription[];

export type TierName = (typeof TIERS)[number]["name"];
