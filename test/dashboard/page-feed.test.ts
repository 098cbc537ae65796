/** What the page's feed keeps, shows and finds. */
import test from "node:test";
import assert from "node:assert/strict";
import { parseEvent, rowOf } from "../../dashboard/page/events.js";
import { Feed, MOST_ROWS } from "../../dashboard/page/feed-state.js";
import { countActive, createMatcher, EVERYTHING } from "../../dashboard/page/filter.js";
import { hookKey } from "../../dashboard/page/hooks-state.js";
import { piecesOf, pretty } from "../../dashboard/page/json-text.js";

function row(seq: number, event_type = "agent:start", context: object = { message: `m${seq}` }, src = "cli") {
  const event = parseEvent(JSON.stringify({ seq, at: "2026-11-21T10:00:00.000Z", src, event_type, context }));
  assert.ok(event);
  return rowOf(event);
}

function seqs(feed: Feed): number[] {
  return Array.from({ length: feed.count }, (_, index) => feed.at(index)?.seq ?? Number.NaN);
}

test("a row has namespace, session, summary, and the context without the forward path's stamps", () => {
  const context = { session_id: "s1", payload: { text: "hello" }, _forwarded: true, _forwarded_from: "cli" };
  const shown = row(7, "tui:message.complete", context);
  assert.deepEqual(
    [shown.namespace, shown.session, shown.summary, shown.text],
    ["tui", "s1", "hello", '{"session_id":"s1","payload":{"text":"hello"}}'],
  );
});

test("any event type and any context makes a row", () => {
  const odd = [
    null,
    7,
    "text",
    [1, 2],
    {},
    { payload: null },
    { payload: [] },
    { session_id: { a: 1 } },
    { payload: "x" },
  ];
  const types = ["", ":", "__proto__", "constructor", "toString", "tui:", "tui:unknown", "my:own", "x".repeat(256)];
  const known = ["tui:session.info", "tui:tool.start", "tui:tool.complete", "tui:hook.complete", "tui:injected"];
  const more = [
    "tui:status.update",
    "tui:error",
    "tui:turn.complete",
    "agent:step",
    "command:__proto__",
    "gateway:startup",
  ];
  for (const type of [...types, ...known, ...more]) {
    for (const context of odd) {
      const shown = row(1, type, context as object);
      assert.equal(typeof shown.summary, "string");
      assert.ok(shown.summary.length <= 201 && !shown.summary.includes("\n"), shown.summary);
    }
  }
  assert.equal(row(1, "my:own").namespace, "other");
});

test("invalid events are ignored", () => {
  for (const data of ["", "nonsense", "null", "[]", "7", '{"seq":"1"}', '{"seq":1.5}', "{}"]) {
    assert.equal(parseEvent(data), undefined, data);
  }
});

test("summaries say what happened, the outcome of a hook first", () => {
  const hook = {
    event: "pre_tool_call",
    name: "~/hooks/no rm.sh",
    outcome: "block",
    cause: "timeout",
    duration_ms: 5003,
  };
  const cases: [string, object, string][] = [
    ["tui:hook.complete", { payload: hook }, "block (timeout): …/no rm.sh on pre_tool_call, 5.0 s"],
    ["tui:tool.start", { payload: { name: "terminal", params: { command: "ls\n-l" } } }, "terminal ls -l"],
    ["tui:tool.complete", { payload: { name: "patch", success: false, content: "no" } }, "patch failed: no"],
    ["tui:status.update", { payload: { input_tokens: 1204, output_tokens: 7 } }, "1,204 tokens in, 7 out"],
    ["tui:turn.complete", { payload: { interrupted: true, duration_ms: 64_000 } }, "interrupted, 1 min 04 s"],
    ["agent:step", { iteration: 2, tool_names: ["a", "b"] }, "request 2: a, b"],
    ["command:model", { command: "model", args: "x" }, "/model x"],
    ["my:own", { a: 1 }, '{"a":1}'],
  ];
  for (const [type, context, summary] of cases) assert.equal(row(1, type, context).summary, summary);
});

