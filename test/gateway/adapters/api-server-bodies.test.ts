/** `api_server`: bodies that are invalid, hostile, too large or not JSON, over real HTTP. */
import test from "node:test";
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { errorOf, readUntil, startBench } from "./api-server-bench.ts";

const IMAGE = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=", detail: "low" } };
const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
const before = (message: object) => ({ messages: [message, { role: "user", content: "x" }] });
const BAD: readonly (readonly [body: unknown, message: RegExp, headers?: Record<string, string>])[] = [
  [[], /must be a JSON object/],
  ["text", /must be a JSON object/],
  [null, /must be a JSON object/],
  [{}, /messages must be a list/],
  [{ messages: [] }, /messages must be a list/],
  [{ messages: ["hi"] }, /messages\[0\]: the last message must be a user message/],
  [{ messages: [{ role: "assistant", content: "x" }] }, /messages\[0\]: the last message must be a user message/],
  [{ messages: [{ role: "assistant", content: "x" }], user: "u" }, /must contain a user message/],
  [user(null), /messages\[0\]\.content must be a string or a list of parts/],
  [user(3), /messages\[0\]\.content must be a string/],
  [user(""), /messages\[0\]\.content is empty/],
  [user([]), /messages\[0\]\.content is empty/],
  [
    user([{ type: "image_url", image_url: { url: "data:," } }]),
    /messages\[0\]\.content\[0\]: this is not a data URL of an image/,
  ],
  [user([{ type: "text" }]), /messages\[0\]\.content\[0\]: parts of type "text" are not supported/],
  [user(["x"]), /messages\[0\]\.content\[0\]: parts are not supported/],
  [before({ role: "king", content: "x" }), /messages\[0\]\.role must be system/],
  [before({ role: "function", content: "x" }), /messages\[0\]\.name must be the name of the function/],
  [before({ role: "system", content: [IMAGE] }), /messages\[0\]\.content: only user messages can have images/],
  [user([{ type: "image_url", image_url: { url: "https://example.com/a.png" } }]), /hermes does not fetch images/],
  [user([{ type: "image_url", image_url: { url: "data:text/html;base64,AAAA" } }]), /not a data URL of an image/],
  [user([{ type: "image_url", image_url: {} }]), /image_url must have the image as a data URL/],
  [user([{ type: "input_audio", input_audio: {} }]), /parts of type "input_audio" are not supported/],
  [before({ role: "tool", content: "x" }), /messages\[0\]\.tool_call_id/],
  [before({ role: "assistant", tool_calls: [{ id: 1 }] }), /messages\[0\]\.tool_calls\[0\]/],
  [before({ role: "assistant", tool_calls: {} }), /messages\[0\]\.tool_calls must be a list/],
  [{ ...user("x"), stream: "yes" }, /stream must be true or false/],
  [{ ...user("x"), stream: true, stream_options: { include_usage: 1 } }, /include_usage must be true or false/],
  [{ ...user("x"), user: 7 }, /user must be a string/],
  [{ ...user("x"), user: "x".repeat(201) }, /user is longer than 200/],
  [{ ...user("x"), user: "a\nb" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "\u200d" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "a\u{e0067}" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "a\u202eb" }, /user must only contain printable characters/],
  [{ ...user("x"), user: "a\ud800" }, /user must only contain printable characters/],
  [user("x"), /X-Hermes-Session-Id is longer than 200/, { "x-hermes-session-id": "x".repeat(201) }],
  [user("x"), /X-Hermes-Session-Id must only contain printable/, { "x-hermes-session-id": "a\tb" }],
  [user("x"), /Idempotency-Key is longer/, { "idempotency-key": "x".repeat(201) }],
];

test("an invalid request is refused with the reason, and no turn starts", async (t) => {
  const { url, inbox } = await startBench(t);
  for (const [body, message, headers] of BAD) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    const error = await errorOf(response);
    assert.equal(error.status, 400, JSON.stringify(body));
    assert.match(error.message, message);
    assert.equal(error.type, "invalid_request_error");
    assert.equal(error.param, null);
  }
  assert.equal(inbox.received.length, 0);
});

test("hostile bodies: no JSON, none, brackets without end, keys that poison", async (t) => {
  const { url, inbox } = await startBench(t);
  const send = (body: string, type = "application/json") =>
    fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": type }, body });
  assert.equal((await errorOf(await send("{"))).status, 400);
  assert.match((await errorOf(await send(""))).message, /empty/);
  const deep = `{"messages":[{"role":"user","content":"x"}],"deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  assert.match((await errorOf(await send(deep))).message, /nested deeper than 64/);
  const poisoned = `{"__proto__":{"stream":true},"constructor":{"prototype":{"stream":true}},"messages":[{"role":"user","content":"x","__proto__":{"a":1}}]}`;
  const answered = await send(poisoned);
  assert.equal(answered.status, 200);
  assert.match(answered.headers.get("content-type") ?? "", /^application\/json/);
  assert.equal(({} as Record<string, unknown>)["stream"], undefined);
  assert.equal(inbox.received.length, 1);
});

test("a body of more than 8 MiB is 413, one of nearly that much is taken", async (t) => {
  const { ask, inbox, raw, port } = await startBench(t);
  const large = "x".repeat(8 * 1024 * 1024 - 1000);
  assert.equal((await ask(user(large))).status, 200);
  assert.equal(inbox.received[0]?.message.text.length, large.length);
  // Said at once, by the length alone.
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: 8388609\r\n\r\n`,
  );
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.match(answer, /"code":"body_too_large"/);
});

test("a client that sends its large body to the end gets the answer all the same", async (t) => {
  const { raw, port } = await startBench(t);
  const body = "x".repeat(24 * 1024 * 1024);
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  await new Promise<void>((sent, failed) => {
    socket.once("error", failed);
    socket.write(body, () => sent());
  });
  assert.match(await readUntil(socket, "body_too_large"), /^HTTP\/1\.1 413 /);
});

test("only JSON is taken, and the answer to anything else says so", async (t) => {
  const { url, inbox } = await startBench(t);
  const body = JSON.stringify(user("x"));
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": type },
      body: Buffer.from(body),
    });
    const error = await errorOf(response);
    assert.equal(error.status, 415, type);
    assert.match(error.message, /content-type: application\/json/);
  }
  assert.equal(inbox.received.length, 0);
});

test("a compressed body is 415", async (t) => {
  const { url, inbox } = await startBench(t);
  const body = gzipSync(JSON.stringify(user("x")));
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const refused = await errorOf(await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body }));
  assert.deepEqual([refused.status, refused.code], [415, "unsupported_media_type"]);
  assert.match(refused.message, /compressed \(content-encoding: gzip\)/);
  assert.equal(inbox.received.length, 0);
});
