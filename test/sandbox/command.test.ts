import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import fc from "fast-check";
import { parseCommand, splitWords } from "#sandbox/shell/command";

/** What Python 3's `shlex.split(text)` gives; a string is the reason why it raises ValueError. */
const TABLE: readonly (readonly [string, readonly string[] | string])[] = [
  ["a b  c", ["a", "b", "c"]],
  ["  a\t\r\nb ", ["a", "b"]],
  ["", []],
  ["a\x0bb", ["a\x0bb"]],
  ["\u00a0x y", ["\u00a0x", "y"]],
  ["''", [""]],
  ['""x', ["x"]],
  ["a'b c'd", ["ab cd"]],
  [`'a'"b"c`, ["abc"]],
  ["a\\ b", ["a b"]],
  ["a\\\nb", ["a\nb"]],
  ['"a\\\nb"', ["a\\\nb"]],
  ['"\\$x \\` \\n"', ["\\$x \\` \\n"]],
  ['"\\"\\\\"', ['"\\']],
  ["'\\'", ["\\"]],
  ["\\'", ["'"]],
  [`"a\\'b"`, ["a\\'b"]],
  ["a#b # c", ["a#b", "#", "c"]],
  ["a;b|c&&d>e $(f) *", ["a;b|c&&d>e", "$(f)", "*"]],
  ["é 😀", ["é", "😀"]],
  ["a\\😀", ["a😀"]],
  ["'a", "unbalanced quote (')"],
  ['a "b', 'unbalanced quote (")'],
  ['"\\"', 'unbalanced quote (")'],
  ["a\\", "it ends with a backslash that escapes nothing"],
  ['"a\\', "it ends with a backslash that escapes nothing"],
];

for (const [text, expected] of TABLE) {
  test(`splits ${JSON.stringify(text)} as shlex does`, () => {
    assert.deepEqual(splitWords(text), expected);
  });
}

test("words in single quotes come back as they were", () => {
  const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (words) => {
      assert.deepEqual(splitWords(words.map(quote).join(" ")), words);
    }),
  );
});

test("agrees with the machine's own shlex on hostile text", (context) => {
  const unit = fc.constantFrom("'", '"', "\\", " ", "\n", "\t", "a", "#", "$", "~", "é", "\u00a0");
  const texts = fc.sample(fc.string({ unit, maxLength: 12 }), { numRuns: 2000, seed: 7 });
  const program = `import json,shlex,sys
def split(text):
    try: return shlex.split(text)
    except ValueError: return None
print(json.dumps([split(text) for text in json.load(sys.stdin)]))`;
  const python = spawnSync("python3", ["-c", program], { input: JSON.stringify(texts), encoding: "utf8" });
  if (python.error !== undefined) return context.skip("there is no python3 to compare with");
  const expected = JSON.parse(python.stdout) as (string[] | null)[];
  for (const [index, text] of texts.entries()) {
    const words = splitWords(text);
    assert.deepEqual(typeof words === "string" ? null : words, expected[index], JSON.stringify(text));
  }
});

test("~ at the start of any word is the home, also one with a space", () => {
  const { argv } = parseCommand("~/x.sh ~ a~ ~user '~/b c'", "/home/a b");
  assert.deepEqual(argv, ["/home/a b/x.sh", "/home/a b", "a~", "~user", "/home/a b/b c"]);
});

test("says why there are no words", () => {
  assert.equal(parseCommand("a\0b", "/h").problem, "the command contains a NUL byte");
  assert.equal(parseCommand(" \t", "/h").problem, "the command is empty");
  assert.match(parseCommand("a 'b", "/h").problem ?? "", /unbalanced quote/);
});
