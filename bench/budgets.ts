/**
 * What each measurement must reach. `target` is the figure that is aimed for and shown; `floor` is what `--check`
 * insists on, with a margin of two, so that a noisy machine never fails a good change.
 */
export interface Budget {
  /** `faster`: theirs / ours must be at least; `slower`: ours / theirs at most; `absolute`: ours at most. */
  readonly kind: "faster" | "slower" | "absolute";
  readonly target: number;
  readonly floor: number;
}

export const BUDGETS: Readonly<Record<string, Budget>> = {
  "dispatch / observe, 1 callback": { kind: "faster", target: 3, floor: 1.5 },
  "dispatch / observe, 5 callbacks": { kind: "faster", target: 2, floor: 1 },
  "dispatch / observe, no callback": { kind: "absolute", target: 200, floor: 400 },
  "dispatch / gate, 1 callback": { kind: "faster", target: 2, floor: 1 },
  "silent-event / pre_llm_call, 1 MB history": { kind: "absolute", target: 200, floor: 400 },
  "shell-hook / whole run of sh": { kind: "slower", target: 1.5, floor: 3 },
  "shell-hook / whole run of bash + jq": { kind: "slower", target: 1.25, floor: 2.5 },
  "shell-hook / whole run of node": { kind: "slower", target: 1.25, floor: 2.5 },
  "shell-hook / four observers, 2 cores": { kind: "faster", target: 1.5, floor: 0.75 },
  "shell-hook / consent check, command mode": { kind: "absolute", target: 20_000, floor: 40_000 },
  "pinned-consent / script of 10 KB": { kind: "absolute", target: 500_000, floor: 1_000_000 },
  "worker-hook / round trip, 1 KB": { kind: "slower", target: 2, floor: 4 },
  "worker-hook / publisher, per event": { kind: "slower", target: 1.5, floor: 3 },
  "worker-hook / publisher, handler busy": { kind: "slower", target: 1.5, floor: 3 },
  "worker-hook / runaway, from deadline to serving": { kind: "slower", target: 3, floor: 6 },
  "cold-start / hooks list, repository": { kind: "slower", target: 3, floor: 6 },
  "cold-start / hooks list, package": { kind: "slower", target: 2, floor: 4 },
  "memory / chat after one turn, repository": { kind: "absolute", target: 130, floor: 260 },
  "memory / chat after one turn, package": { kind: "absolute", target: 110, floor: 220 },
  "memory / idle gateway, repository": { kind: "absolute", target: 130, floor: 260 },
  "memory / idle gateway, package": { kind: "absolute", target: 130, floor: 260 },
};
