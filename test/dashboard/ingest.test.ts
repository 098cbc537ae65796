import assert from "node:assert/strict";
import { test } from "node:test";
import { TestDashboard } from "../helpers/dashboard.ts";

const FRAME = { event_type: "agent:start", context: { platform: "telegram", user_id: "u-1" }, src: "gateway" };

test("health answers without a token", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const { status, json } = await dashboard.get("/api/hooks/health");
  assert.equal(status, 200);
  assert.deepEqual(json(), { ok: true });
});

test("a frame is published to this process's handlers, marked as forwarded", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("agent:start");
  const { status, json } = await dashboard.ingest(FRAME);
  assert.equal(status, 200);
  assert.deepEqual(json(), { ok: true });
  assert.deepEqual(seen, [
    {
      event_type: "agent:start",
      context: { platform: "telegram", user_id: "u-1", _forwarded: true, _forwarded_from: "gateway" },
    },
  ]);
});

test("the marks are ours whatever the sender says", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("agent:start");
  await dashboard.ingest({ ...FRAME, context: { _forwarded: false, _forwarded_from: "me" } });
  assert.deepEqual(seen[0]?.context, { _forwarded: true, _forwarded_from: "gateway" });
});

test("handlers of a whole namespace see forwarded events", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("tui:*");
  const context = { session_id: "s-1", payload: { name: "search_files" } };
  await dashboard.ingest({ event_type: "tui:tool.start", context, src: "cli" });
  assert.deepEqual(
    seen.map(({ event_type }) => event_type),
    ["tui:tool.start"],
  );
});

test("a source that is missing or no text is a question mark", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("agent:start");
  for (const src of [undefined, 123, null, ["gateway"], ""]) {
    assert.equal((await dashboard.ingest({ ...FRAME, src })).status, 200);
  }
  assert.deepEqual(
    seen.map(({ context }) => context["_forwarded_from"]),
    ["?", "?", "?", "?", "?"],
  );
});

test("a handler that throws, or rejects, disturbs neither the answer nor the other handlers", async (t) => {
  const dashboard = await TestDashboard.start(t);
  dashboard.registry.register("agent:end", () => {
    throw new Error("no");
  });
  dashboard.registry.register("agent:end", () => Promise.reject(new Error("nor this")));
  const seen = dashboard.captured("agent:end");
  assert.equal((await dashboard.ingest({ event_type: "agent:end", context: {}, src: "gateway" })).status, 200);
  assert.equal(seen.length, 1);
  assert.equal(dashboard.failures.length, 2);
});

test("a context that is absent or null is empty", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("agent:start");
  for (const body of [{ event_type: "agent:start" }, { event_type: "agent:start", context: null }]) {
    assert.equal((await dashboard.ingest(body)).status, 200);
  }
  for (const { context } of seen) assert.deepEqual(context, { _forwarded: true, _forwarded_from: "?" });
});

const BAD: readonly (readonly [string, unknown, RegExp])[] = [
  ["no JSON", "not json", /JSON/],
  ["nothing", "", /JSON/],
  ["half a document", '{"event_type":"a:b"', /JSON/],
  ["a text", '"agent:start"', /object/],
  ["null", "null", /object/],
  ["a number", "7", /object/],
  ["no event_type", { context: {}, src: "gateway" }, /event_type/],
  ["an empty event_type", { event_type: "" }, /event_type/],
  ["an event_type that is no text", { event_type: 7 }, /event_type/],
  ["an event_type of 257 characters", { event_type: "x".repeat(257) }, /256/],
  ["an event_type of a megabyte", { event_type: "x".repeat(1024 * 1024) }, /256/],
  ["a context that is a text", { event_type: "a:b", context: "text" }, /context/],
  ["a context that is an empty text", { event_type: "a:b", context: "" }, /context/],
  ["a context that is a list", { event_type: "a:b", context: [] }, /context/],
  ["a context that is false", { event_type: "a:b", context: false }, /context/],
  ["a context that is 0", { event_type: "a:b", context: 0 }, /context/],
];

for (const [what, body, reason] of BAD) {
  test(`400 for a body that is ${what}`, async (t) => {
    const dashboard = await TestDashboard.start(t);
    const { status, json } = await dashboard.ingest(body);
    assert.equal(status, 400);
    assert.match(String(json()["detail"]), reason);
    assert.ok(!("accepted" in json()), "that is how a sender knows a dashboard without batches");
    assert.deepEqual(await dashboard.history(), []);
  });
}

