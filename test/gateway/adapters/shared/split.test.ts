/** How answers are split into the messages of a platform. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { splitText } from "#gateway/adapters/shared/split";

test("pieces: where texts are cut", () => {
  assert.deepEqual(splitText("one two three", 8), ["one two", "three"]);
  assert.deepEqual(splitText("one\ntwo three", 9), ["one\ntwo", "three"]);
  assert.deepEqual(splitText("aaa bbb\nccc ddd", 12), ["aaa bbb", "ccc ddd"]);
  assert.deepEqual(splitText("aaa\n\nbb\ncc dd", 6), ["aaa", "bb\ncc", "dd"]);
  assert.deepEqual(splitText("aaaaaaaaaa", 4), ["aaaa", "aaaa", "aa"]);
  assert.deepEqual(splitText("😀😀😀", 3), ["😀", "😀", "😀"]);
  assert.deepEqual(splitText("  indented\n  code", 12), ["  indented", "  code"]);
  assert.deepEqual(splitText("half \ud83d pair", 99), ["half \ufffd pair"]);
  assert.deepEqual(splitText("", 99), []);
  assert.deepEqual(splitText("x".repeat(4096), 4096).length, 1);
  assert.deepEqual(
    splitText("x".repeat(4097), 4096).map(({ length }) => length),
    [4096, 1],
  );
});

test("pieces: none is too long or broken, and nothing but white space is lost", () => {
  const word = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom(" ", "\n", "\n\n", "😀", "x".repeat(30)));
  const text = fc.array(word, { maxLength: 60 }).map((words) => words.join(""));
  const solid = (value: string) => value.replaceAll(/\s/g, "");
  fc.assert(
    fc.property(text, fc.integer({ min: 2, max: 40 }), (value, longest) => {
      const pieces = splitText(value, longest);
      for (const piece of pieces) {
        assert.ok(piece.length <= longest && piece.trim() !== "" && piece.isWellFormed());
      }
      assert.equal(solid(pieces.join("")), solid(value));
    }),
  );
});

const code = (lines: number, language = "ts") =>
  [`\`\`\`${language}`, ...Array.from({ length: lines }, (_, index) => `line(${index});`), "```"].join("\n");

test("a code block that fits into a piece is whole", () => {
  const block = code(8);
  const words = "word ".repeat(20).trim();
  assert.deepEqual(splitText(`${words}\n${block}\nafter`, 150), [words, `${block}\nafter`]);
  const blank = block.replace("line(6);", "");
  assert.deepEqual(splitText(`${blank}\n${words}`, 120), [blank, words]);
  assert.deepEqual(splitText(`${block}\n\n${block}`, block.length), [block, block]);
});

test("a code block that is too long is closed and opened again, with its language", () => {
  const pieces = splitText(`before\n\n${code(60, "python")}\nafter`, 200);
  assert.equal(pieces[0], "before");
  assert.ok(pieces.length > 4);
  const blocks = pieces.slice(1).map((piece) => piece.replace(/\nafter$/, ""));
  for (const block of blocks) assert.match(block, /^```python\n(?:line\(\d+\);\n)+```$/);
  assert.deepEqual(
    blocks.flatMap((block) => block.split("\n").slice(1, -1)),
    Array.from({ length: 60 }, (_, index) => `line(${index});`),
  );
  assert.match(pieces.at(-1)!, /\nafter$/);
  assert.deepEqual(
    splitText(`\`\`\`\n${"x".repeat(250)}\n\`\`\``, 100).map(({ length }) => length),
    [100, 100, 74],
  );
});

test("what only looks like a code block is cut like other text; one that is never closed is closed", () => {
  assert.deepEqual(splitText("``` not `a` fence\nsome words here", 24), ["``` not `a` fence", "some words here"]);
  const pieces = splitText(`~~~sh\n${"echo hello\n".repeat(30)}`, 120);
  for (const piece of pieces.slice(0, -1)) assert.match(piece, /^~~~sh\n(?:echo hello\n)+~~~$/);
});

test("with code blocks, too, pieces fit and no code is lost", () => {
  const line = fc.constantFrom(
    "```",
    "```js",
    "~~~",
    "~~~~",
    "x = 1;",
    "",
    "y".repeat(70),
    "some words of text",
    "😀😀",
  );
  const text = fc.array(line, { maxLength: 40 }).map((lines) => lines.join("\n"));
  const solid = (value: string) => value.replaceAll(/[`~\s]|js/g, "");
  fc.assert(
    fc.property(text, fc.integer({ min: 20, max: 160 }), (value, longest) => {
      const pieces = splitText(value, longest);
      for (const piece of pieces) {
        assert.ok(piece.length <= longest && piece.trim() !== "" && piece.isWellFormed(), JSON.stringify(piece));
      }
      assert.equal(solid(pieces.join("\n")), solid(value));
    }),
  );
});
