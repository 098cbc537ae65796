import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";

const parse = (text: string) => parseConfig(text, "/home/config.yaml", {});

test("hook events, gateway events and whole namespaces can be recorded", async () => {
  const { values, warnings } = await parse(
    "record: { enabled: true, events: [pre_tool_call, 'agent:end', 'session:*'], keep_days: 3, max_mb: 1.5 }",
  );
  assert.deepEqual(warnings, []);
  assert.deepEqual(values.record?.events, ["pre_tool_call", "agent:end", "session:*"]);
});

const REFUSED: readonly (readonly [text: string, problem: RegExp])[] = [
  ["{ enabled: sure }", /record\.enabled/],
  ["{ events: [pre_toolcall] }", /record\.events\[0\].*pre_tool_call/],
  ["{ events: ['*'] }", /record\.events\[0\]/],
  ["{ keep_days: -1 }", /record\.keep_days/],
  ["{ max_mb: 0 }", /record\.max_mb/],
];
for (const [text, problem] of REFUSED) {
  test(`refused: record: ${text}`, async () => {
    await assert.rejects(parse(`record: ${text}`), (error: Error) => {
      assert.match(error.message, problem);
      return true;
    });
  });
}

test("an unknown key is named, with the one that was meant", async () => {
  const { warnings } = await parse("record: { keepdays: 3 }");
  assert.match(warnings.join(), /record\.keepdays.*"keep_days"/);
});
