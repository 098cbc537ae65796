import assert from "node:assert/strict";
import test from "node:test";
import { toolValue } from "#agent/mcp/tool-result";

const text = (value: string) => ({ type: "text", text: value });
const blob = Buffer.alloc(2_500_000).toString("base64");

const ANSWERS: readonly (readonly [answer: Record<string, unknown>, value: unknown])[] = [
  [{ content: [text("a"), text("b")] }, { result: "a\nb" }],
  [{ content: [] }, { result: "" }],
  [
    { content: [text("a")], structuredContent: { b: 1 } },
    { result: "a", structuredContent: { b: 1 } },
  ],
  [{ content: [text('{ "b": 1 }')], structuredContent: { b: 1 } }, { result: '{ "b": 1 }' }],
  [{ content: [text("a")], structuredContent: { content: "a" } }, { result: "a" }],
  [{ content: [], structuredContent: { b: 1 } }, { structuredContent: { b: 1 } }],
  [{ toolResult: [1] }, { structuredContent: [1] }],
  [{ content: [text("no")], isError: true, structuredContent: { b: 1 } }, { error: "no" }],
  [{ content: [text("  ")], isError: true }, { error: "the tool failed without saying why" }],
  [
    { content: [{ type: "image", mimeType: "image/png", data: blob }] },
    { result: "[image: image/png, 2.5 MB; not shown]" },
  ],
  [{ content: [{ type: "audio", data: "AAA=" }] }, { result: "[audio: unknown type, 2 bytes; not shown]" }],
  [
    { content: [{ type: "resource_link", uri: "file:///a", name: "a", mimeType: "text/plain", description: "the a" }] },
    { result: "[resource: a, file:///a, text/plain: the a]" },
  ],
  [{ content: [{ type: "resource", resource: { uri: "x://1", text: "t" } }] }, { result: "[resource: x://1]\nt" }],
  [
    { content: [{ type: "resource", resource: { uri: "x://1", mimeType: "application/pdf", blob: "AAAA" } }] },
    { result: "[resource: x://1, application/pdf, 3 bytes; not shown]" },
  ],
  [
    { content: [{ type: "video", url: "x" }, null, { text: "t" }] },
    {
      result:
        '[content of the unknown type "video"]\n[content that is not an object]\n[content of the unknown type null]',
    },
  ],
];
for (const [answer, value] of ANSWERS) {
  test(JSON.stringify(answer).slice(0, 100), () => assert.deepEqual(toolValue(answer), value));
}

test("an answer without a result is an error", () => {
  assert.throws(() => toolValue({ _meta: {} }), /the server's answer has no content/);
});