test("400 for a body that is not UTF-8", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const body = Buffer.from('{"event_type": "a:b", "context": {"text": "caf\u00e9"}}', "latin1");
  const headers = { ...dashboard.bearer, "content-type": "application/json" };
  const { status } = await fetch(`${dashboard.url}/api/hooks/ingest`, { method: "POST", headers, body });
  assert.equal(status, 400);
  assert.deepEqual(await dashboard.history(), []);
});

test("256 characters are not too many, whatever their size in UTF-16", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const event_type of ["x".repeat(256), "🐎".repeat(256)]) {
    assert.equal((await dashboard.ingest({ event_type })).status, 200);
  }
  assert.equal((await dashboard.ingest({ event_type: "🐎".repeat(257) })).status, 400);
});

test("__proto__ is a name like any other", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("__proto__");
  assert.equal((await dashboard.ingest({ event_type: "__proto__", src: "__proto__" })).status, 200);
  assert.equal(seen.length, 1);
  const { json } = await dashboard.get("/api/status", dashboard.bearer);
  assert.equal((json()["sources"] as { src: string }[])[0]?.src, "__proto__");
});

test("keys that reach a prototype are dropped at every level, and the event stays", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("agent:start");
  const context = `{"a":1,"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},
    "list":[{"\\u005f_proto__":{"polluted":1},"b":2}],"deep":{"constructor":{"prototype":{},"name":"kept"}}}`;
  const { status } = await dashboard.ingest(`{"event_type":"agent:start","context":${context}}`);
  assert.equal(status, 200);
  const clean = { a: 1, list: [{ b: 2 }], deep: { constructor: { name: "kept" } } };
  assert.deepEqual(seen[0]?.context, { ...clean, _forwarded: true, _forwarded_from: "?" });
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.doesNotMatch(JSON.stringify(await dashboard.history()), /polluted/);
});

test("JSON with 100,000 levels is refused without harm", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const objects = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  assert.equal((await dashboard.ingest(deep)).status, 400);
  for (const value of [deep, objects]) {
    const { status, json } = await dashboard.ingest(`{"event_type":"a:b","context":{"x":${value}}}`);
    assert.equal(status, 400);
    assert.match(String(json()["detail"]), /nested deeper/);
  }
  // Brackets of a text are no levels, and neither is a wide document a deep one.
  assert.equal((await dashboard.ingest({ event_type: "a:b", context: { text: deep } })).status, 200);
  assert.equal(
    (await dashboard.ingest({ event_type: "a:b", context: { list: Array.from({ length: 100_000 }, () => []) } }))
      .status,
    200,
  );
  assert.equal((await dashboard.get("/api/hooks/health")).status, 200);
});

test("a body of nothing but brackets is refused before it is built", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const half = 4 * 1024 * 1024;
  const { status, json } = await dashboard.ingest("[".repeat(half) + "]".repeat(half));
  assert.equal(status, 400);
  assert.match(String(json()["detail"]), /nested deeper/);
});

test("413 for a frame of 10 MB; one of 7 MB is taken, and kept in a shorter form", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("a:b");
  const frame = (length: number) => ({ event_type: "a:b", context: { text: "x".repeat(length), n: 1 } });
  assert.equal((await dashboard.ingest(frame(10_000_000))).status, 413);
  assert.equal((await dashboard.ingest(frame(7_000_000))).status, 200);
  assert.equal(String(seen[0]?.context["text"]).length, 7_000_000);
  const [kept] = await dashboard.history();
  assert.ok(JSON.stringify(kept).length < 70_000);
  assert.equal(kept?.context["_truncated"], true);
  assert.equal(kept?.context["n"], 1);
  assert.match(String(kept?.context["text"]), /^x{1000}… \(7000000 characters\)$/);
});

test("415 for anything but JSON: a form of any web page could send it", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    const answer = await dashboard.ingest(JSON.stringify(FRAME), { ...dashboard.bearer, "content-type": type });
    assert.equal(answer.status, 415, type);
  }
  const packed = { ...dashboard.bearer, "content-encoding": "gzip" };
  assert.equal((await dashboard.ingest(FRAME, packed)).status, 415);
  const charset = { ...dashboard.bearer, "content-type": "application/json; charset=utf-8" };
  assert.equal((await dashboard.ingest(FRAME, charset)).status, 200);
  assert.equal((await dashboard.history()).length, 1);
});
