import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { findSchemaProblem } from "#agent/json-schema";

const schema = {
  type: "object",
  properties: {
    path: { type: "string", minLength: 1, pattern: "^[a-z]" },
    count: { type: "integer", minimum: 1, exclusiveMaximum: 10 },
    mode: { enum: ["a", "b"] },
    tags: { type: "array", items: { type: "string" }, maxItems: 2 },
    either: { anyOf: [{ type: "null" }, { $ref: "#/$defs/point" }] },
  },
  required: ["path"],
  additionalProperties: false,
  $defs: { point: { type: "object", required: ["x"], properties: { x: { type: "number" } } } },
};

const CASES: readonly [unknown, RegExp | undefined][] = [
  [{ path: "a" }, undefined],
  [{ path: "a", count: 9, mode: "b", tags: ["x"], either: { x: 1.5 } }, undefined],
  [{ path: "a", either: null }, undefined],
  [{}, /"path" is missing/],
  [{ path: 1 }, /"path" must be a string, not an integer/],
  [{ path: "" }, /"path" must match|"path" must be at least 1 characters/],
  [{ path: "A" }, /"path" must match/],
  [{ path: "a", count: 1.5 }, /"count" must be an integer, not a number/],
  [{ path: "a", count: 0 }, /"count" must be at least 1/],
  [{ path: "a", count: 10 }, /"count" must be less than 10/],
  [{ path: "a", mode: "c" }, /"mode" must be one of "a", "b"/],
  [{ path: "a", tags: ["x", 1] }, /"tags.1" must be a string/],
  [{ path: "a", tags: ["x", "y", "z"] }, /"tags" must be at most 2 items/],
  [{ path: "a", either: {} }, /"either.x" is missing/],
  [{ path: "a", pth: 1 }, /"pth" is not known; known are path/],
  [[], /the arguments must be an object, not an array/],
  [null, /the arguments must be an object, not null/],
];

for (const [value, problem] of CASES) {
  test(`checks ${JSON.stringify(value)}`, () => {
    const found = findSchemaProblem(schema, value);
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "nothing was found", problem);
  });
}

test("a schema of a plugin that is no schema, or refers to itself, hurts nobody", () => {
  const loop = { properties: { next: { $ref: "#" } } };
  assert.equal(findSchemaProblem(loop, { next: { next: {} } }), undefined);
  assert.equal(findSchemaProblem({ $ref: "#" }, {}), undefined);
  for (const odd of [undefined, null, true, 7, { type: 7, required: "x", properties: [], pattern: "(" }]) {
    assert.equal(findSchemaProblem(odd, { a: "b" }), undefined);
  }
});

test("never throws, and an empty schema lets everything through", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (any, value) => {
      findSchemaProblem(any, value);
      assert.equal(findSchemaProblem({}, value), undefined);
    }),
  );
});
