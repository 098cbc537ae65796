import { soak } from "../soak.ts";
import type { Case, Measurement } from "../measure.ts";

/** 7,000 events a second, 60 s unless told otherwise, then 20 s with the dashboard stopped, then resumed. */
export const soakCase: Case = {
  name: "soak",
  run: async ({ dashboard, seconds }) => {
    const report = await soak({ rate: 7000, seconds, stoppedSeconds: seconds / 3, dashboard });
    const { idle, running, stopped, received } = report;
    if (stopped === null) throw new Error("the dashboard was not stopped");
    const alone = { peer: null, theirs: null };
    const measured: Measurement[] = [
      { name: "soak / dropped while running", unit: "events", ours: report.dropped_running, ...alone },
      { name: "soak / from emission to dashboard, p50", unit: "ms", ours: received.p50, ...alone },
      { name: "soak / from emission to dashboard, p99", unit: "ms", ours: received.p99, ...alone },
      {
        name: "soak / loop utilisation above idle",
        unit: "%",
        ours: 100 * (running.utilisation - idle.utilisation),
        ...alone,
      },
      { name: "soak / emission, p99, dashboard running", unit: "ns", ours: running.emit_p99, ...alone },
      {
        name: "soak / emission, p99, dashboard stopped",
        unit: "ns",
        ours: stopped.emit_p99,
        peer: "dashboard running",
        theirs: running.emit_p99,
      },
      {
        name: "soak / most events waiting",
        unit: "events",
        ours: Math.max(running.most_waiting, stopped.most_waiting),
        ...alone,
      },
      { name: "soak / dropped while stopped", unit: "events", ours: report.dropped - report.dropped_running, ...alone },
      {
        name: "soak / neither arrived nor counted as dropped",
        unit: "events",
        ours: Math.abs(report.emitted - report.arrived - report.dropped),
        ...alone,
      },
      { name: "soak / twice or out of order", unit: "events", ours: report.disordered, ...alone },
      { name: "soak / caught up after the stop", unit: "ms", ours: report.caught_up_ms ?? Number.NaN, ...alone },
    ];
    return measured;
  },
};
