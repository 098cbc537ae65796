import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseConfig } from "#core/home/config";
import { configuredEndpoints } from "#daemon/webhooks/endpoints";
import { samplePayload } from "#daemon/webhooks/samples";
import { findTemplateProblems, renderBody } from "#daemon/webhooks/transform";

const render = (transform: unknown, payload: object) =>
  JSON.parse(renderBody(transform, JSON.stringify(payload))) as unknown;

test("each text is rendered once, without escaping; everything else stays", () => {
  const prompt = `"quotes" <b> & {{event}}\n🦊`;
  const payload = { event: "task_completed", prompt, duration_seconds: 45, args: { a: [1] } };
  const transform = {
    text: "Done: {{prompt}} ({{duration_seconds}} s){{missing}}",
    list: ["{{{prompt}}}", 1, null, true],
    args: "{{args}}",
  };
  assert.deepEqual(render(transform, payload), {
    text: `Done: ${prompt} (45 s)`,
    list: [prompt, 1, null, true],
    args: '{"a":[1]}',
  });
});

test("without a transform the payload is sent as it is stored", () => {
  assert.equal(renderBody(undefined, '{"a": 1}'), '{"a": 1}');
});

test("whatever a value is, it arrives as it is and never as a template", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const text = value.toWellFormed();
      assert.deepEqual(render("{{v}}", { v: text }), text);
    }),
  );
});

const problems = async (yaml: string) => {
  const { values } = await parseConfig(yaml, "config.yaml", {});
  return configuredEndpoints(values.webhooks ?? {}).flatMap(findTemplateProblems);
};

test("a template's mistakes, and fields that no payload of the event has, are found", async () => {
  const at = (event: string, text: string) =>
    problems(`webhooks: { endpoints: { "${event}": { url: "http://a.example", transform: { text: "${text}" } } } }`);
  assert.deepEqual(await at("task_completed", "{{prompt}} {{result}} {{timestamp}} {{event}}"), []);
  assert.deepEqual(await at("post_tool_call", "{{tool_name}} {{args.path}} {{#args}}{{anything}}{{/args}}"), []);
  assert.deepEqual(await at("my-plugin:done", "{{anything}}"), []);
  assert.match((await at("task_completed", "{{status}}"))[0]!, /transform\.text: task_completed has no field "status"/);
  assert.match((await at("tool_called", "{{prompt"))[0]!, /transform\.text: Unclosed tag/);
});

test("a sample has the fields of the seed's payloads, and of any event", () => {
  assert.deepEqual(Object.keys(samplePayload("task_completed")).toSorted(), [
    "duration_seconds",
    "event",
    "prompt",
    "result",
    "task_id",
    "timestamp",
    "tokens_used",
    "tools_called",
  ]);
  assert.equal(samplePayload("agent:*")["event"], "agent:example");
  assert.equal(samplePayload("pre_tool_call")["tool_name"], "terminal");
});
