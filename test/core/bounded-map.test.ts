import assert from "node:assert/strict";
import { test } from "node:test";
import { BoundedMap, memoize } from "#core/bounded-map";

test("a bounded map drops the entry that was set longest ago and reports it", () => {
  const dropped: string[] = [];
  const map = new BoundedMap<string, number>(2, (key) => dropped.push(key));
  map.set("a", 1).set("b", 2).set("a", 3).set("c", 4);
  assert.deepEqual(
    [...map],
    [
      ["a", 3],
      ["c", 4],
    ],
  );
  assert.deepEqual(dropped, ["b"]);
});

test("replacing an entry of a full bounded map drops nothing", () => {
  const dropped: string[] = [];
  const map = new BoundedMap<string, number>(1, (key) => dropped.push(key));
  map.set("a", 1).set("a", 2);
  assert.deepEqual([...map], [["a", 2]]);
  assert.deepEqual(dropped, []);
});

test("a memoized function computes each cached result once, and dropped ones again", () => {
  const calls: string[] = [];
  const isLong = memoize((text: string) => {
    calls.push(text);
    return text.length > 1;
  }, 2);
  assert.deepEqual(["a", "bb", "a", "bb", "c", "a"].map(isLong), [false, true, false, true, false, false]);
  assert.deepEqual(calls, ["a", "bb", "c", "a"]);
});
