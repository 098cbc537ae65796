/** The soak of the benchmarks, shorter: thousands of events a second to a dashboard that is stopped and resumed. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { emptyHome } from "../../helpers/fake-dashboard.ts";
import { ROOT } from "../../helpers/hermes.ts";

async function soak(t: TestContext, dashboard: string): Promise<ReadonlyMap<string, number>> {
  const file = join(emptyHome(t), "figures.json");
  const options = ["--only", "soak", "--seconds", "15", "--dashboard", dashboard, "--json", file];
  await promisify(execFile)(process.execPath, [join(ROOT, "bench/run.ts"), ...options]);
  const { rows } = JSON.parse(readFileSync(file, "utf8")) as { rows: { name: string; ours: number }[] };
  return new Map(rows.map(({ name, ours }) => [name.replace("soak / ", ""), ours]));
}

for (const dashboard of ["stand-in", "hermes"]) {
  test(`every event reaches the ${dashboard} once and in order, or is counted as dropped`, async (t) => {
    const figures = await soak(t, dashboard);
    assert.equal(figures.get("neither arrived nor counted as dropped"), 0);
    assert.equal(figures.get("twice or out of order"), 0);
    assert.equal(figures.get("most events waiting"), 1024);
    // The queue holds a seventh of a second; a machine that stands still for longer is not this test's matter.
    assert.ok(figures.get("dropped while running")! < 15 * 7000 * 0.02, "hardly anything is dropped while it runs");
    assert.ok(figures.get("dropped while stopped")! > 20_000, "five seconds do not fit into the queue");
  });
}