test("the newest come first, and only the last ones are kept", () => {
  const feed = new Feed();
  for (let seq = 1; seq <= MOST_ROWS + 2500; seq++) feed.add(row(seq));
  assert.equal(feed.size, MOST_ROWS);
  assert.equal(feed.count, MOST_ROWS);
  assert.deepEqual([feed.at(0)?.seq, feed.at(MOST_ROWS - 1)?.seq], [MOST_ROWS + 2500, 2501]);
  assert.equal(feed.at(MOST_ROWS), undefined);
  assert.equal(feed.indexOf(MOST_ROWS + 2400), 100);
  assert.equal(feed.indexOf(2500), -1);
});

test("a few big contexts do not fill the memory", () => {
  const feed = new Feed();
  for (let seq = 1; seq <= 50; seq++) feed.add(row(seq, "a:b", { big: "x".repeat(1024 * 1024) }));
  assert.ok(feed.size < 33 && feed.size > 20, String(feed.size));
  assert.equal(feed.at(0)?.seq, 50);
});

test("a paused list counts new events and loses only those that are no longer kept", () => {
  const feed = new Feed();
  for (let seq = 1; seq <= 5; seq++) feed.add(row(seq));
  feed.hold();
  for (let seq = 6; seq <= 8; seq++) feed.add(row(seq));
  assert.deepEqual([seqs(feed), feed.waiting], [[5, 4, 3, 2, 1], 3]);
  for (let seq = 9; seq <= MOST_ROWS + 3; seq++) feed.add(row(seq));
  assert.deepEqual([seqs(feed), feed.waiting], [[5, 4], MOST_ROWS - 2]);
  for (let seq = MOST_ROWS + 4; seq <= MOST_ROWS + 20; seq++) feed.add(row(seq));
  assert.deepEqual([seqs(feed), feed.waiting], [[], MOST_ROWS]);
  feed.release();
  assert.deepEqual([feed.count, feed.waiting, feed.at(0)?.seq], [MOST_ROWS, 0, MOST_ROWS + 20]);
});

test("a filter holds for what is there, for what comes, and for what waits", () => {
  const feed = new Feed();
  for (let seq = 1; seq <= 6; seq++) feed.add(row(seq, seq % 2 === 0 ? "tui:error" : "agent:start"));
  feed.setFilter({ ...EVERYTHING, namespaces: ["tui"] });
  feed.add(row(7, "agent:start"));
  feed.add(row(8, "tui:error"));
  assert.deepEqual(seqs(feed), [8, 6, 4, 2]);
  feed.hold();
  feed.add(row(9, "agent:start"));
  feed.add(row(10, "tui:error"));
  assert.equal(feed.waiting, 1);
  feed.setFilter(EVERYTHING);
  assert.deepEqual([feed.waiting, feed.count], [2, 8]);
  feed.clear();
  assert.deepEqual([feed.size, feed.last, feed.isHeld], [0, 0, false]);
});

test("every part of the filter must pass", () => {
  const shown = row(1, "tui:message.delta", { session_id: "s1", payload: { text: "Hello" } }, "gateway");
  const cases: [Partial<typeof EVERYTHING>, boolean][] = [
    [{}, true],
    [{ namespaces: ["tui", "agent"], source: "gateway", session: "s1", text: "hELLO" }, true],
    [{ namespaces: ["agent"] }, false],
    [{ source: "cli" }, false],
    [{ session: "s2" }, false],
    [{ text: "bye" }, false],
    [{ hook: hookKey({ event: "e", source: "shell", name: "n" }) }, false],
    [{ pieces: true }, true],
  ];
  for (const [part, passes] of cases) assert.equal(createMatcher({ ...EVERYTHING, ...part })(shown), passes);
  const run = row(2, "tui:hook.complete", { payload: { event: "e", source: "shell", name: "n", outcome: "pass" } });
  const only = (name: string) => createMatcher({ ...EVERYTHING, hook: hookKey({ event: "e", source: "shell", name }) });
  assert.deepEqual([only("n")(run), only("m")(run)], [true, false]);
});

