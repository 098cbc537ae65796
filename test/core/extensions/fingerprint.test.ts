/** What is a change of an extension's folder, and what is not. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { compareFingerprints, findImportedJson, takeFingerprint, type Fingerprint } from "#core/extensions/fingerprint";

type Write = (file: string, text: string | null) => void;

/** A folder with code that imports JSON in every form, and data of its own. All of it is an hour old. */
function makeFolder(t: TestContext): { folder: string; write: Write } {
  const folder = mkdtempSync(join(tmpdir(), "hermes-fingerprint-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const write: Write = (file, text) => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    if (text === null) rmSync(path);
    else writeFileSync(path, text);
  };
  write("index.ts", 'import "./lib/help.js";\nimport words from "./words.json" with { type: "json" };\n');
  write("lib/help.js", "export { default as up } from '../up.json' with { type: 'json' };\nimport('./late.json');\n");
  for (const file of ["words.json", "up.json", "state.json"]) write(file, "1");
  write("activity.log", "");
  write("node_modules/x/index.js", "");
  symlinkSync(folder, join(folder, "circle"));
  for (const file of ["index.ts", "lib/help.js", "words.json", "up.json", "state.json", "activity.log"])
    age(folder, file);
  return { folder, write };
}

const HOUR_AGO = Date.now() / 1000 - 3600;
const age = (folder: string, file: string) => utimesSync(join(folder, file), HOUR_AGO, HOUR_AGO);

function hasChanged(folder: string, before: Fingerprint, everyFile = false): boolean {
  return compareFingerprints(folder, before, { everyFile }).changed;
}

test("the JSON files that code imports are found, missing ones too", (t) => {
  const { folder } = makeFolder(t);
  const names = ["words.json", "up.json", "lib/late.json"];
  assert.deepEqual([...findImportedJson(folder)].toSorted(), names.map((name) => join(folder, name)).toSorted());
});

for (const [file, text] of [
  ["index.ts", "export {};"],
  ["lib/help.js", null],
  ["new.ts", ""],
  ["handler.py", ""],
  ["plugin.yaml", "name: x"],
  ["words.json", "2"],
  ["up.json", null],
  ["lib/late.json", "1"],
] as const) {
  test(`${text === null ? "removing" : "writing"} ${file} is a change`, (t) => {
    const { folder, write } = makeFolder(t);
    const before = takeFingerprint(folder);
    assert.equal(before.fresh, false);
    write(file, text);
    assert.ok(hasChanged(folder, before));
  });
}

test("a write in the same tick of the file system's clock is a change", (t) => {
  const { folder, write } = makeFolder(t);
  write("index.ts", "export const a = 1;");
  const before = takeFingerprint(folder);
  const { atimeMs, mtimeMs } = statSync(join(folder, "index.ts"));
  write("index.ts", "export const a = 2;");
  utimesSync(join(folder, "index.ts"), atimeMs / 1000, mtimeMs / 1000);
  assert.ok(before.fresh);
  assert.ok(hasChanged(folder, before));
});

test("data, packages and a new time are a change only for who asks for every file", (t) => {
  const { folder, write } = makeFolder(t);
  let before = takeFingerprint(folder);
  for (const [file, isFile] of [
    ["activity.log", true],
    ["state.json", true],
    ["node_modules/x/index.js", false],
    [".index.ts.swp", false],
  ] as const) {
    write(file, "2");
    const compared = compareFingerprints(folder, before, { everyFile: false });
    assert.equal(compared.changed, false, file);
    assert.equal(hasChanged(folder, compared.fingerprint, true), isFile, file);
    before = takeFingerprint(folder);
  }
  utimesSync(join(folder, "index.ts"), HOUR_AGO + 60, HOUR_AGO + 60);
  assert.equal(hasChanged(folder, before), false);
  assert.equal(hasChanged(folder, before, true), true);
});
