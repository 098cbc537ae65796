/** `api_server` with `stream: true`: the order of chunks, keep-alives, errors, and that the stream ends with the answer. */
import test from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { HermesError } from "#core/errors";
import { streamWords } from "#gateway/adapters/api-server/streamed-text";
import { COST, end, OPENING, SESSION, show, TestInbox } from "../../helpers/inbox.ts";
import { chunksOf, contentOf, eventsOf, readUntil, startBench } from "./api-server-bench.ts";

const text = (delta: string) => ({ type: "text", delta });
const TOOL = { type: "tool_use", tool: "look", tool_id: "1", params: {} };

test("role first, then the words as they come, the reason, and [DONE]", async (t) => {
  const { ask, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, text("Good "), text("day."), { type: "assistant", content: "Good day." }, COST);
    end(reply, "Good day.");
  };
  const response = await ask({ stream: true });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(response.headers.get("cache-control"), "no-cache");
  assert.equal(response.headers.get("x-hermes-session-id"), SESSION);
  const chunks = chunksOf(await response.text());
  assert.deepEqual(
    chunks.map(({ choices }) => choices),
    [
      [{ index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }],
      [{ index: 0, delta: { content: "Good " }, logprobs: null, finish_reason: null }],
      [{ index: 0, delta: { content: "day." }, logprobs: null, finish_reason: null }],
      [{ index: 0, delta: {}, logprobs: null, finish_reason: "stop" }],
    ],
  );
  for (const chunk of chunks) {
    assert.deepEqual(Object.keys(chunk), ["id", "object", "created", "model", "choices"]);
    assert.equal(chunk.object, "chat.completion.chunk");
    assert.deepEqual([chunk.id, chunk.created, chunk.model], [chunks[0]?.id, chunks[0]?.created, "test-model"]);
  }
});

test("usage comes last when it is asked for, and is null before", async (t) => {
  const { ask, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, text("hi"), COST);
    end(reply, "hi");
  };
  const response = await ask({ stream: true, stream_options: { include_usage: true } });
  const chunks = chunksOf(await response.text());
  assert.deepEqual(chunks.at(-1)?.choices, []);
  assert.deepEqual(chunks.at(-1)?.usage, { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
  assert.ok(chunks.slice(0, -1).every(({ usage }) => usage === null));
});

test("reasoning is streamed in a field of its own, and left out when hooks may replace the answer", async (t) => {
  for (const streaming of [true, false]) {
    const { ask, inbox } = await startBench(t, { streaming: () => streaming });
    inbox.answering = ({ reply }) => {
      show(reply, OPENING, { type: "reasoning", delta: "Hm." }, text("Good day."), COST);
      show(reply, { type: "assistant", content: "Good day.", finish_reason: "length" });
      end(reply, "Good day.");
    };
    const chunks = chunksOf(await (await ask({ stream: true })).text());
    assert.deepEqual(
      chunks.map(({ choices }) => choices[0]?.delta),
      [
        { role: "assistant", content: "" },
        ...(streaming ? [{ reasoning_content: "Hm." }] : []),
        { content: "Good day." },
        {},
      ],
    );
    assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "length");
  }
});

test("words reach the client before the answer is complete", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { ask } = await startBench(t, {}, inbox);
  const asked = ask({ stream: true });
  const { reply } = (await inbox.count(1))[0]!;
  show(reply, OPENING, text("first"));
  const reader = (await asked).body!.pipeThrough(new TextDecoderStream()).getReader();
  let read = "";
  while (!read.includes("first")) read += (await reader.read()).value ?? "";
  end(reply, "first and last");
  for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value;
  assert.equal(contentOf(chunksOf(read)), "first and last");
});

test("a silent stream carries comments, which are not events", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { raw, port } = await startBench(t, { limits: { keepAliveMs: 20 } }, inbox);
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "x" }] });
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.0\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const { reply } = (await inbox.count(1))[0]!;
  let read = "";
  let ended = false;
  for await (const chunk of socket) {
    read += String(chunk);
    if (ended || read.split(": keep-alive").length < 4) continue;
    ended = true;
    end(reply, "late");
  }
  const [head = "", ...rest] = read.split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200 /);
  assert.ok(eventsOf(rest.join("")).filter((event) => event === ": keep-alive").length >= 3);
  assert.equal(contentOf(chunksOf(rest.join(""))), "late");
});

