import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { parseAnyYaml, type KeyPath, type YamlDocument } from "#core/yaml-document";
import { readSimpleYaml } from "#core/yaml-simple";

const ROOT = resolve(import.meta.dirname, "../..");

/** The package's answer; undefined for text that it refuses. */
async function withPackage(text: string): Promise<YamlDocument | undefined> {
  try {
    return await parseAnyYaml(text, ({ problem }) => new Error(problem));
  } catch {
    return undefined;
  }
}

function pathsOf(value: unknown, path: KeyPath = []): KeyPath[] {
  const keys = Array.isArray(value) ? value.keys() : Object.keys(typeof value === "object" ? (value ?? {}) : {});
  const inner = [...keys].flatMap((key) => pathsOf((value as Record<string | number, unknown>)[key], [...path, key]));
  return [path, [...path, "missing"], [...path, 7], ...inner];
}

/** Fails unless the reader leaves the text to the package, or answers the same. True when it answered. */
async function assertSame(text: string): Promise<boolean> {
  const ours = readSimpleYaml(text);
  if (ours === undefined) return false;
  const theirs = await withPackage(text);
  const shown = JSON.stringify(text);
  assert.ok(theirs !== undefined, `the package refuses ${shown}`);
  assert.deepEqual(ours.value, theirs.value, shown);
  assert.equal(JSON.stringify(ours.value), JSON.stringify(theirs.value), `the order of the keys of ${shown}`);
  const lines = (document: YamlDocument) => pathsOf(theirs.value).map((path) => [path, document.lineOf(path)]);
  assert.deepEqual(lines(ours), lines(theirs), shown);
  return true;
}

/** Pieces that mean something in YAML, and some that nearly do. */
const PIECES: readonly string[] = [
  "a b key x1 true null ~ 0 -1 1.5 007 1e3 0x1F .5 -.inf no v1.2.3 10s -x <<".split(" "),
  "' \" \\ [ ] { } , : # - ? & * ! | > % @ ` = $ ^ ( ; + . / ,] ,}".split(" "),
  [": ", ":", "- ", " #c", "#c", "''", '\\"', "\\n", "\\x41", "---", "...", "--", "http://h/p?q=1#f", "${NAME}"],
  ["\n", "\n", "\n  ", "\n  ", "\n    ", "\n- ", "\n  - ", "\nb: ", "\n  c: ", "\n# c\n", "\n\n", " ", "  ", "\t"],
  ["\r\n", "é", "😀", "\u2028", "\u0085", "\ufeff", "__proto__: ", "toString: ", "- - ", "- a: 1\n  b: 2", "a: b c"],
].flat();
const anyText = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }).map((pieces) => pieces.join(""));

const word = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("a", "b_1", "key", "toString", "a.b-c/d", "x", "y", "z") },
  fc.constantFrom("true", "1", "null", "k v", "é", "__proto__"),
);
const scalar = fc.oneof(
  fc.constantFrom("", "x", "two words", "~", "null", "true", "False", "0", "-0", "12", "-7", "0.50", "1.", "+1", "1e3"),
  fc.constantFrom(
    "12:30",
    "2024-01-01",
    "a:b",
    "http://h/p#q",
    "x#y",
    "~/x/y.sh --flag=1",
    "write_file|patch",
    "^a.*$",
  ),
  { weight: 12, arbitrary: fc.constantFrom("plain", "more-of_it", "12s", "{}", "[]", "3", "/usr/bin/env node") },
  fc.constantFrom(
    '"x \\"y\\" #z"',
    '"a\\\\n\\n"',
    "'it''s # no'",
    '"${KEY}"',
    "'a: b'",
    '""',
    "''",
    "- x",
    "|",
    "a: b",
  ),
  fc.string({ maxLength: 6 }),
);
const flow: fc.Arbitrary<string> = fc.letrec<{ value: string; list: string; mapping: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, tie("list"), tie("mapping")),
  list: fc
    .tuple(fc.array(tie("value"), { maxLength: 3 }), blanks())
    .map(([all, gap]) => `[${gap}${all.join(`,${gap}`)}]`),
  mapping: fc
    .tuple(fc.array(fc.tuple(word, tie("value")), { maxLength: 3 }), blanks())
    .map(([all, gap]) => `{${gap}${all.map(([key, value]) => `${key}: ${value}`).join(`,${gap}`)}${gap}}`),
})).value;

function blanks(): fc.Arbitrary<string> {
  return fc.constantFrom("", " ", "  ");
}

