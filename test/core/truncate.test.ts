import assert from "node:assert/strict";
import { test } from "node:test";
import { truncate } from "#core/truncate";

test("a text is truncated only when it is longer than the limit", () => {
  assert.equal(truncate("abc", 3), "abc");
  assert.equal(truncate("abcd", 3), "abc…");
  assert.equal(truncate("", 0), "");
});
