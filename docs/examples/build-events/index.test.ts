import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("build-events", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  await host.emit("ci:finished", { status: "ok", branch: "a" });
  await host.command("build-failed", "main");
  assert.deepEqual(host.delivered, ["The build of main failed."]);
});
