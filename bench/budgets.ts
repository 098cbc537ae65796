import { TEXT_KINDS } from "./texts.ts";

/**
 * The budget of each measurement. `target` is the goal that is shown; `floor` is what `--check` requires. It has a
 * margin of two, so that a noisy machine does not fail a good change.
 */
export interface Budget {
  /** `faster`: theirs / ours must be at least; `slower`: ours / theirs at most; `absolute`: ours at most. */
  readonly kind: "faster" | "slower" | "absolute";
  readonly target: number;
  readonly floor: number;
}

/** The floor of a time that only depends on the machine: it is shown, but never fails a change. */
const REPORTED = Number.POSITIVE_INFINITY;

export const BUDGETS: Readonly<Record<string, Budget>> = {
  "dispatch / observe, 1 callback": { kind: "faster", target: 4, floor: 2 },
  "dispatch / observe, 5 callbacks": { kind: "faster", target: 2.5, floor: 1.25 },
  "dispatch / observe, no callback": { kind: "absolute", target: 200, floor: 400 },
  "dispatch / gate, 1 callback": { kind: "faster", target: 2, floor: 1 },
  "silent-event / pre_llm_call, 1 MB history": { kind: "absolute", target: 200, floor: 400 },
  "replay / 1,000 firings at 5 callbacks": { kind: "absolute", target: 1000, floor: 2000 },
  "emit / emit_sync, no handler": { kind: "faster", target: 0.5, floor: 0.25 },
  "emit / emit_sync, 1 handler": { kind: "faster", target: 1, floor: 0.5 },
  "emit / emit_sync, 5 handlers": { kind: "faster", target: 1.5, floor: 0.75 },
  "emit / emit_sync, 1 handler (tapable)": { kind: "faster", target: 1.1, floor: 0.4 },
  "emit / emit_sync, 5 handlers (tapable)": { kind: "faster", target: 1, floor: 0.5 },
  "emit / emit awaited, 1 handler": { kind: "slower", target: 1.5, floor: 3 },
  "emit / heap, 5 handlers, per emission": { kind: "absolute", target: 1, floor: 2 },
  "forward / push, per event": { kind: "absolute", target: 200, floor: 400 },
  "forward / saturated, 500 bytes, per event (one frame, fetch)": { kind: "faster", target: 20, floor: 10 },
  "forward / saturated, 500 bytes, per event (bare batch loop)": { kind: "faster", target: 1, floor: 0.4 },
  "nats / push, per event": { kind: "absolute", target: 200, floor: 400 },
  "nats / acknowledged, 500 bytes, per event": { kind: "faster", target: 0.8, floor: 0.4 },
  "nats / acknowledged, 500 bytes, per event, time": { kind: "absolute", target: 50_000, floor: REPORTED },
  ...textBudgets(),
  "soak / dropped while running": { kind: "absolute", target: 0, floor: 0 },
  "soak / from emission to dashboard, p99": { kind: "absolute", target: 20, floor: REPORTED },
  "soak / loop utilisation above idle": { kind: "absolute", target: 25, floor: REPORTED },
  "soak / emission, p99, dashboard stopped": { kind: "slower", target: 1.1, floor: 2.2 },
  "soak / most events waiting": { kind: "absolute", target: 1024, floor: 1024 },
  "soak / neither arrived nor counted as dropped": { kind: "absolute", target: 0, floor: 0 },
  "soak / twice or out of order": { kind: "absolute", target: 0, floor: 0 },
  "shell-hook / whole run of sh": { kind: "slower", target: 1.1, floor: 3 },
  "shell-hook / whole run of bash + jq": { kind: "slower", target: 1.25, floor: 2.5 },
  "shell-hook / whole run of node": { kind: "slower", target: 1.25, floor: 2.5 },
  "shell-hook / sh, 1 GB of objects": { kind: "slower", target: 1.2, floor: 2.4 },
  "shell-hook / sh, 1 GB of buffers": { kind: "slower", target: 1.2, floor: REPORTED },
  "shell-hook / four observers, 2 cores": { kind: "faster", target: 1.7, floor: 0.75 },
  "shell-hook / consent check, command mode": { kind: "absolute", target: 20_000, floor: 40_000 },
  ...coprocessBudgets(),
  "command-sandbox / sh -c :, guard": { kind: "slower", target: 3.5, floor: 7 },
  "command-sandbox / sh -c :, guard, time": { kind: "absolute", target: 8, floor: REPORTED },
  "command-sandbox / sh -c :, off": { kind: "slower", target: 2.5, floor: 5 },
  "pinned-consent / script of 10 KB": { kind: "absolute", target: 500_000, floor: 1_000_000 },
  "worker-hook / round trip, 1 KB": { kind: "slower", target: 1.4, floor: 8 },
  "worker-hook / publisher, per event": { kind: "slower", target: 1.5, floor: 3 },
  "worker-hook / publisher, handler busy": { kind: "slower", target: 1.5, floor: 3 },
  "worker-hook / runaway, from deadline to serving": { kind: "slower", target: 4, floor: 8 },
  "isolate-hook / warm, 1 KB, p50": { kind: "absolute", target: 0.15, floor: REPORTED },
  "isolate-hook / first event, after 2 s": { kind: "absolute", target: 90, floor: REPORTED },
  "isolate-hook / round trip, 1 KB": { kind: "slower", target: 4, floor: 8 },
  "python-handler / async, 1 KB, p50": { kind: "absolute", target: 0.4, floor: REPORTED },
  "python-handler / async, 1 KB": { kind: "slower", target: 0.03, floor: 0.06 },
  "python-start / first event, coroutine": { kind: "slower", target: 2, floor: 4 },
  "tasks / claim and finish, per task": { kind: "slower", target: 15, floor: 30 },
  "tasks / claim and finish, time": { kind: "absolute", target: 500_000, floor: 1_000_000 },
  "tasks / submit": { kind: "slower", target: 2.5, floor: 5 },
  "postgres / tasks, 4 workers, per task": { kind: "faster", target: 0.7, floor: 0.35 },
  "postgres / tasks, 4 workers, time": { kind: "absolute", target: 3_333_333, floor: REPORTED },
  "postgres / delivered, per event": { kind: "absolute", target: 3_333_333, floor: REPORTED },
  "webhooks / publisher, per event": { kind: "slower", target: 4, floor: 8 },
  "webhooks / delivered, per event": { kind: "slower", target: 6, floor: 12 },
  "webhooks / 1,000 events, per event": { kind: "absolute", target: 1_000_000, floor: REPORTED },
  "webhooks / p95 beside a dead endpoint": { kind: "slower", target: 1.5, floor: 3 },
  "daemon / message stored over a socket, p95": { kind: "absolute", target: 5, floor: REPORTED },
  "daemon / message stored while turns run, p95": { kind: "absolute", target: 5, floor: REPORTED },
  "daemon / hermes send": { kind: "slower", target: 2, floor: 4 },
  "daemon / idle": { kind: "absolute", target: 120, floor: 240 },
  "daemon / idle, wake-ups in 3 s": { kind: "absolute", target: 10, floor: 20 },
  "inbound / POST with a cat script": { kind: "slower", target: 1.3, floor: 2.6 },
  "inbound / 50 connections, per POST": { kind: "slower", target: 1.5, floor: 3 },
  "inbound / forged signature": { kind: "slower", target: 5, floor: 10 },
  "inbound / forged signature, time": { kind: "absolute", target: 500_000, floor: REPORTED },
  "inbound / health meanwhile, p95": { kind: "absolute", target: 100, floor: REPORTED },
  "monitoring / scrape, p95": { kind: "absolute", target: 20, floor: REPORTED },
  "cold-start / hooks list, repository": { kind: "slower", target: 2.5, floor: 5 },
  "cold-start / hooks list, package": { kind: "slower", target: 1.5, floor: 3 },
  "cold-start / first prompt of chat, repository": { kind: "slower", target: 6, floor: REPORTED },
  "cold-start / first prompt of chat, package": { kind: "slower", target: 4, floor: 8 },
  "turn / one tool call, beside the tool": { kind: "absolute", target: 3, floor: 6 },
  "mcp-call / 1 KB, with a guard": { kind: "slower", target: 1.2, floor: 2.4 },
  "platforms / idle gateway, all platforms above api_server": { kind: "absolute", target: 60, floor: 120 },
  "memory / chat after one turn, repository": { kind: "absolute", target: 130, floor: 260 },
  "memory / chat after one turn, package": { kind: "absolute", target: 120, floor: 240 },
  "memory / idle gateway, repository": { kind: "absolute", target: 95, floor: 190 },
  "memory / idle gateway, package": { kind: "absolute", target: 85, floor: 170 },
  "memory / idle service, repository": { kind: "absolute", target: 140, floor: 280 },
  "memory / idle service, package": { kind: "absolute", target: 140, floor: 280 },
};

/** An event costs a twentieth of a start, in whatever language the script is written. */
function coprocessBudgets(): Record<string, Budget> {
  const budgets: Record<string, Budget> = {};
  for (const language of ["node", "python", "bash + jq"]) {
    budgets[`coprocess-hook / ${language}, p50`] = { kind: "faster", target: 20, floor: 10 };
    budgets[`coprocess-hook / ${language}, p50, time`] = { kind: "absolute", target: 0.3, floor: 0.6 };
  }
  return budgets;
}

/** What is written must not matter for how fast it arrives. */
function textBudgets(): Record<string, Budget> {
  const budgets: Record<string, Budget> = {};
  for (const text of TEXT_KINDS) {
    budgets[`forward / pieces of ${text}, per piece`] = { kind: "slower", target: 3, floor: 6 };
    for (const rate of [70, 300]) {
      const name = `forward-latency / ${text}, ${rate} pieces a second`;
      budgets[`${name}, p99`] = { kind: "absolute", target: 350, floor: 700 };
      budgets[`${name}, dropped`] = { kind: "absolute", target: 0, floor: 0 };
    }
  }
  return budgets;
}
