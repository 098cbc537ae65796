/** Frames between the program and the processes of isolates, and what is believed of what comes in them. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { type BinaryFrame, encodeFrame, FrameReader } from "#core/binary-frames";
import { readAnswer } from "#sandbox/isolate/answer";
import { describeRejection, readDescription, sentenceOf } from "#sandbox/isolate/problem";
import type { ToHost } from "#sandbox/isolate/wire";

test("frames arrive whole and in order, however they are cut", () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(texts, fc.array(fc.nat(200), { minLength: 1 }), (bodies, cuts) => {
      const bytes = Buffer.concat(bodies.map((body, run) => encodeFrame(runOf(run), body)));
      const reader = new FrameReader<ToHost>();
      const frames: BinaryFrame<ToHost>[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const end = at + 1 + (cuts[turn % cuts.length] ?? 0);
        frames.push(...reader.read(bytes.subarray(at, end)));
        at = end;
      }
      assert.deepEqual(
        frames,
        bodies.map((body, run) => ({ message: runOf(run), body: body.toWellFormed() })),
      );
    }),
  );
});

test("a frame that is too large is neither written nor read", () => {
  assert.throws(() => encodeFrame({ type: "end", guest: 1 }, "x".repeat(9_000_000)), RangeError);
  const huge = Buffer.alloc(8);
  huge.writeUInt32BE(0xffffffff, 0);
  assert.throws(() => [...new FrameReader<ToHost>().read(huge)], RangeError);
  const headless = Buffer.alloc(12);
  headless.writeUInt32BE(8, 0);
  headless.writeUInt32BE(100, 4);
  assert.throws(() => [...new FrameReader<ToHost>().read(headless)], RangeError);
});

test("an answer is bounded in size and depth, and changes no prototype", () => {
  const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  assert.deepEqual(readAnswer(`{"a":["[[[",{"b":"\\\\\\""}]}`), { a: ["[[[", { b: '\\"' }] });
  assert.ok(readAnswer(nested(100)));
  assert.throws(() => readAnswer(nested(101)), /nested more than 100 levels deep/);
  assert.throws(() => readAnswer(nested(400_000)), /nested more than 100 levels deep/);
  assert.ok(readAnswer(`["${"[".repeat(1000)}"]`), "brackets in a text are none");
  assert.throws(() => readAnswer(`"${"é".repeat(600_000)}"`), /larger than 1048576 bytes/);
  assert.throws(() => readAnswer("nonsense"), SyntaxError);
  for (const key of ["__proto__", "\\u005f_proto__", "__prot\\u006F__"]) {
    const answer = readAnswer(`{"${key}":{"polluted":true},"kept":{"${key}":1,"x":2}}`) as Record<string, unknown>;
    assert.deepEqual(Object.keys(answer), ["kept"]);
    assert.deepEqual(answer["kept"], { x: 2 });
  }
});

test("problems name the handler's file and line", () => {
  const stack = "Error: no\n    at hermes:guest:1:2\n    at inner (lib/a b.ts:1:42)\n    at handler.ts:2:7";
  assert.equal(sentenceOf("Error", "no", stack), "no (lib/a b.ts:1:42)");
  assert.equal(sentenceOf("TypeError", "no", "TypeError: no\n    at handler.ts:2:7"), "TypeError: no (handler.ts:2:7)");
  assert.equal(sentenceOf("SyntaxError", "bad [x.js:2:9]", stack), "SyntaxError: bad (x.js:2:9)");
  assert.equal(sentenceOf("Error", "no", "Error: no\n    at file:///x.ts:1:1\n    at (<isolated-vm boundary>)"), "no");
  assert.equal(sentenceOf("", "x".repeat(5000), "").length, 2049);
  assert.equal(readDescription('["RangeError","far","    at f (handler.ts:1:1)"]'), "RangeError: far (handler.ts:1:1)");
  assert.equal(readDescription("forged"), "forged");
  assert.equal(describeRejection("text"), 'it threw "text"');
  assert.equal(describeRejection(undefined), "it threw undefined");
  assert.equal(describeRejection({ message: 5, stack: null }), "an error without a message");
});

function runOf(run: number): ToHost {
  return { type: "run", guest: 1, run, event: "é", remainingMs: 1 };
}
