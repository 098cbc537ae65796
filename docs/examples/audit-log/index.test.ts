import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { createTestHost } from "hermes-hooks/testing";
import plugin from "./index.ts";

test("audit-log", async () => {
  await using host = await createTestHost({ plugins: [plugin] });
  await host.fire("post_tool_call");
  assert.match(readFileSync(join(host.home, "audit.jsonl"), "utf8"), /"tool_name":"terminal"/);
});
