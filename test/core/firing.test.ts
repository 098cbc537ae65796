import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { EVENTS } from "#core/events";
import { createFiring, deepFreeze, frozenCopy } from "#core/firing";

function assertFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  assert.ok(Object.isFrozen(value));
  for (const inner of Object.values(value)) assertFrozen(inner);
}

test("a frozen copy equals its source, is frozen all the way down and leaves the source as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = frozenCopy(value);
      assert.deepEqual(copy, value);
      assertFrozen(copy);
      if (typeof value === "object" && value !== null) assert.ok(!Object.isFrozen(value));
    }),
  );
});

test("freezing in place returns the same value, deeply frozen", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(deepFreeze(value), value);
      assertFrozen(value);
    }),
  );
});

test("a copy is not copied again, neither whole nor as a part", () => {
  const args = frozenCopy({ command: "ls", nested: { deep: [1] } });
  assert.equal(frozenCopy(args), args);
  assert.equal(frozenCopy({ args }).args, args);
});

test("somebody else's frozen object is copied: what it holds may still change", () => {
  const inner = { open: true };
  const shallow = Object.freeze({ inner });
  const copy = frozenCopy(shallow);
  inner.open = false;
  assert.equal(copy.inner.open, true);
});

test("__proto__ is a key like any other", () => {
  const copy = frozenCopy(JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>);
  assert.ok(Object.hasOwn(copy, "__proto__"));
  assert.equal((copy as { polluted?: boolean }).polluted, undefined);
});

test("a cycle and depth without end are an error, not a crash", () => {
  const cycle: Record<string, unknown> = {};
  cycle["self"] = cycle;
  assert.throws(() => frozenCopy(cycle), RangeError);
  assert.throws(() => deepFreeze(cycle), RangeError);
});

test("forms are made once per firing, and only when asked for", () => {
  const firing = createFiring("pre_tool_call", EVENTS.pre_tool_call.sample());
  const key = Symbol("form");
  let made = 0;
  const make = () => ++made;
  assert.equal(firing.form(key, make), 1);
  assert.equal(firing.form(key, make), 1);
  assert.equal(firing.frozen(), firing.frozen());
});

test("live fields come by reference, everything else frozen", () => {
  const gateway = { sent: 0 };
  const payload = { ...EVENTS.pre_gateway_dispatch.sample(), gateway };
  const frozen = createFiring("pre_gateway_dispatch", payload).frozen() as typeof payload;
  assert.equal(frozen.gateway, gateway);
  assertFrozen(frozen.event);
  assert.ok(Object.isFrozen(frozen));
});
