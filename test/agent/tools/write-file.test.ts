import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { makeToolbox } from "./toolbox.ts";

const box = makeToolbox();
const read = (path: string) => readFileSync(join(box.project, path), "utf8");

test("makes files and folders, replaces what was there", async () => {
  const first = await box.call("write_file", { path: "deep/er/a.txt", content: "hé\n" });
  assert.deepEqual(first, { path: join(box.project, "deep/er/a.txt"), bytes: 4, created: true });
  const second = await box.call("write_file", { path: "deep/er/a.txt", content: "" });
  assert.partialDeepStrictEqual(second, { bytes: 0, created: false });
  assert.equal(read("deep/er/a.txt"), "");
  assert.deepEqual(readdirSync(join(box.project, "deep/er")), ["a.txt"]);
});

test("a path outside the working folder is allowed", async () => {
  await box.call("write_file", { path: "../outside.txt", content: "x" });
  assert.equal(readFileSync(join(box.user, "outside.txt"), "utf8"), "x");
});

test("keeps the mode of the file and the link to it", async () => {
  chmodSync(box.write("run.sh", "#!/bin/sh\n"), 0o750);
  symlinkSync("run.sh", join(box.project, "link.sh"));
  await box.call("write_file", { path: "link.sh", content: "#!/bin/sh\nexit 0\n" });
  assert.equal(statSync(join(box.project, "run.sh")).mode & 0o777, 0o750);
  assert.ok(lstatSync(join(box.project, "link.sh")).isSymbolicLink());
  assert.equal(read("run.sh"), "#!/bin/sh\nexit 0\n");
});

test("errors say what is wrong", async () => {
  mkdirSync(join(box.project, "folder"));
  box.write("file", "x");
  await assert.rejects(box.call("write_file", { path: "folder", content: "" }), /folder is a folder/);
  await assert.rejects(box.call("write_file", { path: "folder/", content: "" }), /folder\/ is a folder/);
  await assert.rejects(box.call("write_file", { path: "file/x", content: "" }), /is a file, not a folder/);
  await assert.rejects(box.call("write_file", { path: "/dev/null", content: "" }), /not a regular file/);
  await assert.rejects(box.call("write_file", { path: "x" }), /"content" is missing/);
  await assert.rejects(box.call("write_file", { path: "x", content: 1 }), /"content" must be a string/);
  await assert.rejects(box.call("write_file", { path: "x".repeat(300), content: "" }), /too long/);
  await assert.rejects(box.call("write_file", { path: "new.txt", content: "" }, AbortSignal.abort()));
  assert.equal(existsSync(join(box.project, "new.txt")), false);
});

test("guarded files are off limits, existing or not, through links too", async () => {
  symlinkSync(join(box.home, "config.yaml"), join(box.project, "innocent.yaml"));
  symlinkSync(box.home, join(box.project, "home-link"));
  symlinkSync(join(box.home, "shell-hooks-allowlist.json"), join(box.project, "dangling.json"));
  for (const path of [
    "~/.hermes/config.yaml",
    "innocent.yaml",
    "home-link/plugins/evil/index.ts",
    "dangling.json",
    "~/.hermes/logs/../agent-hooks/x.sh",
  ]) {
    await assert.rejects(box.call("write_file", { path, content: "mine" }), /off limits/, path);
  }
  assert.equal(readFileSync(join(box.home, "config.yaml"), "utf8"), "secret-of-config: 1\n");
  assert.deepEqual(readdirSync(box.home), ["config.yaml"]);
});

test("a full disk leaves the old file whole", async (t) => {
  const disk = join(box.user, "tiny-disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "pipe" });
  } catch (error) {
    return t.skip(`no file system can be mounted here: ${String(error).split("\n", 2).join(" ")}`);
  }
  try {
    writeFileSync(join(disk, "old.txt"), "old\n");
    await assert.rejects(
      box.call("write_file", { path: join(disk, "old.txt"), content: "x".repeat(1_000_000) }),
      /the disk is full; the file is as it was/,
    );
    assert.equal(readFileSync(join(disk, "old.txt"), "utf8"), "old\n");
    assert.deepEqual(readdirSync(disk), ["old.txt"]);
    await box.call("patch", { path: join(disk, "old.txt"), old_string: "old", new_string: "new" });
    assert.equal(readFileSync(join(disk, "old.txt"), "utf8"), "new\n");
  } finally {
    execFileSync("umount", [disk]);
  }
});
