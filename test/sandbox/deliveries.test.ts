/** What observers say to the model, until the event that takes it. */
import assert from "node:assert/strict";
import test from "node:test";
import { EVENTS } from "#core/events";
import { createFiring } from "#core/firing";
import { deliveredAnswer, Deliveries } from "#sandbox/shell/deliveries";

const resultOf = (id: string) =>
  createFiring("transform_tool_result", { ...EVENTS.transform_tool_result.sample(), tool_call_id: id, result: "R" });

test("additions follow the result or what replaces it; for a message they are context", () => {
  const call = resultOf("a");
  const at = (delivery: object) => deliveredAnswer("transform_tool_result", call, delivery);
  assert.deepEqual(at({ addition: "A" }), { text: "R\n\nA" });
  assert.deepEqual(at({ replacement: "N", addition: "A" }), { text: "N\n\nA" });
  assert.deepEqual(at({ replacement: "" }), { text: "" });
  assert.equal(at({}), undefined);
  const message = createFiring("pre_llm_call", EVENTS.pre_llm_call.sample());
  assert.deepEqual(deliveredAnswer("pre_llm_call", message, { addition: "A" }), { context: "A" });
});

test("each call takes its own, in the order of the entries, and once; what nobody takes is dropped", () => {
  const deliveries = new Deliveries();
  const put = (id: string, index: number, delivery: object) =>
    deliveries.put("transform_tool_result", resultOf(id), index, delivery);
  put("a", 1, { replacement: "second", addition: "two" });
  put("a", 0, { replacement: "first", addition: "one" });
  put("b", 0, { addition: "other" });
  assert.deepEqual(deliveries.take(resultOf("a")), { replacement: "first", addition: "one\n\ntwo" });
  assert.equal(deliveries.has(resultOf("a")), false);
  assert.equal(deliveries.has(resultOf("b")), true);
  for (let call = 0; call < 100; call++) put(`c${call}`, 0, { addition: "x" });
  assert.equal(deliveries.has(resultOf("b")), false);
  assert.equal(deliveries.has(resultOf("c99")), true);
});
