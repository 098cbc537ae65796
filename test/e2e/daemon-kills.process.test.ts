import test from "node:test";
import { killDaemonAtRandom } from "../helpers/daemon-kills.ts";

// Few rounds, each of which starts a daemon: daemon-kills.long.test.ts has more.
test("kill -9 of a daemon while messages are sent, posted and handled loses none and doubles none", async (t) => {
  await killDaemonAtRandom(t, 4);
});
