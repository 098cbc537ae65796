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

const CASES: readonly [unknown, string | undefined][] = [
  [{ path: "a" }, undefined],
  [{ path: "a", count: 9, mode: "b", tags: ["x"], either: { x: 1.5 } }, undefined],
  [{ path: "a", either: null }, undefined],
  [{}, '"path" is missing'],
  [{ path: 1 }, '"path" must be a string, not 1'],
  [{ path: "" }, '"path" must have at least 1 character; it is ""'],
  [{ path: "A" }, '"path" must be text that matches ^[a-z], not "A"'],
  [{ path: "a", count: 1.5 }, '"count" must be an integer, not 1.5'],
  [{ path: "a", count: 0 }, '"count" must be at least 1, not 0'],
  [{ path: "a", count: 10 }, '"count" must be less than 10, not 10'],
  [{ path: "a", mode: "c" }, '"mode" must be one of "a", "b", not "c"'],
  [{ path: "a", tags: ["x", 1] }, '"tags.1" must be a string, not 1'],
  [{ path: "a", tags: ["x", "y", "z"] }, '"tags" must have at most 2 items; it is ["x","y","z"]'],
  [{ path: "a", either: {} }, '"either" must be null, not {}, or "either.x" is missing'],
  [{ path: "a", pth: 1 }, '"pth" is not known; expected path, count, mode, tags, either'],
  [[], "the arguments must be an object, not []"],
  [null, "the arguments must be an object, not null"],
];

for (const [value, problem] of CASES) {
  test(`checks ${JSON.stringify(value)}`, async () => {
    assert.equal(await findSchemaProblem(schema, value), problem);
  });
}

/** A schema of one property, a value that fits, one that does not, and what is said about it. */
const KEYWORDS: readonly [Readonly<Record<string, unknown>>, unknown, unknown, string][] = [
  [{ multipleOf: 3 }, 6, 7, '"p" must be a multiple of 3, not 7'],
  [{ uniqueItems: true }, [1, 2], [1, 1], '"p" has the same item twice, at 0 and 1'],
  [
    { oneOf: [{ type: "number" }, { minimum: 5 }] },
    1,
    9,
    '"p" must match one alternative only, but 9 matches those at 0,1',
  ],
  [
    { oneOf: [{ type: "number" }, { type: "null" }] },
    1,
    "",
    '"p" must be a number, not "", or "p" must be null, not ""',
  ],
  [{ not: { const: "x" } }, "y", "x", '"p" must not match {"const":"x"}; it is "x"'],
  [{ if: { type: "string" }, then: { minLength: 2 } }, "ab", "a", '"p" must have at least 2 characters; it is "a"'],
  [{ dependentRequired: { a: ["b"] } }, { a: 1, b: 1 }, { a: 1 }, '"p.b" is missing; "p.a" needs it'],
  [{ prefixItems: [{ type: "string" }] }, ["x"], [1], '"p.0" must be a string, not 1'],
  [{ prefixItems: [{}], items: false }, [1], [1, 2], '"p" must have at most 1 item; it is [1,2]'],
  [{ propertyNames: { pattern: "^a" } }, { ab: 1 }, { b: 1 }, 'a key of "p" must be text that matches ^a, not "b"'],
  [{ format: "email" }, "me@example.org", "nobody", '"p" must be text in the format email, not "nobody"'],
  [{ format: "date-time" }, "2026-11-28T10:00:00Z", "x", '"p" must be text in the format date-time, not "x"'],
  [{ contains: { const: 1 } }, [1], [2], '"p" must have an item that matches {"const":1}; it is [2]'],
  [{ minProperties: 1 }, { a: 1 }, {}, '"p" must have at least 1 key; it is {}'],
  [{ patternProperties: { "^n": { type: "number" } } }, { n: 1 }, { n: "1" }, '"p.n" must be a number, not "1"'],
  [{ unevaluatedProperties: false, properties: { a: {} } }, { a: 1 }, { b: 1 }, '"p.b" is not known; expected a'],
  [{ const: { a: [1] } }, { a: [1] }, { a: [2] }, '"p" must be {"a":[1]}, not {"a":[2]}'],
  [{ properties: { a: false } }, {}, { a: 1 }, '"p.a" is not allowed; it is 1'],
  // Valid only without the flag `u`.
  [{ pattern: "^[\\w-.]+$" }, "a-b.c", "a b", '"p" must be text that matches ^[\\w-.]+$, not "a b"'],
  [{ pattern: "^.$" }, "😀", "ab", '"p" must be text that matches ^.$, not "ab"'],
  // Inherited keys are ignored.
  [{ required: ["toString"] }, { toString: 1 }, {}, '"p.toString" is missing'],
  [
    { properties: { constructor: { type: "string" } } },
    {},
    { constructor: 1 },
    '"p.constructor" must be a string, not 1',
  ],
];

