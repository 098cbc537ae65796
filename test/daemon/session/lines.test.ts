import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { LineSplitter } from "#daemon/session/lines";

function split(chunks: readonly Uint8Array[], mostBytes = 1000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter({
    mostBytes,
    onLine: (line) => lines.push(line),
    onTooLong: () => lines.push("!"),
  });
  for (const chunk of chunks) splitter.push(chunk);
  return lines;
}

test("lines are the same however the bytes are cut (property)", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), fc.integer({ min: 1, max: 7 }), (texts, size) => {
      const lines = texts.map((text) => text.replaceAll("\n", " "));
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const chunks = [];
      for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.subarray(start, start + size));
      assert.deepEqual(
        split(chunks, 10_000),
        lines.map((line) => Buffer.from(line).toString()),
      );
    }),
  );
});

test("a line may have so many bytes; a longer one ends everything, once", () => {
  assert.deepEqual(split([Buffer.from(`${"x".repeat(10)}\nnext\n`)], 10), ["x".repeat(10), "next"]);
  assert.deepEqual(split([Buffer.from("first\n"), Buffer.from("x".repeat(11)), Buffer.from("\nlater\n")], 10), [
    "first",
    "!",
  ]);
});
