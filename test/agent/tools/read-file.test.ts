import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, openSync, symlinkSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { makeToolbox } from "./toolbox.ts";

const box = makeToolbox();

test("gives lines as they are, counted from 1", async () => {
  box.write("a.txt", "one\r\ntwo\nthree");
  assert.deepEqual(await box.call("read_file", { path: "a.txt" }), {
    content: "one\r\ntwo\nthree",
    total_lines: 3,
    offset: 1,
    lines: 3,
    truncated: false,
  });
  assert.deepEqual(await box.call("read_file", { path: join(box.project, "a.txt"), offset: 2, limit: 1 }), {
    content: "two\n",
    total_lines: 3,
    offset: 2,
    lines: 1,
    truncated: true,
    next_offset: 3,
  });
  assert.equal((await box.call("read_file", { path: "~/project/a.txt", offset: 3 }))["content"], "three");
});

test("an empty file has no lines; a last line feed makes none", async () => {
  box.write("empty.txt", "");
  assert.partialDeepStrictEqual(await box.call("read_file", { path: "empty.txt" }), {
    content: "",
    total_lines: 0,
    lines: 0,
  });
  box.write("one.txt", "\uFEFFone\n");
  assert.partialDeepStrictEqual(await box.call("read_file", { path: "one.txt" }), { content: "one\n", total_lines: 1 });
});

test("errors say what is wrong", async () => {
  box.write("readme.md", "x\n");
  box.write("bin", Uint8Array.from([0x7f, 0x45, 0, 1]));
  box.write("latin1.txt", Uint8Array.from([0x63, 0x61, 0x66, 0xe9, 0x0a]));
  box.write("utf16.txt", Buffer.from("\uFEFFhello", "utf16le"));
  mkdirSync(join(box.project, "folder"));
  symlinkSync("circle", join(box.project, "circle"));
  const rows: [string, RegExp][] = [
    ["readmee.md", /does not exist\. Did you mean "readme\.md"\?/],
    ["nowhere/x.md", /does not exist, and neither does its folder/],
    ["readme.md/x", /is a file, not a folder/],
    ["folder", /is a folder/],
    ["bin", /bin is a binary file/],
    ["latin1.txt", /latin1\.txt is a binary file \(not valid UTF-8\)/],
    ["utf16.txt", /UTF-16/],
    ["/dev/zero", /not a regular file/],
    ["circle", /circle/],
    ["", /must not be empty/],
    ["a\0b", /NUL/],
  ];
  for (const [path, message] of rows) await assert.rejects(box.call("read_file", { path }), { message }, path);
  await assert.rejects(box.call("read_file", { path: "readme.md", offset: 9 }), /has 1 lines; there is no line 9/);
  await assert.rejects(box.call("read_file", { path: "readme.md", offset: 0 }), /"offset" must be a whole number/);
  await assert.rejects(box.call("read_file", {}), /"path" is missing/);
});

test("a pipe does not hold the program up", async () => {
  execFileSync("mkfifo", [join(box.project, "pipe")]);
  await assert.rejects(box.call("read_file", { path: "pipe" }), /not a regular file/);
});

test("long files come in parts that join to the whole", async () => {
  const line = `${"äöü€😀".repeat(20)}\n`;
  const whole = line.repeat(5000);
  box.write("long.txt", whole);
  let joined = "";
  let offset: unknown = 1;
  for (let part = 0; part < 100 && offset !== undefined; part += 1) {
    const result = await box.call("read_file", { path: "long.txt", offset, limit: 100_000 });
    assert.ok(String(result["content"]).length <= 100_000);
    joined += String(result["content"]);
    offset = result["next_offset"];
  }
  assert.equal(joined, whole);
});

test("a line that never ends is cut and the next one can be read", async () => {
  box.write("wide.txt", `${"x".repeat(300_000)}\nnext\n`);
  const first = await box.call("read_file", { path: "wide.txt" });
  assert.partialDeepStrictEqual(first, { lines: 1, total_lines: 2, truncated: true, next_offset: 2 });
  assert.equal(String(first["content"]).length, 100_000);
  assert.equal((await box.call("read_file", { path: "wide.txt", offset: 2 }))["content"], "next\n");
});

test("of a huge file the wanted lines are read and the rest is not counted", async () => {
  const file = join(box.project, "huge.txt");
  const handle = openSync(file, "w");
  const block = "a line of the huge file\n".repeat(50_000);
  for (let at = 0; at < 70; at += 1) writeSync(handle, block);
  const result = await box.call("read_file", { path: "huge.txt", limit: 2 });
  assert.partialDeepStrictEqual(result, { lines: 2, total_lines: null, truncated: true, next_offset: 3 });
  const far = await box.call("read_file", { path: "huge.txt", offset: 3_400_000, limit: 1 });
  assert.equal(far["content"], "a line of the huge file\n");
  truncateSync(file);
});

test("an interrupted read ends", async () => {
  box.write("b.txt", "x\n");
  await assert.rejects(box.call("read_file", { path: "b.txt" }, AbortSignal.abort()));
});

test("guarded files are off limits, through links too", async () => {
  symlinkSync(join(box.home, "config.yaml"), join(box.project, "innocent.yaml"));
  for (const path of [
    "~/.hermes/config.yaml",
    "../.hermes/config.yaml",
    "innocent.yaml",
    "~/.hermes/hooks/x/HOOK.yaml",
  ]) {
    await assert.rejects(box.call("read_file", { path }), /off limits/, path);
  }
});
