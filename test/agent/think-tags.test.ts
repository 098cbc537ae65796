import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ThinkTags } from "#agent/models/think-tags";

function split(pieces: readonly string[]) {
  const tags = new ThinkTags();
  const all = [...pieces.map((piece) => tags.take(piece)), tags.end()];
  return {
    reasoning: all.map(({ reasoning }) => reasoning).join(""),
    content: all.map(({ content }) => content).join(""),
  };
}

/** The answer, and what it is split into. */
const ANSWERS: readonly (readonly [answer: string, reasoning: string, content: string])[] = [
  ["<think>\nHm.\n</think>\n\nHello!", "\nHm.\n", "Hello!"],
  ["\n<think>a < b, </thin is no end</think>\n Yes.  \n", "a < b, </thin is no end", "Yes.  \n"],
  ["<think></think>Hello!", "", "Hello!"],
  ["<think>cut off </thi", "cut off </thi", ""],
  ["<think>only</think>\n\n", "only", ""],
  ["The tag <think> begins it, </think> ends it.", "", "The tag <think> begins it, </think> ends it."],
  ["<thinking> is another tag", "", "<thinking> is another tag"],
  ["<think>a</think>b <think>c</think>", "a", "b <think>c</think>"],
  [" \n", "", " \n"],
  ["<thi", "", "<thi"],
  ["", "", ""],
];

for (const [answer, reasoning, content] of ANSWERS) {
  test(`${JSON.stringify(answer)} is split the same way, whatever the pieces are`, () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: answer.length }), (lengths) => {
        const pieces: string[] = [];
        for (let at = 0, next = 0; at < answer.length; at += lengths[next++]!) {
          pieces.push(answer.slice(at, at + lengths[next]!));
        }
        assert.deepEqual(split(pieces), { reasoning, content });
      }),
    );
  });
}
