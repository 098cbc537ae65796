/** `api_server` and `Idempotency-Key`: a request that is sent again is answered once. */
import test from "node:test";
import assert from "node:assert/strict";
import { HermesError } from "#core/errors";
import { COST, end, OPENING, SESSION, show, TestInbox } from "../../helpers/inbox.ts";
import { chunksOf, contentOf, openBenchDatabase, startBench, type Bench } from "./api-server-bench.ts";

const KEY = { "idempotency-key": "once" };

interface Document {
  readonly id: string;
  readonly choices: readonly { readonly message: { readonly content: string; readonly reasoning_content?: string } }[];
}

async function documentOf(response: Response): Promise<Document> {
  assert.equal(response.status, 200);
  return (await response.json()) as Document;
}

/** Answers each message with its number. */
function count({ inbox }: Bench): void {
  inbox.answering = ({ reply }) => {
    show(reply, OPENING, { type: "reasoning", delta: "hm" }, COST);
    end(reply, `answer ${inbox.received.length}`);
  };
}

test("the same request gets the same answer again, streamed or not, also after a restart", async (t) => {
  const database = openBenchDatabase();
  const bench = await startBench(t, { database });
  count(bench);
  const response = await bench.ask({ user: "anna" }, KEY);
  assert.equal(response.headers.get("x-hermes-session-id"), SESSION);
  const first = await documentOf(response);
  assert.deepEqual(first.choices[0]?.message.content, "answer 1");
  const again = await bench.ask({ user: "anna" }, KEY);
  assert.equal(again.headers.get("x-hermes-session-id"), SESSION);
  assert.deepEqual(await documentOf(again), first);
  const later = await startBench(t, { database });
  const body = { stream: true, stream_options: { include_usage: true }, user: "anna" };
  const chunks = chunksOf(await (await later.ask(body, KEY)).text());
  assert.equal(contentOf(chunks), "answer 1");
  assert.equal(chunks[0]?.id, first.id);
  assert.deepEqual(chunks.at(-1)?.usage, { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 });
  assert.equal(bench.inbox.received.length + later.inbox.received.length, 1);
});

test("the order of keys in the body does not matter, its values do: another request is 422", async (t) => {
  const bench = await startBench(t);
  count(bench);
  const { url } = bench;
  const send = (body: string) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...KEY },
      body,
    });
  await documentOf(await send('{"model":"m","messages":[{"role":"user","content":"hello"}]}'));
  await documentOf(await send('{"messages":[{"content":"hello","role":"user"}],"model":"m"}'));
  for (const body of [
    '{"model":"m","messages":[{"role":"user","content":"other"}]}',
    '{"model":"m","messages":[{"role":"user","content":"hello"}],"temperature":1}',
  ]) {
    const refused = await send(body);
    assert.deepEqual([refused.status, refused.headers.get("x-should-retry")], [422, "false"]);
    const { error } = (await refused.json()) as { error: { code: string } };
    assert.equal(error.code, "idempotency_key_reused");
  }
  const input = { model: "m", input: "hello" };
  const elsewhere = await fetch(`${url}/v1/responses`, {
    method: "POST",
    headers: { "content-type": "application/json", ...KEY },
    body: JSON.stringify(input),
  });
  assert.equal(elsewhere.status, 422);
  assert.equal(bench.inbox.received.length, 1);
});

test("in another conversation, and with another key, it is another message", async (t) => {
  const bench = await startBench(t);
  count(bench);
  for (const [user, key] of [
    ["anna", "one"],
    ["ben", "one"],
    ["anna", "two"],
    ["", "one"],
  ] as const) {
    await bench.ask({ user }, { "idempotency-key": key });
  }
  assert.equal(bench.inbox.received.length, 4);
  assert.equal(new Set(bench.inbox.received.map(({ message }) => message.message_id)).size, 4);
});

test("a request joins the one that runs; both get the words", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { ask } = await startBench(t, {}, inbox);
  const first = ask({}, KEY);
  const [{ reply }] = (await inbox.count(1)) as [(typeof inbox.received)[0]];
  show(reply, OPENING, { type: "text", delta: "one " });
  const second = ask({ stream: true }, KEY);
  const reader = (await second).body!.pipeThrough(new TextDecoderStream()).getReader();
  let read = "";
  while (!read.includes('"one "')) read += (await reader.read()).value ?? "";
  assert.equal((await ask({ temperature: 2 }, KEY)).status, 422);
  show(reply, { type: "text", delta: "two" });
  end(reply, "one two");
  assert.equal((await documentOf(await first)).choices[0]?.message.content, "one two");
  for (let part = await reader.read(); !part.done; part = await reader.read()) read += part.value;
  assert.equal(contentOf(chunksOf(read)), "one two");
  assert.equal(inbox.received.length, 1);
});

