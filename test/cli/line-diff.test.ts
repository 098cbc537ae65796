/** The differences of two texts, as a terminal shows them. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { diffLines, hunksOf } from "#cli/chat/line-diff";

const lines = (text: string) => text.split("");
const shown = (before: string, after: string) =>
  diffLines(lines(before), lines(after))
    .map(({ kind, text }) => `${{ same: " ", removed: "-", added: "+" }[kind]}${text}`)
    .join("");

test("a diff holds both texts, and as few changes as possible", () => {
  const cases: readonly [before: string, after: string, diff: string][] = [
    ["", "", ""],
    ["", "ab", "+a+b"],
    ["ab", "", "-a-b"],
    ["abc", "abc", " a b c"],
    ["abc", "axc", " a-b+x c"],
    ["abcabba", "cbabac", "-a-b c+b a b-b a+c"],
  ];
  for (const [before, after, diff] of cases) assert.equal(shown(before, after), diff);
});

test("whatever changed, each side of a diff is one of the texts, with its line numbers", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 60 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = diffLines(before, after);
      const side = (kind: "removed" | "added") => diff.filter((line) => line.kind === "same" || line.kind === kind);
      assert.deepEqual(
        side("removed").map((line) => line.text),
        before,
      );
      assert.deepEqual(
        side("added").map((line) => line.text),
        after,
      );
      for (const { kind, text: content, line } of diff) {
        assert.equal((kind === "removed" ? before : after)[line - 1], content);
      }
    }),
  );
});

test("texts with nothing in common are removed and added as a whole", () => {
  const before = Array.from({ length: 3000 }, (_, index) => `old ${index}`);
  const after = Array.from({ length: 3000 }, (_, index) => `new ${index}`);
  const kinds = diffLines(before, after).map(({ kind }) => kind);
  assert.deepEqual(kinds, [...before.map(() => "removed"), ...after.map(() => "added")]);
});

test("hunks hold the changes with the lines around them, and near ones are one", () => {
  const diff = diffLines(lines("abcdefghijklmnop"), lines("aBcdefghijKlMnop"));
  assert.deepEqual(
    hunksOf(diff, 1).map((hunk) => hunk.map(({ text }) => text).join("")),
    ["abBc", "jkKlmMn"],
  );
});
