import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { until } from "../helpers/poll.ts";
import { type EventReader, TestDashboard } from "../helpers/dashboard.ts";

const frame = (n: number, text = "") => ({ event_type: "agent:step", context: { n, text }, src: "gateway" });

async function send(dashboard: TestDashboard, count: number, text = "", start = 1): Promise<void> {
  for (let first = start; first < start + count; first += 250) {
    const size = Math.min(250, start + count - first);
    const { status } = await dashboard.ingest(Array.from({ length: size }, (_, index) => frame(first + index, text)));
    assert.equal(status, 200);
  }
}

async function numbers(reader: EventReader, count: number): Promise<readonly number[]> {
  const seen: number[] = [];
  while (seen.length < count) seen.push(Number((await reader.next()).context["n"]));
  return seen;
}

const range = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

test("events are streamed as they come, numbered", async (t) => {
  const dashboard = await TestDashboard.start(t);
  await send(dashboard, 2);
  const stream = await dashboard.stream(t);
  assert.equal(stream.response.status, 200);
  assert.match(stream.response.headers.get("content-type")!, /^text\/event-stream/);
  assert.equal(stream.response.headers.get("cache-control"), "no-store");
  await send(dashboard, 1, "", 3);
  const event = await stream.next();
  assert.equal(event.id, event.seq);
  assert.deepEqual(
    { ...event, at: "" },
    {
      id: 3,
      seq: 3,
      at: "",
      src: "gateway",
      event_type: "agent:step",
      context: { n: 3, text: "", _forwarded: true, _forwarded_from: "gateway" },
    },
  );
  assert.match(event.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test("a stream begins where it is asked to: after a number, after the last one seen, with the last so many", async (t) => {
  const dashboard = await TestDashboard.start(t);
  await send(dashboard, 600);
  assert.deepEqual(await numbers(await dashboard.stream(t, "?after=0"), 600), range(1, 600));
  assert.deepEqual(await numbers(await dashboard.stream(t, "?after=597"), 3), range(598, 3));
  assert.deepEqual(await numbers(await dashboard.stream(t, "?limit=2"), 2), range(599, 2));
  assert.deepEqual(await numbers(await dashboard.stream(t, "?after=10&limit=2"), 2), range(599, 2));
  // A browser that reconnects asks for the address it had at first, and says in the header what it has seen since.
  const again = await dashboard.stream(t, "?after=3", { ...dashboard.bearer, "last-event-id": "598" });
  assert.deepEqual(await numbers(again, 2), range(599, 2));
  // A number of the time before the database was deleted.
  const beyond = await dashboard.stream(t, "?after=99999");
  await send(dashboard, 1, "", 601);
  assert.deepEqual(await numbers(beyond, 1), [601]);
});

test("400 for a number that is none", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const query of ["?after=x", "?after=-1", "?limit=1.5", "?after=1&after=2", "?limit="]) {
    assert.equal((await dashboard.get(`/api/events${query}`, dashboard.bearer)).status, 400, query);
    const history = query.replaceAll("after", "before");
    assert.equal((await dashboard.get(`/api/history${history}`, dashboard.bearer)).status, 400, history);
  }
});

test("the history is read backwards, page by page", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const page = async (query: string) => {
    const { json } = await dashboard.get(`/api/history${query}`, dashboard.bearer);
    const { events, oldest } = json() as { events: { seq: number }[]; oldest: number | null };
    return { seqs: events.map(({ seq }) => seq), oldest };
  };
  assert.deepEqual(await page(""), { seqs: [], oldest: null });
  await send(dashboard, 1200);
  assert.deepEqual(await page("?limit=3"), { seqs: range(1198, 3), oldest: 1 });
  assert.deepEqual(await page("?before=1198&limit=2"), { seqs: range(1196, 2), oldest: 1 });
  assert.deepEqual(await page("?before=3"), { seqs: [1, 2], oldest: 1 });
  assert.deepEqual(await page("?before=1"), { seqs: [], oldest: 1 });
  assert.deepEqual(await page("?limit=5000"), { seqs: range(201, 1000), oldest: 1 });
  assert.deepEqual(await page("?limit=0"), { seqs: [], oldest: 1 });
});

test("a large event is streamed whole to whoever keeps up, and shortened to whoever comes later", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const stream = await dashboard.stream(t);
  const text = "x".repeat(300_000);
  await dashboard.ingest(frame(1, text));
  assert.equal((await stream.next()).context["text"], text);
  const later = await (await dashboard.stream(t, "?after=0")).next();
  assert.equal(later.context["_truncated"], true);
});

test("events of this process's own plugins are shown too, secrets taken out", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const stream = await dashboard.stream(t);
  await dashboard.registry.emit("agent:start", { note: "hunter2hunter2", api_key: "abc", n: 1n });
  const { src, context } = await stream.next();
  assert.equal(src, "dashboard");
  assert.deepEqual(context, { note: "[redacted]", api_key: "[redacted]", n: "1" });
});

test("a subscriber that reads nothing costs a bounded amount of memory, and hears of what it missed", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: { waitingBytes: 100_000 } });
  const socket = await dashboard.connect(t);
  socket.pause();
  const { token } = dashboard.dashboard;
  socket.write(`GET /api/events?after=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  // Twice what is kept, and far more than the kernel holds for a socket.
  await send(dashboard, 20_000, "x".repeat(1000));
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  socket.resume();
  await until(() => text.includes('"n":20000,'), "the slow one catches up");
  const dropped = Number(/event: dropped\ndata: \{"dropped":(\d+)\}/.exec(text)?.[1]);
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
  assert.ok(dropped > 0);
  assert.equal(ids.length + dropped, 20_000);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  );
});

test("a subscriber that takes nothing at all is disconnected in the end", async (t) => {
  const limits = { subscribers: 1, waitingBytes: 10_000, stalledMs: 100, keepAliveMs: 50 };
  const dashboard = await TestDashboard.start(t, { limits });
  const socket = await dashboard.connect(t);
  const { token } = dashboard.dashboard;
  socket.write(`GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await once(socket, "data");
  socket.pause();
  assert.equal((await dashboard.get("/api/events", dashboard.bearer)).status, 503);
  await send(dashboard, 5000, "x".repeat(4000));
  await untilStatus(t, dashboard, 200);
});

test("a quiet stream says now and then that it is alive", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: { keepAliveMs: 20 } });
  const stream = await dashboard.stream(t);
  const blocks = [await stream.block(), await stream.block(), await stream.block()];
  assert.deepEqual(blocks, ["retry: 1000", ": keep-alive", ": keep-alive"]);
});

test("503 for one subscriber too many; a place that is given up is free again", async (t) => {
  const dashboard = await TestDashboard.start(t, { limits: { subscribers: 2 } });
  const first = await dashboard.stream(t);
  await dashboard.stream(t);
  assert.equal((await dashboard.get("/api/events", dashboard.bearer)).status, 503);
  assert.equal((await dashboard.get("/api/events", dashboard.bearer)).status, 503);
  assert.equal(dashboard.log.filter((line) => line.includes("a stream was refused")).length, 1, "logged once a minute");
  first.close();
  await untilStatus(t, dashboard, 200);
});

test("streams end when the dashboard stops", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const stream = await dashboard.stream(t);
  await stream.block();
  await dashboard.dashboard.stop();
  assert.equal(await stream.block(), undefined);
});

async function untilStatus(t: TestContext, dashboard: TestDashboard, status: number): Promise<void> {
  await until(
    async () => (await dashboard.stream(t)).response.status === status,
    `a stream is answered with ${status}`,
  );
}
