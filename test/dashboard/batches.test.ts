import assert from "node:assert/strict";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { TestDashboard } from "../helpers/dashboard.ts";
import { until } from "../helpers/poll.ts";

const frame = (n: number) => ({ event_type: "agent:step", context: { n }, src: "gateway" });

test("the frames of a batch are taken in their order", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const seen = dashboard.captured("agent:*");
  const { status, json } = await dashboard.ingest(Array.from({ length: 256 }, (_, n) => frame(n)));
  assert.equal(status, 200);
  assert.deepEqual(json(), { ok: true, accepted: 256 });
  assert.deepEqual(
    seen.map(({ context }) => context["n"]),
    Array.from({ length: 256 }, (_, n) => n),
  );
});

test("bad frames are named, the good ones around them are taken", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const batch = [frame(1), 7, frame(2), { event_type: "" }, { event_type: "a:b", context: [] }, null, [frame(9)]];
  const deep = `{"event_type":"a:b","context":{"deep":${"[".repeat(5000)}${"]".repeat(5000)}}}`;
  const { status, json } = await dashboard.ingest(`${JSON.stringify(batch).slice(0, -1)},${deep}]`);
  assert.equal(status, 200);
  assert.equal(json()["ok"], true);
  assert.equal(json()["accepted"], 2);
  const rejected = json()["rejected"] as { index: number; error: string }[];
  assert.deepEqual(
    rejected.map(({ index }) => index),
    [1, 3, 4, 5, 6, 7],
  );
  for (const { error } of rejected) assert.match(error, /object|event_type|deeper/);
  assert.deepEqual(
    (await dashboard.history()).map(({ context }) => context["n"]),
    [1, 2],
  );
});

test("400 with none accepted for a batch without a good frame", async (t) => {
  const dashboard = await TestDashboard.start(t);
  for (const batch of [["this", "is", "an", "array"], [], [{ event_type: 1 }]]) {
    const { status, json } = await dashboard.ingest(batch);
    assert.equal(status, 400);
    assert.equal(json()["accepted"], 0);
    assert.equal((json()["rejected"] as unknown[]).length, batch.length);
  }
  assert.match(String((await dashboard.ingest(["text"])).json()["detail"]), /object/);
});

test("413 for more than 256 frames or more than 1 MiB, and nothing of it is taken", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const tooMany = await dashboard.ingest(Array.from({ length: 257 }, (_, n) => frame(n)));
  const large = { event_type: "a:b", context: { text: "x".repeat(300_000) } };
  const tooLarge = await dashboard.ingest([large, large, large, large]);
  for (const { status, json } of [tooMany, tooLarge]) {
    assert.equal(status, 413);
    assert.equal(json()["accepted"], 0);
  }
  assert.deepEqual(await dashboard.history(), []);
  assert.equal((await dashboard.ingest([large, large, large])).json()["accepted"], 3);
});

test("the dropped count that a sender reports is kept, once per sender", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const dropped = async () => {
    const { json } = await dashboard.get("/api/status", dashboard.bearer);
    return (json()["sources"] as { src: string; dropped: number }[]).map((one) => [one.src, one.dropped]);
  };
  const [first, second, third] = [await sender(t, dashboard), await sender(t, dashboard), await sender(t, dashboard)];
  await first.send("gateway", "3");
  await first.send("gateway", "5");
  await second.send("gateway", "2");
  await third.send("cli", "nonsense");
  assert.deepEqual(await dropped(), [
    ["cli", 0],
    ["gateway", 7],
  ]);
  // One that connects again goes on with its total.
  await first.close();
  // The server hears of a closed connection in its own time.
  await until(async () => {
    const again = await sender(t, dashboard);
    await again.send("gateway", "6");
    await again.close();
    return JSON.stringify(await dropped()) === '[["cli",0],["gateway",8]]';
  }, "the count is right");
});

/** A process that sends over one connection of its own. */
async function sender(t: TestContext, dashboard: TestDashboard) {
  const socket = await dashboard.connect(t);
  return {
    async send(src: string, total: string): Promise<void> {
      const body = JSON.stringify({ ...frame(1), src });
      const headers = [
        "POST /api/hooks/ingest HTTP/1.1",
        "Host: localhost",
        `Authorization: Bearer ${dashboard.dashboard.token}`,
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
        `X-Hermes-Dropped: ${total}`,
      ];
      socket.write(`${headers.join("\r\n")}\r\n\r\n${body}`);
      const [answer] = (await once(socket, "data")) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1.1 200 /);
    },
    async close(): Promise<void> {
      socket.end();
      await once(socket, "close");
    },
  };
}