test("a failure after the first words is an event in the stream", async (t) => {
  const { ask, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, text("half of"));
    end(reply, null, new HermesError("HERMES_MODEL_STREAM_CUT", { provider: "p", model: "m" }));
  };
  const events = eventsOf(await (await ask({ stream: true })).text());
  const { error } = JSON.parse(events.at(-2)!) as { error: { code: string; type: string } };
  assert.deepEqual([error.code, error.type, events.at(-1)], ["HERMES_MODEL_STREAM_CUT", "server_error", "[DONE]"]);
});

test("an interrupted stream ends with what it showed", async (t) => {
  const { ask, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, text("half of"));
    end(reply, null, new HermesError("HERMES_INTERRUPTED", {}));
  };
  const chunks = chunksOf(await (await ask({ stream: true })).text());
  assert.equal(contentOf(chunks), "half of");
  assert.equal(chunks.at(-1)?.choices[0]?.finish_reason, "stop");
});

test("while a hook may change the answer, nothing is shown before it", async (t) => {
  const { ask, inbox } = await startBench(t, { streaming: () => false });
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, text("the secret is 42"));
    end(reply, "the secret is ***");
  };
  const chunks = chunksOf(await (await ask({ stream: true })).text());
  assert.deepEqual(
    chunks.map(({ choices }) => choices[0]?.delta),
    [{ role: "assistant", content: "" }, { content: "the secret is ***" }, {}],
  );
});

test("text before a tool call is separated from the answer", async (t) => {
  const { ask, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, text("Let me "), text("look."), TOOL, TOOL, text("It is "), text("there."));
    end(reply, "It is there.");
  };
  assert.equal(contentOf(chunksOf(await (await ask({ stream: true })).text())), "Let me look.\n\nIt is there.");
});

const CASES = [
  ["nothing streamed: a command's answer", [], "the help", "the help"],
  ["an answer that goes on", [text("a")], "ab", "ab"],
  ["an answer that a hook replaced after all", [text("abc")], "xyz", "abc\n\nxyz"],
  ["no words after the tool", [text("Looking."), TOOL], "Looking.", "Looking.\n\nLooking."],
  ["no words before the tool", [TOOL, text("Found.")], "Found.", "Found."],
  ["an empty answer", [TOOL], "", ""],
  ["an empty answer after words", [text("Looking."), TOOL], "", "Looking."],
] as const;

test("the stream always ends with the answer", () => {
  for (const [name, frames, answer, expected] of CASES) {
    let shown = "";
    const words = streamWords((more) => (shown += more), true);
    for (const frame of frames) words.take({ session_id: SESSION, ...frame } as never);
    words.finish(answer);
    assert.equal(shown, expected, name);
  }
});

test("whatever is streamed, what was shown ends with the answer", () => {
  const frame = fc.oneof(fc.string().map(text), fc.constant(TOOL));
  fc.assert(
    fc.property(fc.array(frame), fc.string(), fc.boolean(), fc.boolean(), (frames, other, isOther, live) => {
      let shown = "";
      const words = streamWords((more) => (shown += more), live);
      for (const one of frames) words.take({ session_id: SESSION, ...one } as never);
      const start = frames.findLastIndex(({ type }) => type === "tool_use") + 1;
      const own = frames.slice(start).map((one) => ("delta" in one ? one.delta : ""));
      const answer = isOther ? other : own.join("");
      words.finish(answer);
      assert.ok(shown.endsWith(answer));
      if (!live) assert.equal(shown, answer);
    }),
  );
});

test("a client that reads nothing does not make the answer grow without end", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { raw, port } = await startBench(t, {}, inbox);
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "x" }] });
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  socket.pause();
  const { reply } = (await inbox.count(1))[0]!;
  const mebibyte = "x".repeat(1024 * 1024);
  let sent = 0;
  while (!reply!.signal!.aborted && sent < 200) {
    show(reply, text(mebibyte));
    sent++;
    await new Promise((wake) => setImmediate(wake));
  }
  assert.ok(reply!.signal!.aborted, "the client was given up");
  end(reply, null);
});

test("a stream is one chunk a frame on the wire", async (t) => {
  const { raw, port, inbox } = await startBench(t);
  inbox.answering = ({ reply }) => {
    show(reply, text("ä"), text("\n\ndata: {}\n\n"), text("\u2028"));
    end(reply, "ä\n\ndata: {}\n\n\u2028");
  };
  const body = JSON.stringify({ stream: true, messages: [{ role: "user", content: "x" }] });
  const socket = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const read = await readUntil(socket);
  assert.equal(read.match(/^data: /gm)?.length, 6);
});
