/** A process of its own, because these callbacks stop everything in it for a while. */
import test from "node:test";
import assert from "node:assert/strict";
import { loadFixtures } from "../helpers/plugins.ts";

for (const event of ["pre_tool_call", "post_tool_call", "on_session_end"] as const) {
  test(`a callback for ${event} that blocks the loop is named`, async (t) => {
    const bench = await loadFixtures(t, ["blocks-the-loop"]);
    assert.deepEqual(await bench.fire(event), { kind: "pass" });
    assert.equal(bench.warnings.length, 1);
    assert.match(
      bench.warnings[0]!,
      new RegExp(
        `^plugin "blocks-the-loop" blocked the whole program for \\d+\\.\\d s in its callback for ${event}\\.`,
      ),
    );
  });
}

test("a synchronous callback that returns after its deadline has timed out, and blocks with on_error: block", async (t) => {
  const bench = await loadFixtures(t, ["blocks-the-loop"], {
    callback_timeout_seconds: 0.5,
    entries: { "blocks-the-loop": { on_error: "block" } },
  });
  assert.equal(((await bench.fire("pre_tool_call")) as { kind: string }).kind, "block");
  assert.equal(bench.runs[0]!.cause, "timeout");
  assert.match(bench.runs[0]!.detail!, /"blocks-the-loop".*within 0\.5 s/);
});
