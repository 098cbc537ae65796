import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { findChanges, hashFolder, readInstalled, recordsFile, writeInstalled } from "#plugins/installed";

function folder(t: TestContext, files: readonly string[]): string {
  const path = mkdtempSync(join(tmpdir(), "hermes-installed-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  for (const file of files) write(path, file, file);
  return path;
}

function write(path: string, file: string, text: string): void {
  mkdirSync(dirname(join(path, file)), { recursive: true });
  writeFileSync(join(path, file), text);
}

test("changed, missing and new code is told, new data is not", (t) => {
  const path = folder(t, ["index.ts", "lib/a.ts", "lib/b.txt", "node_modules/x/index.js", "lib/node_modules/y/data"]);
  const before = hashFolder(path);
  assert.deepEqual(Object.keys(before.files), ["index.ts", "lib/a.ts", "lib/b.txt"]);
  assert.deepEqual(findChanges(path, before), []);
  write(path, "cache.sqlite", "data");
  assert.deepEqual(findChanges(path, before), []);
  write(path, "index.ts", "other");
  rmSync(join(path, "lib/b.txt"));
  write(path, "lib/c.mjs", "");
  write(path, "lib/node_modules/y/data", "other");
  assert.deepEqual(findChanges(path, before), [
    "index.ts is changed",
    "lib/b.txt is missing",
    "lib/c.mjs is new",
    "node_modules is changed",
  ]);
  rmSync(path, { recursive: true });
  assert.deepEqual(findChanges(path, before), ["its folder is missing"]);
});

test("a link is not the file that it leads to, and packages that change places are others", (t) => {
  const path = folder(t, ["index.ts", "other.ts", "node_modules/a/x", "node_modules/b/y"]);
  write(path, "index.ts", "other.ts");
  const before = hashFolder(path);
  rmSync(join(path, "index.ts"));
  symlinkSync("other.ts", join(path, "index.ts"));
  assert.deepEqual(findChanges(path, before), ["index.ts is changed"]);
  const linked = hashFolder(path);
  renameSync(join(path, "node_modules/b/y"), join(path, "node_modules/a/y"));
  assert.deepEqual(findChanges(path, linked), ["node_modules is changed"]);
});

test("records are private, read back as they were written, and a damaged file is an error", (t) => {
  const path = folder(t, []);
  assert.deepEqual(readInstalled(path), {});
  const now = "2026-01-01T00:00:00.000Z";
  const record = {
    name: "a",
    version: null,
    source: "/a",
    ref: null,
    resolved: null,
    installed_at: now,
    updated_at: now,
  };
  writeInstalled(path, { a: { ...record, files: { "index.ts": "x" }, packages: null } });
  assert.equal(statSync(recordsFile(path)).mode & 0o777, 0o600);
  assert.equal(readInstalled(path)["a"]?.source, "/a");
  for (const text of ["", "[]", '{"plugins":{"a":{"name":7}}}', '{"plugins":[]}']) {
    writeFileSync(recordsFile(path), text);
    assert.throws(() => readInstalled(path), { code: "HERMES_PLUGIN_RECORDS" }, text);
  }
});
