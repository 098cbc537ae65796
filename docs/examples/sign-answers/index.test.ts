import assert from "node:assert/strict";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("sign-answers", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  assert.equal((await host.turn("hello")).text, "Done.\n\n(written by an agent)");
});
