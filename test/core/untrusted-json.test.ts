import assert from "node:assert/strict";
import { test } from "node:test";
import { depthOfText, dropPrototypeKeys, isDeeperThan, mayReachPrototype } from "#core/untrusted-json";

test("nesting is measured in a text and in a value alike, and brackets in strings do not nest", () => {
  for (const [text, depth] of [
    ["1", 0],
    ['{"a":[1,{}]}', 3],
    ['["[[[","\\"[["]', 1],
  ] as const) {
    assert.equal(depthOfText(text), depth, text);
    assert.equal(isDeeperThan(JSON.parse(text), depth), false, text);
    assert.equal(isDeeperThan(JSON.parse(text), depth - 1), depth > 0, text);
  }
});

test("keys that reach a prototype are recognised with escaped letters, and removed at every level", () => {
  for (const key of ["__proto__", "\\u005f_proto__", "constr\\u0075ctor", "c\\u006Fnstructor"]) {
    assert.ok(mayReachPrototype(`{"${key}":1}`), key);
  }
  assert.equal(mayReachPrototype('{"prototype":1}'), false);
  const value: unknown = JSON.parse(
    '[{"__proto__":1,"a":{"constructor":{"prototype":1}},"constructor":{"prototype":1,"name":2}}]',
  );
  dropPrototypeKeys(value);
  assert.deepEqual(value, [{ a: {}, constructor: { name: 2 } }]);
});
