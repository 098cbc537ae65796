import test from "node:test";
import { killAtRandom } from "../helpers/task-kills.ts";

test("200 kills at random moments lose no task and no delivery", async (t) => {
  await killAtRandom(t, 200);
});
