import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { compileSchema, findSchemaProblem } from "#core/tool-schema";

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
  [{}, /^"path" is missing$/],
  [{ path: 1 }, /^"path" must be a string$/],
  [{ path: "" }, /^"path" must NOT have fewer than 1 characters$/],
  [{ path: "A" }, /^"path" must match pattern/],
  [{ path: "a", count: 1.5 }, /^"count" must be an integer$/],
  [{ path: "a", count: 0 }, /^"count" must be >= 1$/],
  [{ path: "a", count: 10 }, /^"count" must be < 10$/],
  [{ path: "a", mode: "c" }, /^"mode" must be one of "a", "b"$/],
  [{ path: "a", tags: ["x", 1] }, /^"tags\.1" must be a string$/],
  [{ path: "a", tags: ["x", "y", "z"] }, /^"tags" must NOT have more than 2 items$/],
  [{ path: "a", either: {} }, /"either" must be null, or "either\.x" is missing/],
  [{ path: "a", pth: 1 }, /^"pth" is not known; expected path, count, mode, tags, either$/],
  [[], /^the arguments must be an object$/],
  [null, /^the arguments must be an object$/],
];

for (const [value, problem] of CASES) {
  test(`checks ${JSON.stringify(value)}`, async () => {
    const found = await findSchemaProblem(schema, value);
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "nothing was found", problem);
  });
}

/** A schema of one property, a value that fits, and one that does not. */
const KEYWORDS: readonly [Readonly<Record<string, unknown>>, unknown, unknown][] = [
  [{ multipleOf: 3 }, 6, 7],
  [{ uniqueItems: true }, [1, 2], [1, 1]],
  [{ oneOf: [{ type: "number" }, { minimum: 5 }] }, 1, 9],
  [{ not: { const: "x" } }, "y", "x"],
  [{ if: { type: "string" }, then: { minLength: 2 } }, "ab", "a"],
  [{ dependentRequired: { a: ["b"] } }, { a: 1, b: 1 }, { a: 1 }],
  [{ prefixItems: [{ type: "string" }] }, ["x"], [1]],
  [{ propertyNames: { pattern: "^a" } }, { ab: 1 }, { b: 1 }],
  [{ format: "email" }, "me@example.org", "nobody"],
  [{ format: "date-time" }, "2026-11-28T10:00:00Z", "yesterday"],
  [{ contains: { const: 1 } }, [1], [2]],
  [{ minProperties: 1 }, { a: 1 }, {}],
  [{ patternProperties: { "^n": { type: "number" } } }, { n: 1 }, { n: "1" }],
  [{ unevaluatedProperties: false, properties: { a: {} } }, { a: 1 }, { b: 1 }],
  [{ const: { a: [1] } }, { a: [1] }, { a: [2] }],
];

for (const [keyword, fits, fails] of KEYWORDS) {
  test(`${JSON.stringify(keyword)} holds`, async () => {
    const parameters = { type: "object", properties: { p: keyword } };
    assert.equal(await findSchemaProblem(parameters, { p: fits }), undefined);
    assert.match((await findSchemaProblem(parameters, { p: fails })) ?? "", /^"p/);
  });
}

test("a schema may say that it is of draft 7", async () => {
  const $schema = "http://json-schema.org/draft-07/schema#";
  const tuple = { $schema, type: "object", properties: { p: { items: [{ type: "string" }], additionalItems: false } } };
  assert.equal(await findSchemaProblem(tuple, { p: ["a"] }), undefined);
  assert.notEqual(await findSchemaProblem(tuple, { p: ["a", "b"] }), undefined);
  assert.notEqual((await compileSchema({ ...tuple, $schema: "https://example.org/own" })).problem, null);
});

test("schemas with the same $id do not meet", async () => {
  const one = { $id: "https://example.org/tool", type: "object", required: ["a"] };
  const other = { ...one, required: ["b"] };
  assert.match((await findSchemaProblem(one, {})) ?? "", /"a" is missing/);
  assert.match((await findSchemaProblem(other, {})) ?? "", /"b" is missing/);
});

test("a schema that refers to itself without end is refused, not followed", async () => {
  const loop = { type: "object", properties: { next: { $ref: "#" } } };
  assert.equal(await findSchemaProblem(loop, { next: { next: {} } }), undefined);
  assert.match((await findSchemaProblem({ $ref: "#" }, {})) ?? "", /cannot be checked|not a valid/);
});

test("a schema that is none says why", async () => {
  for (const odd of [{ type: 7 }, { type: "object", required: "x" }, { pattern: "(" }, { $ref: "#/$defs/gone" }]) {
    const { problem } = await compileSchema(odd);
    assert.ok(problem, JSON.stringify(odd));
    assert.match((await findSchemaProblem(odd, {})) ?? "", /not a valid JSON Schema: /);
  }
});

test("never rejects, and an empty schema lets everything through", async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), async (any, value) => {
      await findSchemaProblem(any, value);
      assert.equal(await findSchemaProblem({}, value), undefined);
    }),
  );
});