for (const [keyword, fits, fails, problem] of KEYWORDS) {
  test(`${JSON.stringify(keyword)} holds`, async () => {
    const parameters = { type: "object", properties: { p: keyword } };
    assert.equal(await findSchemaProblem(parameters, { p: fits }), undefined);
    assert.equal(await findSchemaProblem(parameters, { p: fails }), problem);
  });
}

test("a schema may say that it is of draft 7", async () => {
  const $schema = "http://json-schema.org/draft-07/schema#";
  const tuple = { $schema, type: "object", properties: { p: { items: [{ type: "string" }], additionalItems: false } } };
  assert.equal(await findSchemaProblem(tuple, { p: ["a"] }), undefined);
  assert.notEqual(await findSchemaProblem(tuple, { p: ["a", "b"] }), undefined);
  const { $schema: _, ...silent } = tuple;
  assert.equal(await findSchemaProblem(silent, { p: ["a"] }), undefined, "so may one that is valid in draft 7 only");
  const { problem } = await compileSchema({ ...tuple, $schema: "https://example.org/own" });
  assert.equal(problem, 'its "$schema" is https://example.org/own; supported are 2020-12, draft-07, 2019-09');
});

test("the value of a key that is named like a secret is not repeated", async () => {
  const named = { type: "object", properties: { api_key: { type: "integer" }, "a/b~c": { type: "integer" } } };
  assert.equal(await findSchemaProblem(named, { api_key: "s3cret" }), '"api_key" must be an integer, not a string');
  assert.equal(await findSchemaProblem(named, { "a/b~c": "x" }), '"a/b~c" must be an integer, not "x"');
});

test("each dialect checks", async () => {
  for (const dialect of ["draft/2020-12", "draft/2019-09", "draft-07", "draft-06"]) {
    const schema_ = { $schema: `http://json-schema.org/${dialect}/schema#`, type: "object", required: ["a"] };
    assert.equal(await findSchemaProblem(schema_, {}), '"a" is missing', dialect);
  }
});

test("an asynchronous schema is refused, because its promise looks like a yes", async () => {
  const { problem } = await compileSchema({ $async: true, type: "object", required: ["a"] });
  assert.match(problem ?? "", /\$async/);
});

test("schemas with the same $id do not meet", async () => {
  const one = { $id: "https://example.org/tool", type: "object", required: ["a"] };
  const other = { ...one, required: ["b"] };
  assert.equal(await findSchemaProblem(one, {}), '"a" is missing');
  assert.equal(await findSchemaProblem({ ...one, $ref: "#/gone" }, {}).then(Boolean), true);
  assert.equal(await findSchemaProblem(other, {}), '"b" is missing');
  const inner = (type: string) => ({
    type: "object",
    properties: { p: { $ref: "part" } },
    $defs: { part: { $id: "part", type } },
  });
  assert.equal(await findSchemaProblem(inner("string"), { p: 1 }), '"p" must be a string, not 1');
  assert.equal(await findSchemaProblem(inner("number"), { p: 1 }), undefined);
});

test("a schema cannot replace the one of its dialect", async () => {
  const thief = { $id: "https://json-schema.org/draft/2020-12/schema", type: "object", required: ["a"] };
  assert.match((await compileSchema(thief)).problem ?? "", /JSON Schema itself/);
  assert.match((await compileSchema({ type: 7 })).problem ?? "", /^"type" must be/);
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
  const { problem } = await compileSchema({ properties: { a: { type: "strin" } } });
  assert.match(problem ?? "", /^"properties\.a\.type" must be one of "array", .* not "strin"/);
});

test("never rejects, and an empty schema lets everything through", async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), async (any, value) => {
      await findSchemaProblem(any, value);
      assert.equal(await findSchemaProblem({}, value), undefined);
    }),
  );
});
