import test from "node:test";
import { killAtRandom } from "../helpers/task-kills.ts";

test("kill -9 at random moments of submitting, running and delivering loses no task and no delivery", async (t) => {
  await killAtRandom(t, 8);
});
