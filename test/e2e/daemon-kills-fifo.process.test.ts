import test from "node:test";
import { killDaemonAtRandom } from "../helpers/daemon-kills.ts";

test("kill -9 of a daemon loses and doubles no message when its inbox is first come, first served", async (t) => {
  await killDaemonAtRandom(t, 4, { inbox: { order: "fifo" } });
});
