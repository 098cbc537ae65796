import { startReceiver } from "../receiver.ts";
import { soak } from "../soak.ts";
import { TEXT_KINDS } from "../texts.ts";
import type { Case, Measurement } from "../measure.ts";

/** Events a second: a busy turn, and a fast model. */
const RATES = [70, 300];

/** How long a piece of text takes to the dashboard, by what the model writes. */
export const forwardLatencyCase: Case = {
  name: "forward-latency",
  run: async ({ dashboard, isQuick }) => {
    using receiver = await startReceiver(dashboard);
    const measured: Measurement[] = [];
    for (const rate of RATES) {
      for (const text of TEXT_KINDS) {
        const { received, dropped } = await soak({
          rate,
          ...(isQuick ? { seconds: 1.5, leastSeconds: 0.1 } : { seconds: 5 }),
          stoppedSeconds: 0,
          dashboard,
          receiver,
          text,
        });
        const name = `forward-latency / ${text}, ${rate} pieces a second`;
        for (const percentile of ["p50", "p99"] as const)
          measured.push({ name: `${name}, ${percentile}`, unit: "ms", ours: received[percentile], ...ALONE });
        measured.push({ name: `${name}, dropped`, unit: "events", ours: dropped, ...ALONE });
      }
    }
    return measured;
  },
};

const ALONE = { peer: null, theirs: null };
