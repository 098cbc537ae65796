import test from "node:test";
import { killDaemonAtRandom } from "../helpers/daemon-kills.ts";

test("200 kills of a daemon at random moments lose no message and double none", async (t) => {
  await killDaemonAtRandom(t, 200);
});

test("40 kills lose and double no message when the inbox is first come, first served", async (t) => {
  await killDaemonAtRandom(t, 40, { inbox: { order: "fifo" } });
});
