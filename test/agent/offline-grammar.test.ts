import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseOfflineMessage } from "#agent/models/offline-grammar";

/** The plan with its JSON read. */
function planOf(words: string, tools?: string[]) {
  return parseOfflineMessage(words, tools).map((step) =>
    step.map(({ tool, input }) => [tool, JSON.parse(input) as unknown]),
  );
}

const ONE_STEP: readonly [string, string, unknown][] = [
  ["run `ls -la`", "terminal", { command: "ls -la" }],
  ["please Run `a && b` now", "terminal", { command: "a && b" }],
  ["$ echo hi", "terminal", { command: "echo hi" }],
  ["first this:\n  $ echo hi\nthanks", "terminal", { command: "echo hi" }],
  ["do `$ echo hi` please", "terminal", { command: "echo hi" }],
  ["read notes.txt", "read_file", { path: "notes.txt" }],
  ["show ./a/b.ts, please", "read_file", { path: "./a/b.ts" }],
  ["Read the file README.md.", "read_file", { path: "README.md" }],
  ["show Makefile", "read_file", { path: "Makefile" }],
  ['read "a file.txt"', "read_file", { path: "a file.txt" }],
  ["read `a.txt`", "read_file", { path: "a.txt" }],
  ["read ..", "read_file", { path: ".." }],
  ['write "hello" to a.txt', "write_file", { path: "a.txt", content: "hello" }],
  ['write "say \\"hi\\"\\n" to a.txt.', "write_file", { path: "a.txt", content: 'say "hi"\n' }],
  ['write "two\nlines" to ~/x', "write_file", { path: "~/x", content: "two\nlines" }],
  ['write "" to a', "write_file", { path: "a", content: "" }],
  ['replace "a" with "b" in c.txt', "patch", { path: "c.txt", old_string: "a", new_string: "b" }],
  ['search "TODO" in src', "search_files", { pattern: "TODO", path: "src" }],
  ['search for "x y"', "search_files", { pattern: "x y" }],
  ['delegate "run `ls`"', "delegate_task", { goal: "run `ls`" }],
  ['@my.tool {"a":[1,{"b":null}]}', "my.tool", { a: [1, { b: null }] }],
];

for (const [words, tool, args] of ONE_STEP) {
  test(`understands: ${JSON.stringify(words)}`, () => {
    assert.deepEqual(planOf(words), [[[tool, args]]]);
  });
}

for (const words of [
  "",
  "hello",
  "read it to me",
  "show me the way",
  "I already ran that",
  "@bob can you look?",
  "mail me@example.org {x}",
  "run the tests",
  'write "x"',
  "costs 5 $ or so",
  "$",
  "readme.md",
]) {
  test(`finds nothing to do in: ${JSON.stringify(words)}`, () => {
    assert.deepEqual(planOf(words), []);
  });
}

test("consecutive @ lines are one step, anything between makes two", () => {
  assert.deepEqual(
    planOf('@a {"x":1}\n@b {}\r\n@c {}').map((step) => step.length),
    [3],
  );
  assert.deepEqual(
    planOf("@a {}\n\n@b {}").map((step) => step.length),
    [1, 1],
  );
  assert.deepEqual(
    planOf("@a {}\nrun `x`\n@b {}").map((step) => step.length),
    [1, 1, 1],
  );
  assert.deepEqual(
    planOf("run `x`\n@b {}").map((step) => step.length),
    [1, 1],
  );
});

test("plain actions are steps in order of appearance", () => {
  assert.deepEqual(
    planOf('write "x" to a.txt, then read a.txt, then run `cat a` and delegate "y"').map(([call]) => call?.[0]),
    ["write_file", "read_file", "terminal", "delegate_task"],
  );
});

test("quoted text is not parsed again", () => {
  assert.deepEqual(planOf('write "run `x`\n@a {}" to f').length, 1);
});

test("malformed JSON is a call all the same; a known tool is one even without JSON", () => {
  assert.deepEqual(parseOfflineMessage("@a {oops"), [[{ tool: "a", input: "{oops" }]]);
  assert.deepEqual(parseOfflineMessage("@a [1]"), [[{ tool: "a", input: "[1]" }]]);
  assert.deepEqual(parseOfflineMessage("@a oops", ["a"]), [[{ tool: "a", input: "oops" }]]);
  assert.deepEqual(parseOfflineMessage("@a", ["a"]), [[{ tool: "a", input: "{}" }]]);
});

test("any object behind @TOOL arrives exactly", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z_]{1,12}$/), fc.dictionary(fc.string(), fc.jsonValue()), (tool, args) => {
      const text = JSON.stringify(args);
      assert.deepEqual(parseOfflineMessage(`@${tool} ${text}`), [[{ tool, input: text }]]);
    }),
  );
});

test("any text written in quotes arrives exactly", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.stringMatching(/^[a-z]{2,9}\/[a-z]{1,9}$/), (content, path) => {
      const quoted = `"${content.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
      assert.deepEqual(planOf(`write ${quoted} to ${path}`), [[["write_file", { path, content }]]]);
    }),
  );
});

test("never throws, is deterministic, and stays quick on long nonsense", () => {
  const word = fc.constantFrom(
    "run ",
    "`",
    '"',
    "write ",
    " to ",
    "@a ",
    "{",
    "\n",
    "$ ",
    "\\",
    "x",
    "in ",
    "replace ",
  );
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 60 }).map((words) => words.join("")),
      (words) => {
        assert.deepEqual(parseOfflineMessage(words), parseOfflineMessage(words));
      },
    ),
  );
  for (const piece of ['write "', "run `", "@a {", '"\\', "read ", 'replace "a" with ']) {
    assert.ok(Array.isArray(parseOfflineMessage(piece.repeat(20_000))));
  }
});
