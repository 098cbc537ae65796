import test from "node:test";
import { killDaemonAtRandom } from "../helpers/daemon-kills.ts";

// Twenty rounds in all: on a busy machine they could take longer together than one test may.
for (const part of ["first", "second", "third", "fourth"]) {
  test(`kill -9 of a daemon while messages are sent, posted and handled loses none and doubles none: ${part} part`, async (t) => {
    await killDaemonAtRandom(t, 5);
  });
}
