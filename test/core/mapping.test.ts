import assert from "node:assert/strict";
import test from "node:test";
import { isMapping } from "#core/mapping";

test("objects of keys and values are mappings, whatever their prototype; nothing else is", () => {
  for (const value of [{}, { a: 1 }, Object.create(null)]) assert.ok(isMapping(value));
  for (const value of [null, undefined, [], [{}], "text", 1, true, () => ({})]) assert.ok(!isMapping(value));
});
