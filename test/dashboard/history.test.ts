import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { History, toJson, type KeptEvent } from "#dashboard/history";
import { shorten } from "#dashboard/shorten";

const event = (seq: number, context = "{}"): KeptEvent => ({
  seq,
  at: "",
  src: "s",
  event_type: "a:b",
  context,
  id: null,
});
const seqs = (events: readonly KeptEvent[]) => events.map(({ seq }) => seq);

test("whatever numbers there are, the history answers as a list would", () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 60 });
  const probe = fc.integer({ min: -2, max: 250 });
  fc.assert(
    fc.property(gaps, probe, fc.integer({ min: 0, max: 70 }), (steps, seq, limit) => {
      const history = new History();
      const list: number[] = [];
      for (const step of steps) list.push((list.at(-1) ?? 0) + step);
      for (const one of list) history.push(event(one));
      assert.equal(history.oldest, list[0] ?? null);
      assert.equal(history.last, list.at(-1) ?? 0);
      assert.deepEqual(seqs(history.after(seq, limit)), list.filter((one) => one > seq).slice(0, limit));
      const before = list.filter((one) => one < seq);
      assert.deepEqual(seqs(history.before(seq, limit)), before.slice(Math.max(0, before.length - limit)));
      const last = list.slice(Math.max(0, list.length - limit));
      assert.deepEqual(seqs(history.after(history.startOfLast(limit), 1000)), limit === 0 ? [] : last);
    }),
  );
});

test("the oldest go, and those that stay are found all the same", () => {
  const history = new History();
  for (let seq = 1; seq <= 35_000; seq++) history.push(event(seq));
  assert.equal(history.oldest, 25_001);
  assert.deepEqual(seqs(history.after(0, 2)), [25_001, 25_002]);
  assert.deepEqual(seqs(history.before(30_000, 2)), [29_998, 29_999]);
  assert.deepEqual(seqs(history.before(25_001, 2)), []);
  assert.equal(history.after(0, 100_000).length, 10_000);
});

test("an event is shown as JSON, whatever its names hold", () => {
  const shown = toJson({ seq: 7, at: "t", src: 'a"\n', event_type: "\\ \u2028", context: '{"a":[1]}', id: "i" });
  const expected = { seq: 7, at: "t", src: 'a"\n', event_type: "\\ \u2028", context: { a: [1] } };
  assert.deepEqual(JSON.parse(shown), expected);
  assert.ok(!shown.includes("\n"), "a newline would end a line of the stream");
});

test("a context is kept as it is up to 64 KiB, and shortened beyond", () => {
  const short = { text: "x".repeat(60_000) };
  assert.equal(shorten(short, JSON.stringify(short)), JSON.stringify(short));
  const contexts = [
    { session_id: "s", text: "x".repeat(100_000) },
    { session_id: "s", list: Array.from({ length: 50_000 }, (_, n) => n) },
    { session_id: "s", ["k".repeat(100_000)]: 1 },
    Object.fromEntries([["session_id", "s"], ...Array.from({ length: 20_000 }, (_, n) => [`key${n}`, "value"])]),
    { session_id: "s", text: "🐎".repeat(50_000) },
  ];
  for (const context of contexts) {
    const kept = shorten(context, JSON.stringify(context));
    assert.ok(kept.length <= 64 * 1024, `${kept.length}`);
    const parsed = JSON.parse(kept) as Record<string, unknown>;
    assert.equal(parsed["_truncated"], true);
    assert.equal(parsed["session_id"], "s");
  }
});