test("a turn goes on while one of its clients waits, and is stopped when the last one has left", async (t) => {
  const inbox = new TestInbox(() => undefined);
  const { url } = await startBench(t, {}, inbox);
  const ask = (signal: AbortSignal) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...KEY },
      body: JSON.stringify({ stream: true, messages: [{ role: "user", content: "hello" }] }),
      signal,
    });
  const leaving = [new AbortController(), new AbortController()];
  const first = ask(leaving[0]!.signal);
  const [{ reply }] = (await inbox.count(1)) as [(typeof inbox.received)[0]];
  show(reply, OPENING, { type: "text", delta: "one" });
  await first;
  const second = await ask(leaving[1]!.signal);
  leaving[0]!.abort();
  const third = await ask(new AbortController().signal);
  assert.equal(reply?.signal?.aborted, false);
  leaving[1]!.abort();
  await assert.rejects(second.text());
  await third.body?.cancel();
  await new Promise((stopped) => reply?.signal?.addEventListener("abort", stopped, { once: true }));
  end(reply, null, new HermesError("HERMES_INTERRUPTED", {}));
  // The key is free again.
  inbox.answering = ({ reply: next }) => end(next, "again");
  assert.equal(contentOf(chunksOf(await (await ask(new AbortController().signal)).text())), "again");
});

test("after a failure, a stop or a shutdown the key is free again", async (t) => {
  const { ask, inbox } = await startBench(t);
  const failures: readonly HermesError[] = [
    new HermesError("HERMES_MODEL_REQUEST", { provider: "p", model: "m", problem: "status 500", advice: "" }),
    new HermesError("HERMES_INTERRUPTED", {}),
    new HermesError("HERMES_GATEWAY_STOPPED", {}),
  ];
  const statuses: number[] = [];
  for (const problem of failures) {
    inbox.answering = ({ reply }) => end(reply, null, problem);
    statuses.push((await ask({}, KEY)).status);
  }
  assert.deepEqual(statuses, [502, 200, 503]);
  inbox.answering = ({ reply }) => end(reply, "now");
  const contents = [await documentOf(await ask({}, KEY)), await documentOf(await ask({}, KEY))];
  assert.deepEqual(
    contents.map(({ choices }) => choices[0]?.message.content),
    ["now", "now"],
  );
  assert.equal(inbox.received.length, 4);
});

test("a message that a hook skipped stays skipped", async (t) => {
  const { ask, inbox } = await startBench(t, {}, new TestInbox(({ reply }) => end(reply, null)));
  const contents = [await documentOf(await ask({}, KEY)), await documentOf(await ask({}, KEY))];
  assert.deepEqual(
    contents.map(({ choices }) => choices[0]?.message.content),
    ["", ""],
  );
  assert.equal(inbox.received.length, 1);
});

test("an answer is kept for a day", async (t) => {
  const database = openBenchDatabase();
  const bench = await startBench(t, { database });
  count(bench);
  await bench.ask({}, KEY);
  const setAge = (hours: number) =>
    database
      .prepare("UPDATE api_answers SET created_at = ?")
      .run(new Date(Date.now() - hours * 3_600_000).toISOString());
  setAge(23.9);
  await bench.ask({}, KEY);
  assert.equal(bench.inbox.received.length, 1);
  setAge(24.1);
  await bench.ask({}, { "idempotency-key": "another" });
  assert.equal(database.prepare("SELECT count(*) AS n FROM api_answers").get()?.["n"], 1);
  await bench.ask({}, KEY);
  assert.equal(bench.inbox.received.length, 3);
});

test("an answer is deleted with its session", async (t) => {
  const database = openBenchDatabase();
  const bench = await startBench(t, { database });
  count(bench);
  await bench.ask({}, KEY);
  const kept = () => database.prepare("SELECT count(*) AS n FROM api_answers").get()?.["n"];
  assert.equal(kept(), 1);
  database.exec("DELETE FROM sessions");
  assert.equal(kept(), 0);
});

test("answers are kept in memory while state.db takes no rows", async (t) => {
  const database = openBenchDatabase();
  const bench = await startBench(t, { database });
  count(bench);
  database.exec("DROP TABLE api_answers");
  await bench.ask({}, KEY);
  assert.equal((await documentOf(await bench.ask({}, KEY))).choices[0]?.message.content, "answer 1");
  assert.ok(bench.lines.some((line) => line.includes("an answer cannot be kept in state.db")));
});