const tail = fc.constantFrom("", "", "", " # c", "  ", "\n# c", "\n\n", "\n      # deep");

/** Blocks in the forms that people write, with small mistakes of indentation. */
const block: fc.Arbitrary<readonly string[]> = fc.letrec<{ block: string[]; mapping: string[]; list: string[] }>(
  (tie) => ({
    block: fc.oneof({ maxDepth: 3 }, { weight: 2, arbitrary: tie("mapping") }, tie("list")),
    mapping: fc
      .array(
        fc.tuple(word, tail, fc.oneof({ maxDepth: 3 }, flow, tie("block")), fc.constantFrom("  ", "  ", "", " ")),
        {
          minLength: 1,
          maxLength: 4,
        },
      )
      .map((entries) =>
        entries.flatMap(([key, end, value, step]) =>
          typeof value === "string"
            ? [`${key}: ${value}${end}`]
            : [`${key}:${end}`, ...value.map((line) => `${step}${line}`)],
        ),
      ),
    list: fc
      .array(fc.tuple(tail, fc.oneof({ maxDepth: 3 }, flow, tie("block")), fc.constantFrom(" ", " ", "   ")), {
        minLength: 1,
        maxLength: 3,
      })
      .map((items) =>
        items.flatMap(([end, value, gap]) =>
          typeof value === "string"
            ? [`-${gap}${value}${end}`]
            : value.map((line, index) => (index === 0 ? `-${gap}${line}` : ` ${gap}${line}`)),
        ),
      ),
  }),
).block;
const document = fc
  .tuple(block, fc.constantFrom("", "\n", "\n\n# end\n"))
  .map(([lines, end]) => lines.join("\n") + end);

test("pieces of YAML in any order are read as the package reads them, or left to it", async () => {
  await fc.assert(
    fc.asyncProperty(anyText, async (text) => void (await assertSame(text))),
    { numRuns: 2000 },
  );
});

test("documents are read as the package reads them, or left to it", async () => {
  let answered = 0;
  const property = fc.asyncProperty(document, async (text) => {
    if (await assertSame(text)) answered++;
  });
  await fc.assert(property, { numRuns: 2000 });
  assert.ok(answered > 200, `only ${answered} of 2000 documents were read`);
});

test("documents with one change are read as the package reads them, or left to it", async () => {
  const changed = fc
    .tuple(document, fc.nat(), fc.constantFrom(...PIECES), fc.nat(2))
    .map(([text, at, piece, removed]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + piece + text.slice(place + removed);
    });
  await fc.assert(
    fc.asyncProperty(changed, async (text) => void (await assertSame(text))),
    { numRuns: 2000 },
  );
});

test("the examples of the documentation are read as the package reads them, most of them without it", async () => {
  const texts = globSync("docs/**/*.md", { cwd: ROOT })
    .flatMap((file) => [...readFileSync(join(ROOT, file), "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)])
    .map(([, text = ""]) => text);
  const answered: boolean[] = [];
  for (const text of texts) answered.push(await assertSame(text));
  const share = answered.filter(Boolean).length / texts.length;
  assert.ok(texts.length > 30 && share > 0.6, `${share} of ${texts.length} examples are read without the package`);
});

test("a configuration in the usual forms needs no package", async () => {
  const text = [
    "# Hooks of this machine",
    "plugins: { enabled: [audit, 'my-guard'] }",
    "hooks_auto_accept: false",
    "",
    "hooks:",
    "  pre_tool_call:",
    "    - matcher: terminal|write_file  # two tools",
    '      command: "~/.hermes/agent-hooks/guard.sh --level \\"high\\""',
    "      timeout: 2.5",
    "    - command: /usr/bin/env python3 /opt/x.py",
    "  post_tool_call:",
    "  - { matcher: 'a|b', command: ~/x.sh, fail_closed: true }",
    "webhooks:",
    "  - url: https://example.org/in?x=1#y",
    "    secret: ${SECRET}",
    "",
  ].join("\n");
  assert.ok(await assertSame(text));
});

test("text of other forms is left to the package", () => {
  const others = [
    "a: |\n  x\n",
    "a: &x 1\n",
    "a: *x\n",
    "a: !!str 1\n",
    "? a\n",
    "a: x\n  y\n",
    "a: [\n1]\n",
    "---\na: 1\n",
  ];
  for (const text of others) assert.equal(readSimpleYaml(text), undefined, text);
});
