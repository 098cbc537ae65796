/** The faults of faults.process.test.ts, for longer. */
import test from "node:test";
import { blockHolder, swapScript } from "./contention.ts";

test("a holder whose loop is blocked for 20 s notices, does it again, and nothing is lost", async (context) => {
  await blockHolder(context, 20_000);
});

test("10,000 runs while the script is swapped in a tight loop: unapproved bytes never run", async (context) => {
  await swapScript(context, 10_000);
});
