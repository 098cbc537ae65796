/** The `eventsource` package, which reads event streams as browsers do, against a real gateway. */
import assert from "node:assert/strict";
import test from "node:test";
import { EventSource, type FetchLike } from "eventsource";
import { KEY, startClientBench } from "./client-bench.ts";

const text = "One line,\nanother one, \u2028 and 日本 👩‍👩‍👧.";

/** `EventSource` only sends GET requests; its `fetch` may do something else. */
function post(body: object): FetchLike {
  return (url, init) =>
    fetch(url, {
      ...init,
      method: "POST",
      headers: { ...init.headers, "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body: JSON.stringify(body),
    });
}

test("both streams are valid event streams", async (t) => {
  const { baseURL } = await startClientBench(t, [{ text }, { text }]);
  const messages = [{ role: "user", content: "hello" }];
  const chat = new EventSource(`${baseURL}/chat/completions`, { fetch: post({ messages, stream: true }) });
  t.after(() => chat.close());
  let said = "";
  await new Promise<void>((ended, failed) => {
    chat.addEventListener("error", (event) => failed(new Error(event.message)));
    chat.addEventListener("message", ({ data }) => {
      if (data === "[DONE]") return ended();
      said +=
        (JSON.parse(data as string) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? "";
    });
  });
  chat.close();
  assert.equal(said, text);

  const response = new EventSource(`${baseURL}/responses`, { fetch: post({ input: "hello", stream: true }) });
  t.after(() => response.close());
  said = "";
  const completed = await new Promise<string>((ended, failed) => {
    response.addEventListener("error", (event) => failed(new Error(event.message)));
    response.addEventListener("response.output_text.delta", ({ data }) => {
      said += (JSON.parse(data as string) as { delta: string }).delta;
    });
    response.addEventListener("response.completed", ({ data }) => ended(data as string));
  });
  assert.equal(said, text);
  assert.ok(completed.includes(JSON.stringify(text)));
});
