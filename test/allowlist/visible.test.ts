import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { visible, visibleCommand, visibleLine } from "#allowlist/visible";

test("what a terminal would obey or hide is written out", () => {
  assert.equal(visible("a\u001b[2Kb"), "a\\x1b[2Kb");
  assert.equal(visible("x\ny\r\t\0"), "x\\ny\\r\\t\\0");
  assert.equal(visible("safe\u202Egnp.sh"), "safe\\u{202e}gnp.sh");
  assert.equal(visible("a\u200Bb\u00A0c\u009Bd"), "a\\u{200b}b\\xa0c\\x9bd");
  assert.equal(visible("\uD800"), "\\u{d800}");
  assert.equal(visible("ls -la ~/é/日本/😀"), "ls -la ~/é/日本/😀");
});

test("what comes out is one line without control characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) =>
      assert.doesNotMatch(visible(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u),
    ),
  );
});

test("characters without a glyph, blanks, fillers, selectors and tags are written out", () => {
  const hidden = [
    0x3164, 0x2800, 0x115f, 0x1160, 0xffa0, 0xfe0f, 0xfe00, 0x34f, 0x17b4, 0x180e, 0x200b, 0x200f, 0x202e,
  ];
  hidden.push(0x2060, 0x2066, 0x2069, 0x61c, 0xfeff, 0xad, 0xe0001, 0xe0061, 0xe0100, 0x1d159, 0x16fe4, 0x2003, 0x3000);
  for (const code of hidden) {
    const hex = code.toString(16);
    assert.equal(visible(`a${String.fromCodePoint(code)}b`), code < 0x100 ? `a\\x${hex}b` : `a\\u{${hex}}b`, hex);
  }
  assert.equal(visible("e\u0301"), "e\u0301", "an accent stays");
  assert.equal(visible("e\u0301\u0302\u0303\u0304\u0305"), "e\u0301\u0302\u0303\\u{304}\\u{305}", "a pile does not");
});

test("blanks that could hide a part of a command show", () => {
  assert.equal(visibleCommand("a b"), "a b");
  assert.equal(visibleCommand(" a  b "), "␣a␣␣b␣");
  assert.equal(visibleCommand(`echo${" ".repeat(6000)}; rm -rf ~`), "echo␣{6000}; rm -rf ~");
});

test("a line of a script keeps its indentation; wide gaps and line ends show", () => {
  assert.equal(visibleLine("\tif  x; then"), "    if  x; then");
  assert.equal(visibleLine(`true${" ".repeat(500)}; evil\r`), "true␣{500}; evil\\r");
  assert.equal(visibleLine("printf 'a\\tb'"), "printf 'a\\tb'");
});
