import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { formatMessageIds, messageId, parseMessageIds } from "#core/forward/message-ids";
import { covers, subjectOf } from "#core/forward/nats/subjects";

test("colons and dots separate tokens; what a token cannot have becomes _", () => {
  const subjects = [
    ["tui:tool.start", "p.cli.tui.tool.start"],
    ["agent:a b\t*>", "p.cli.agent.a_b___"],
    ["a::b", "p.cli.a._.b"],
    [".x:", "p.cli._.x._"],
    ["\u0000\u2028", "p.cli.__"],
    ["\ud800é", "p.cli.\ufffdé"],
  ];
  for (const [event, subject] of subjects) assert.equal(subjectOf("p", "cli", event!), subject);
  assert.equal(subjectOf("p.q", "my.bot 1", "a:b"), "p.q.my_bot_1.a.b");
  assert.equal(subjectOf("p", "", "a:b"), "p._.a.b");
});

const odd = fc.string({
  unit: fc.constantFrom(..."a9.:*>$_é \t\n".split(""), "\u0000", "\u0085", "\u2028", "\ud800", "\u{1f600}"),
});

test("whatever its name, an event has a subject that the stream takes", () => {
  fc.assert(
    fc.property(odd, odd, (src, event) => {
      const subject = subjectOf("hermes.events", src, event);
      assert.match(subject, /^hermes\.events(?:\.[^\s.*>\p{Cc}]+){2,}$/u);
      assert.ok(subject.isWellFormed());
    }),
  );
});

test("a stream takes all events if one of its subjects covers the prefix", () => {
  for (const subject of [">", "hermes.>", "hermes.events.>", "*.events.>", "*.*.>"])
    assert.ok(covers(subject, "hermes.events"), subject);
  for (const subject of ["hermes.events", "hermes.events.*", "hermes.events.cli.>", "other.>", "hermes.*", "*", ""])
    assert.ok(!covers(subject, "hermes.events"), subject);
});

test("the IDs of a request are a list of numbers with their sender", () => {
  assert.equal(formatMessageIds("a-1", [17, 18, 19, 42, 41, 7]), "a-1 17-19,42,41,7");
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 256 }), (numbers) => {
      const ids = parseMessageIds(formatMessageIds("a-1", numbers));
      assert.deepEqual(
        ids,
        numbers.map((number) => messageId("a-1", number)),
      );
    }),
  );
  for (const other of [undefined, "", "a", "a 1,", "a 5-3", "a 1-999999999", "a 1 2", ["a 1"], `${"x".repeat(65)} 1`])
    assert.deepEqual(parseMessageIds(other), []);
});
