import test from "node:test";
import { killDaemonAtRandom } from "../helpers/daemon-kills.ts";

test("200 kills of a daemon at random moments lose no message and double none", async (t) => {
  await killDaemonAtRandom(t, 200);
});
