import test from "node:test";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFirstSyntaxProblem } from "#sandbox/folders/parse";

test("a problem is told with its file and line, and a source that overflows the parser harms nobody", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-parse-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const good = file("good.ts", "export const handle = (x: string): string => x;\n");
  const bad = file("bad.ts", "export const one = 1;\nexport const = 2;\n");
  const deep = file("deep.ts", "(".repeat(200_000));
  assert.equal(await findFirstSyntaxProblem([good]), null);
  assert.match((await findFirstSyntaxProblem([good, bad]))!, /bad\.ts:2: /);
  assert.match((await findFirstSyntaxProblem([deep]))!, /deep\.ts/);
  assert.equal(stripTypeScriptTypes("const still: number = 1;").trim().startsWith("const still"), true);
  assert.equal(await findFirstSyntaxProblem([good]), null);
});
