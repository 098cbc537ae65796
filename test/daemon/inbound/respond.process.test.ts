/** `respond: script`: what a script may answer. */
import assert from "node:assert/strict";
import test from "node:test";
import { startInbound } from "../../helpers/inbound.ts";

/** The body is the script's output. */
const hooks = [{ respond: "script", dedup_header: "x-id" }];

const SHAPES: readonly (readonly [
  output: string,
  status: number,
  body: string,
  type: string | null,
  injected: readonly string[],
])[] = [
  ['{"status":201,"headers":{"X-A":"b","content-type":"text/css"},"body":"made"}', 201, "made", "text/css", []],
  ['{"body":"plain"}', 200, "plain", "text/plain; charset=utf-8", []],
  ['{"body":{"challenge":"abc"}}', 200, '{"challenge":"abc"}', "application/json; charset=utf-8", []],
  ['{"inject":"look at this"}', 200, "ok", "text/plain; charset=utf-8", ["look at this"]],
  ['{"status":202,"inject":"look"}', 202, "", null, ["look"]],
  ['{"status":204,"inject":"  "}', 204, "", null, []],
  ['{"challenge":"abc"}', 200, '{"challenge":"abc"}', "text/plain; charset=utf-8", []],
  ["just text\n", 200, "just text\n", "text/plain; charset=utf-8", []],
  ["[1]", 200, "[1]", "text/plain; charset=utf-8", []],
  ['{"status":', 200, '{"status":', "text/plain; charset=utf-8", []],
  [" \n", 204, "", null, []],
  ['{"status":404,"body":"who?"}', 404, "who?", "text/plain; charset=utf-8", []],
];
for (const [output, status, body, type, injected] of SHAPES) {
  test(`answers: ${output.trim()}`, async (t) => {
    const bench = await startInbound(t, { hooks });
    const answer = await bench.send("/", { body: output });
    assert.deepEqual([answer.status, answer.text, answer.headers.get("content-type")], [status, body, type]);
    assert.deepEqual(bench.inbox.texts(), injected);
  });
}

const UNSENDABLE = [
  '{"status":99}',
  '{"status":101}',
  '{"status":600}',
  '{"status":"200"}',
  '{"status":200.5}',
  '{"status":204,"body":"x"}',
  '{"headers":[]}',
  '{"headers":null}',
  '{"headers":{"a b":"c"}}',
  '{"headers":{"a":"b\\r\\nc: d"}}',
  '{"headers":{"a":{}}}',
  '{"headers":{"Content-Length":"3"}}',
  '{"headers":{"transfer-encoding":"chunked"}}',
  '{"inject":3}',
];
for (const output of UNSENDABLE) {
  test(`cannot be sent: ${output}`, async (t) => {
    const bench = await startInbound(t, { hooks });
    const answer = await bench.send("/", { body: output });
    assert.deepEqual([answer.status, answer.text], [500, "the script failed"]);
    assert.match(bench.records[0]?.detail ?? "", /its answer cannot be sent/);
    assert.deepEqual(bench.inbox.messages, []);
  });
}

test("bytes that are no text are sent as they are", async (t) => {
  const bench = await startInbound(t, { hooks });
  const body = Buffer.from([0xff, 0xfe, 0x00, 0x01]);
  const response = await fetch(bench.url, { method: "POST", body });
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), body);
});

test("several cookies are several headers", async (t) => {
  const bench = await startInbound(t, { hooks });
  const answer = await bench.send("/", { body: '{"headers":{"set-cookie":["a=1","b=2"]}}' });
  assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
});

test("an answer of an error is no success, so that its request may come again", async (t) => {
  const bench = await startInbound(t, { hooks });
  const send = (id: string, body: string) => bench.send("/", { body, headers: { "x-id": id } });
  assert.equal((await send("1", '{"status":503}')).status, 503);
  assert.equal((await send("1", '{"status":201}')).status, 201);
  assert.equal((await send("1", '{"status":201}')).text, "duplicate");
});
