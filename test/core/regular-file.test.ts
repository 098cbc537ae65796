import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import test from "node:test";
import { readRegularFile } from "#core/regular-file";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

const LIMITS = { mostBytes: 64 * 1024 };
const OURS = { ...LIMITS, ours: true };

test("a file is read as it is, whoever asks", (t) => {
  const file = join(temporaryFolder(t), "a");
  writeFileSync(file, "text", { mode: 0o640 });
  for (const limits of [LIMITS, OURS]) {
    const reading = readRegularFile(file, limits);
    assert.ok(reading.kind === "read");
    assert.equal(reading.content.toString("utf8"), "text");
    assert.equal(reading.stats.mode & 0o777, 0o640);
  }
});

test("what is not there is absent, also below a file", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "a"), "");
  for (const name of ["missing", "a/b"]) {
    assert.deepEqual(readRegularFile(join(folder, name), OURS), { kind: "absent" });
  }
});

const REFUSED: Readonly<Record<string, (file: string) => void | Promise<void>>> = {
  "is a directory": (file) => mkdirSync(file),
  "is not a regular file": (file) => void execFileSync("mkfifo", [file]),
  "is larger than 64 KiB": (file) => {
    writeFileSync(file, "");
    truncateSync(file, 64 * 1024 + 1);
  },
};

for (const [problem, make] of Object.entries(REFUSED)) {
  test(`what ${problem} is not read`, async (t) => {
    const file = join(temporaryFolder(t), "a");
    await make(file);
    for (const limits of [LIMITS, OURS]) {
      assert.deepEqual(readRegularFile(file, limits), { kind: "refused", problem });
    }
  });
}

test("a link is followed, unless the file has to be ours; where it leads is looked at, too", (t) => {
  const folder = temporaryFolder(t);
  const link = join(folder, "link");
  writeFileSync(join(folder, "a"), "text");
  symlinkSync("a", link);
  assert.equal(readRegularFile(link, LIMITS).kind, "read");
  assert.deepEqual(readRegularFile(link, OURS), { kind: "refused", problem: "is a symbolic link" });
  symlinkSync("nowhere", join(folder, "dangling"));
  assert.deepEqual(readRegularFile(join(folder, "dangling"), LIMITS), { kind: "absent" });
  assert.deepEqual(readRegularFile(join(folder, "dangling"), OURS), { kind: "refused", problem: "is a symbolic link" });
  assert.deepEqual(readRegularFile("/dev/zero", LIMITS), { kind: "refused", problem: "is not a regular file" });
});

test("a socket, which cannot be opened, is called what it is", async (t) => {
  const file = join(temporaryFolder(t), "s");
  const server = createServer().listen(file);
  t.after(() => server.close());
  await once(server, "listening");
  assert.deepEqual(readRegularFile(file, OURS), { kind: "refused", problem: "is not a regular file" });
});

test(
  "a file of somebody else is refused where it has to be ours",
  { skip: process.getuid?.() !== 0 && "needs root" },
  (t) => {
    const file = join(temporaryFolder(t), "a");
    writeFileSync(file, "text");
    chownSync(file, 65_534, 65_534);
    assert.equal(readRegularFile(file, LIMITS).kind, "read");
    assert.deepEqual(readRegularFile(file, OURS), { kind: "refused", problem: "belongs to another user" });
  },
);

test(
  "a file without permission to read says so",
  { skip: process.getuid?.() === 0 && "root may read everything" },
  (t) => {
    const file = join(temporaryFolder(t), "a");
    writeFileSync(file, "text");
    chmodSync(file, 0);
    const reading = readRegularFile(file, OURS);
    assert.match(reading.kind === "refused" ? reading.problem : "", /^cannot be read \(EACCES/);
  },
);
