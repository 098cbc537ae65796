import { soak } from "../soak.ts";
import type { Case } from "../measure.ts";

/** How long an event takes to the dashboard at 70 events a second, the rate of a busy turn. */
export const forwardLatencyCase: Case = {
  name: "forward-latency",
  run: async ({ dashboard }) => {
    const { received, dropped } = await soak({ rate: 70, seconds: 10, stoppedSeconds: 0, dashboard });
    if (dropped > 0) throw new Error(`${dropped} events were dropped`);
    return (["p50", "p99"] as const).map((percentile) => ({
      name: `forward-latency / 70 events a second, ${percentile}`,
      unit: "ms",
      ours: received[percentile],
      peer: null,
      theirs: null,
    }));
  },
};
