import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { TerminalFilter, terminalText } from "#core/terminal-text";

const ESC = "\u001b";

for (const [what, text, shown] of [
  ["newlines and tabs", "a\n\tb", "a\n\tb"],
  ["a title", `a${ESC}]0;owned\u0007b`, "ab"],
  ["a title that ends with ST", `a${ESC}]0;owned${ESC}\\b`, "ab"],
  ["the clipboard in C1 controls", "a\u009d52;c;b3duZWQ=\u009cb", "ab"],
  ["a cleared screen", `a${ESC}[2J${ESC}[Hb`, "ab"],
  ["a colour in C1 controls", "a\u009b38;5;1mb", "ab"],
  ["a device control string", `a${ESC}Pq#0${ESC}\\b`, "ab"],
  ["a reset", `a${ESC}cb`, "ab"],
  ["a character set", `a${ESC}(0b`, "ab"],
  ["bells, backspaces, nulls and DEL", "a\u0007\b\0\u007fb", "ab"],
  ["a line that is overwritten", "10%\r20%\r\ndone", "10%\n20%\ndone"],
  ["a cancelled sequence", `a${ESC}[3\u0018b`, "ab"],
  ["a sequence inside of a string", `a${ESC}]0;x${ESC}[31mb`, "ab"],
  ["a string without an end", `a${ESC}]0;hidden\nseen`, "a\nseen"],
  ["an escape behind an escape", `a${ESC}${ESC}[1mb`, "ab"],
  ["letters beyond ASCII behind an escape", `a${ESC}äb`, "aäb"],
] as const) {
  test(`a terminal gets ${what} as plain text`, () => assert.equal(terminalText(text), shown));
}

test("a sequence without an end hides no more than 4,096 characters", () => {
  const shown = terminalText(`${ESC}]0;${"x".repeat(10_000)} the end`);
  assert.ok(shown.endsWith("x the end"));
  assert.ok(shown.length > 5000);
});

const PIECES = [
  ESC,
  "[",
  "]",
  "0;",
  "m",
  "\\",
  "\u0007",
  "\r",
  "\n",
  "\t",
  "\u009b",
  "\u009c",
  "\u0090",
  "P",
  "(",
  "x",
  "é",
  "\0",
];

test("no control character but newline and tab is left, however the text is split", () => {
  const pieces = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string()), { maxLength: 40 });
  fc.assert(
    fc.property(pieces, (parts) => {
      const filter = new TerminalFilter();
      const shown = parts.map((part) => filter.take(part)).join("");
      assert.doesNotMatch(shown, /(?![\n\t])\p{Cc}/u);
      assert.equal(shown, terminalText(parts.join("")));
    }),
  );
});

test("text without control characters stays as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      fc.pre(!/\p{Cc}/u.test(text));
      assert.equal(terminalText(text), text);
    }),
  );
});