test("text is found in the context as it was said, not as a pattern", () => {
  const said = 'a "quoted" \\ word\nin [brackets] (.*) für immer';
  const shown = row(1, "my:own", { deep: { said } });
  for (const text of ['"quoted"', "\\ word", "[brackets]", "(.*)", "FÜR IMMER", "my:OWN", " brackets "]) {
    assert.ok(createMatcher({ ...EVERYTHING, text })(shown), text);
  }
  for (const text of [".+", "[a-z]", "_forwarded"]) assert.ok(!createMatcher({ ...EVERYTHING, text })(shown), text);
});

test("the parts of a filter that hold something back are counted", () => {
  assert.equal(countActive(EVERYTHING), 0);
  assert.equal(countActive({ ...EVERYTHING, pieces: true }), 0, "it holds nothing back");
  assert.equal(countActive({ namespaces: ["tui"], source: "x", session: "y", text: "z", hook: "h", pieces: false }), 5);
  assert.equal(countActive({ ...EVERYTHING, text: "  " }), 0);
});

test("JSON is cut into pieces that add up to it", () => {
  const value = { key: 'a "string": yes', list: [1, -2.5e3, true, null], "": {} };
  const { pieces, isCut } = piecesOf(pretty(JSON.stringify(value)));
  assert.equal(pieces.map(({ text }) => text).join(""), JSON.stringify(value, null, 2));
  assert.equal(isCut, false);
  const kinds = pieces.filter(({ kind }) => kind !== "plain").map(({ kind }) => kind);
  assert.deepEqual(kinds, ["key", "string", "key", "number", "number", "word", "word", "key"]);
  const long = piecesOf(pretty(JSON.stringify({ many: Array.from({ length: 60_000 }, (_, index) => index) })));
  assert.equal(long.isCut, true);
  assert.ok(long.pieces.length < 4010);
});

const words = (seq: number, text: string, session_id = "s1", type = "tui:message.delta") =>
  row(seq, type, { session_id, payload: { text } });

/** What the list shows, newest first. */
function summaries(feed: Feed): string[] {
  return Array.from({ length: feed.count }, (_, index) => feed.at(index)?.summary ?? "");
}

test("the pieces of a text are one row that grows, until something else ends the text", () => {
  const feed = new Feed();
  feed.add(words(1, "Once "));
  feed.add(words(2, "Thinks", "s1", "tui:reasoning.delta"));
  feed.add(words(3, "Other", "s2"));
  feed.add(words(4, "upon a time"));
  assert.deepEqual(summaries(feed), ["Other", "Thinks", "Once upon a time  (2 pieces)"]);
  assert.deepEqual([feed.size, feed.at(2)?.seq, feed.at(2)?.pieces], [4, 1, 2]);
  assert.deepEqual(JSON.parse(feed.at(2)!.text), { session_id: "s1", payload: { text: "Once upon a time" } });
  feed.add(row(5, "tui:tool.start", { session_id: "s1", payload: { name: "terminal" } }));
  feed.add(words(6, "Again"));
  assert.deepEqual([feed.count, feed.at(0)?.summary, feed.last], [5, "Again", 6]);
  feed.setFilter({ ...EVERYTHING, pieces: true });
  assert.deepEqual(seqs(feed), [6, 5, 4, 3, 2, 1]);
  assert.equal(feed.at(2)?.summary, "upon a time");
});

test("a text that grows while the list is paused waits once, and a filter finds it when it has the words", () => {
  const feed = new Feed();
  feed.add(words(1, "one "));
  feed.hold();
  feed.add(words(2, "two "));
  feed.add(words(3, "x ", "s2"));
  feed.add(words(4, "y ", "s2"));
  assert.deepEqual([summaries(feed), feed.waiting], [["one two  (2 pieces)"], 1]);
  feed.release();
  feed.setFilter({ ...EVERYTHING, text: "two three" });
  assert.equal(feed.count, 0);
  feed.add(words(5, "three"));
  assert.deepEqual(summaries(feed), ["one two three  (3 pieces)"]);
});

test("a text that outgrows the list goes on in a new row", () => {
  const feed = new Feed();
  for (let seq = 1; seq <= MOST_ROWS + 1; seq++) feed.add(words(seq, "w "));
  assert.equal(feed.count, 0);
  feed.add(words(MOST_ROWS + 2, "on"));
  assert.deepEqual([summaries(feed), feed.size], [["on"], MOST_ROWS]);
});
