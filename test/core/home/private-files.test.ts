import assert from "node:assert/strict";
import { closeSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { openPrivateFile, writePrivateFile } from "#core/home/private-files";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const modeOf = (file: string): number => statSync(file).mode & 0o777;

test("a file is replaced whole, with its own mode and without leftovers", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "a");
  writeFileSync(file, "old", { mode: 0o644 });
  writePrivateFile(file, "new");
  assert.deepEqual([readFileSync(file, "utf8"), modeOf(file)], ["new", 0o600]);
  writePrivateFile(file, Buffer.from("bytes"), { mode: 0o500, durable: true });
  assert.deepEqual([readFileSync(file, "utf8"), modeOf(file)], ["bytes", 0o500]);
  assert.deepEqual(readdirSync(folder), ["a"]);
});

test("a link is replaced, not followed", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "target"), "untouched");
  symlinkSync("target", join(folder, "link"));
  writePrivateFile(join(folder, "link"), "new");
  assert.equal(readFileSync(join(folder, "target"), "utf8"), "untouched");
  assert.equal(readFileSync(join(folder, "link"), "utf8"), "new");
});

test("a write that is called off leaves the old file and nothing else", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "a");
  writeFileSync(file, "old");
  const beforeReplacing = () => {
    throw new Error("called off");
  };
  assert.throws(() => writePrivateFile(file, "new", { beforeReplacing }), /^Error: called off$/);
  assert.throws(() => writePrivateFile(join(folder, "missing", "a"), "new"), { code: "ENOENT" });
  assert.equal(readFileSync(file, "utf8"), "old");
  assert.deepEqual(readdirSync(folder), ["a"]);
});

test("an opened file becomes private, even an existing one; a device is not changed", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "old"), "a", { mode: 0o666 });
  for (const name of ["old", "new"]) {
    const opened = openPrivateFile(join(folder, name), "a");
    writeSync(opened, "b");
    closeSync(opened);
    assert.equal(modeOf(join(folder, name)), 0o600);
  }
  assert.equal(readFileSync(join(folder, "old"), "utf8"), "ab");
  const before = modeOf("/dev/null");
  closeSync(openPrivateFile("/dev/null", "a+"));
  assert.equal(modeOf("/dev/null"), before);
});
