import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";
import { keyText, parseYaml, type YamlProblem } from "#core/yaml-document";
import { parseManifest } from "#plugins/manifest";
import { parseHookManifest } from "#gateway/hooks/manifest";

class Refused extends Error {
  readonly found: YamlProblem;
  constructor(found: YamlProblem) {
    super(found.problem);
    this.found = found;
  }
}

const parse = (text: string) => parseYaml(text, (found) => new Refused(found));

const refusal = (text: string): Promise<YamlProblem> =>
  parse(text).then(
    () => assert.fail("it was accepted"),
    (error: unknown) => {
      assert.ok(error instanceof Refused, String(error));
      return error.found;
    },
  );

test("values know their lines", async () => {
  const { value, lineOf } = await parse("a: 1\nb:\n  - x\n  - c: 2\n");
  assert.deepEqual(value, { a: 1, b: ["x", { c: 2 }] });
  assert.deepEqual([lineOf([]), lineOf(["a"]), lineOf(["b", 1, "c"])], [1, 1, 4]);
  assert.deepEqual([lineOf(["b", 2]), lineOf(["a", "deeper"]), lineOf(["missing"])], [undefined, undefined, undefined]);
});

test("an empty text is null and has no lines", async () => {
  const { value, lineOf } = await parse("# nothing\n");
  assert.equal(value, null);
  assert.equal(lineOf(["a"]), undefined);
});

test("a syntax error has its line, and tabs a hint", async () => {
  assert.equal((await refusal("a: 1\nb: [\n")).line, 3);
  const tabs = await refusal("a:\n\tb: 1\n");
  assert.equal(tabs.line, 2);
  assert.match(tabs.problem, /\(indent with spaces, not tabs\)$/);
});

test("a syntax error says what usually helps, and shows the place", async () => {
  const cases: readonly [text: string, cure: RegExp, excerpt: string][] = [
    ["a: 1\nb: echo x: y\n", /\(put quotes around the value, or/, "\n    2 | b: echo x: y\n      |    ^"],
    ["b: @x\n", /\(put quotes around the value\)$/, "\n    1 | b: @x\n      |    ^"],
    ["a: 1\nmatcher: *.js\n", /\(put quotes around the value\)$/, "\n    2 | matcher: *.js\n      |          ^"],
    ['a: "\\d"\n', /single quotes/, '\n    1 | a: "\\d"\n      |     ^'],
    ["a: 1\na: 2\n", /\(keep one of the two\)$/, "\n    2 | a: 2\n      | ^"],
    ["a: 'x\nb: 1\n", /\(close the quote\)$/, ""],
  ];
  for (const [text, cure, excerpt] of cases) {
    const found = await refusal(text);
    assert.match(found.problem, cure);
    assert.equal(found.excerpt, excerpt);
  }
});

test("a line that may hold a secret or acts on a terminal is not shown", async () => {
  for (const text of ["api_key: abc: d\n", "x: sk-proj-abcdefghijklmnopqrstuvwxyz0123456789: d\n", "x: \u0007y: z\n"]) {
    assert.equal((await refusal(text)).excerpt, "", text);
  }
  const long = await refusal(`x: ${"y".repeat(150)}: z\n`);
  assert.equal(long.excerpt, `\n    1 | x: ${"y".repeat(97)}\n      |    ^`);
});

test("a key of a text is written as a path", () => {
  assert.equal(keyText(["hooks", "pre_tool_call", 0, "command"]), "hooks.pre_tool_call[0].command");
  assert.equal(keyText([]), "");
});

const UNUSABLE = {
  "brackets nested too deep": "[".repeat(100_000),
  "aliases that multiply": `a: &a [x]\nb: &b [${"*a,".repeat(60)}]\nc: [${"*b,".repeat(60)}]\n`,
};

for (const [what, text] of Object.entries(UNUSABLE)) {
  test(`${what} are refused in every file that is read as YAML`, async () => {
    assert.ok((await refusal(text)).cause instanceof Error);
    await assert.rejects(parseConfig(text, "f.yaml", {}), { code: "HERMES_CONFIG_SYNTAX", message: /not valid YAML/ });
    await assert.rejects(parseManifest(text, "f.yaml"), { code: "HERMES_PLUGIN_MANIFEST", message: /not valid YAML/ });
    await assert.rejects(parseHookManifest(text, "f.yaml"), {
      code: "HERMES_HOOK_MANIFEST",
      message: /not valid YAML/,
    });
  });
}
