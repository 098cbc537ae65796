import test from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findScriptProblem, type ImportRule } from "#sandbox/check/parse";

const findIn = (handler: string, beside: readonly string[] = [], imports: ImportRule = "anything") =>
  findScriptProblem({ code: { folder: dirname(handler), handler }, beside, imports });

test("a problem is reported with its file and line, and a source that overflows the parser does no harm", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-parse-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const good = file("good.ts", "export const handle = (x: string): string => x;\n");
  const bad = file("bad.ts", "export const one = 1;\nexport const = 2;\n");
  const deep = file("deep.ts", "(".repeat(200_000));
  assert.equal(await findIn(good), null);
  assert.match((await findIn(good, [bad]))!, /bad\.ts:2: /);
  assert.match((await findIn(deep))!, /deep\.ts/);
  assert.equal(stripTypeScriptTypes("const still: number = 1;").trim().startsWith("const still"), true);
  assert.equal(await findIn(good), null);
});

test("what a handler imports is looked at as well, wherever it lies; nothing of it is run", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-parse-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "lib"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const handler = file(
    "handler.ts",
    `import { readFileSync } from "node:fs";
import { anything } from "some-package";
import { deep } from "./lib/deep.ts"; // import old from "./old.ts";
const later = () => import("./generated-later.ts");
throw new Error("this ran");
export const handle = (): unknown => [readFileSync, anything, deep, later];
`,
  );
  assert.match((await findIn(handler))!, /handler\.ts: it imports "\.\/lib\/deep\.ts", but there is no such file$/);
  file("lib/deep.ts", 'import data from "./data.json" with { type: "json" };\nexport const deep = (x: string) => {\n');
  assert.match((await findIn(handler))!, /lib\/deep\.ts:\d+: /);
  file(
    "lib/deep.ts",
    'import data from "./data.json" with { type: "json" };\nimport "../handler.ts";\nexport const deep = data;\n',
  );
  assert.match((await findIn(handler))!, /lib\/deep\.ts: it imports "\.\/data\.json", but there is no such file$/);
  file("lib/data.json", "{");
  assert.match((await findIn(handler))!, /lib\/data\.json: .*JSON/);
  file("lib/data.json", "{}");
  assert.equal(await findIn(handler), null);
  // The parser of TypeScript does not mind; the engine does.
  file("lib/deep.ts", "export const deep = 1;\nexport const deep = 2;\n");
  assert.match((await findIn(handler))!, /lib\/deep\.ts: .*already been declared/);
});

test("a module must export handle, and may re-export it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-parse-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const half = file("half.ts", 'import { join } from "node:path";\nexpor');
  assert.match((await findIn(half))!, /half\.ts does not export a function "handle"$/);
  const passing = file("passing.ts", 'export * from "./real.ts";\n');
  file("real.ts", "export function handle() {}\n");
  assert.equal(await findIn(passing), null);
});

test("imports that an isolate refuses are reported before it is loaded, with the module's name", async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "hermes-parse-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const handler = join(folder, "handler.ts");
  const problem = (line: string) => {
    writeFileSync(handler, `${line}\nexport const handle = () => null;\n`);
    return findIn(handler, [], "own-folder");
  };
  assert.match((await problem('import "node:fs";'))!, /handler\.ts: it imports "node:fs", which is not allowed/);
  assert.match((await problem('import "../outside.ts";'))!, /it imports "\.\.\/outside\.ts", /);
  assert.match((await problem('import "./none.ts";'))!, /it imports "\.\/none\.ts", but there is no such file/);
  writeFileSync(join(folder, "helper.ts"), 'import "some-package";\nexport {};\n');
  assert.match(
    (await problem('import "./helper.ts";'))!,
    /helper\.ts: it imports "some-package", which is not allowed/,
  );
  writeFileSync(join(folder, "helper.ts"), "export {};\n");
  assert.equal(await problem('import "./helper.ts";'), null);
});
