import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { visible } from "#allowlist/visible";

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
