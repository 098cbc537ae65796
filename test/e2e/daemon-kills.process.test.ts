import test from "node:test";
import { killDaemonAtRandom } from "../helpers/daemon-kills.ts";

// Ten rounds here and ten in daemon-kills-fifo: each starts a daemon, which a busy machine takes its time for.
test(
  "kill -9 of a daemon while messages are sent, posted and handled loses none and doubles none",
  {
    timeout: 280_000,
  },
  async (t) => {
    await killDaemonAtRandom(t, 10);
  },
);
