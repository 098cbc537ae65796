/** Files of lines: rotation, other programs that move them, and other kinds of files at their path. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { FileSink } from "#daemon/logs/file-sink";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const NEVER = new AbortController().signal;

function open(t: TestContext, options: { maxBytes?: number; keep?: number; folder?: string } = {}) {
  const folder = options.folder ?? temporaryFolder(t);
  const path = join(folder, "all.log");
  const sink = new FileSink({ path, maxBytes: options.maxBytes ?? 1e6, keep: options.keep ?? 5 });
  t.after(() => sink[Symbol.asyncDispose]());
  const sendAll = async (...lines: string[]) => {
    let rest: readonly string[] = lines;
    while (rest.length > 0) rest = rest.slice(await sink.send(rest, NEVER));
  };
  return { folder, path, sink, sendAll };
}

const logsIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => !/\.(?:lock|sock)$/.test(name))
    .toSorted();

test("lines are appended, in a private file, in a folder that is made", async (t) => {
  const folder = join(temporaryFolder(t), "deep/er");
  const { path, sendAll } = open(t, { folder });
  await sendAll("one", "two");
  await sendAll("drei ü");
  assert.equal(readFileSync(path, "utf8"), "one\ntwo\ndrei ü\n");
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("the file is rotated before it is larger than its limit, and so many older ones are kept", async (t) => {
  const { folder, path, sendAll } = open(t, { maxBytes: 12, keep: 2 });
  // Six bytes each, so two in a file.
  await sendAll(...Array.from({ length: 9 }, (_, index) => `line${index}`));
  assert.deepEqual(logsIn(folder), ["all.log", "all.log.1", "all.log.2"]);
  assert.equal(readFileSync(path, "utf8"), "line8\n");
  assert.equal(readFileSync(`${path}.1`, "utf8"), "line6\nline7\n");
  assert.equal(readFileSync(`${path}.2`, "utf8"), "line4\nline5\n");
});

test("keep: 0 keeps none; a line that is larger than the limit has a file of its own", async (t) => {
  const { folder, path, sendAll } = open(t, { maxBytes: 10, keep: 0 });
  await sendAll("a", "x".repeat(50), "b");
  assert.deepEqual(logsIn(folder), ["all.log"]);
  assert.equal(readFileSync(path, "utf8"), "b\n");
});

test("an existing file keeps its content and mode, also when it is rotated", async (t) => {
  const { path, sendAll } = open(t, { maxBytes: 20 });
  writeFileSync(path, "from before\n");
  chmodSync(path, 0o640);
  await sendAll("short");
  assert.equal(readFileSync(path, "utf8"), "from before\nshort\n");
  await sendAll("rotated");
  assert.equal(readFileSync(path, "utf8"), "rotated\n");
  for (const file of [path, `${path}.1`]) assert.equal(statSync(file).mode & 0o777, 0o640, file);
});

test("an unfinished last line is ended first", async (t) => {
  const { path, sendAll } = open(t);
  writeFileSync(path, '{"cut o');
  await sendAll("{}");
  assert.equal(readFileSync(path, "utf8"), '{"cut o\n{}\n');
});

test("a file that was removed, moved or emptied by another program is made again", async (t) => {
  const { path, sendAll } = open(t, { maxBytes: 30 });
  await sendAll("one");
  rmSync(path);
  await sendAll("two");
  assert.equal(readFileSync(path, "utf8"), "two\n");
  renameSync(path, `${path}-moved`);
  await sendAll("three");
  assert.equal(readFileSync(path, "utf8"), "three\n");
  assert.equal(readFileSync(`${path}-moved`, "utf8"), "two\n");
  await sendAll("x".repeat(20));
  truncateSync(path);
  await sendAll("y".repeat(20));
  assert.equal(readFileSync(path, "utf8"), `${"y".repeat(20)}\n`);
  assert.equal(existsSync(`${path}.1`), false);
});

test("its folder may be removed, too", async (t) => {
  const { folder, path, sendAll } = open(t);
  await sendAll("one");
  rmSync(folder, { recursive: true });
  await sendAll("two");
  assert.equal(readFileSync(path, "utf8"), "two\n");
});

test("a second writer sends its lines to the first, and writes itself once that has ended", async (t) => {
  const folder = temporaryFolder(t);
  const options = { folder, maxBytes: 8, keep: 9 };
  const [first, second] = [open(t, options), open(t, options)];
  await first.sendAll("one");
  await second.sendAll("two", "three", "four");
  // Each file has room for eight bytes.
  assert.deepEqual(logsIn(folder), ["all.log", "all.log.1", "all.log.2"]);
  assert.equal(readFileSync(`${first.path}.2`, "utf8"), "one\ntwo\n");
  await Promise.all([first.sendAll("five"), second.sendAll("six")]);
  await first.sink[Symbol.asyncDispose]();
  await second.sendAll("seven");
  assert.equal(readFileSync(second.path, "utf8"), "seven\n");
  assert.ok(existsSync(`${second.path}.sock`));
  await second.sink[Symbol.asyncDispose]();
  assert.equal(existsSync(`${second.path}.sock`), false);
});

test("the problem of the writer is the problem of who sends lines to it", async (t) => {
  const folder = temporaryFolder(t);
  const [first, second] = [open(t, { folder }), open(t, { folder })];
  await first.sendAll("one");
  rmSync(first.path);
  mkdirSync(first.path);
  await assert.rejects(second.sendAll("two"), /EISDIR/);
  rmSync(first.path, { recursive: true });
  await second.sendAll("two");
  assert.equal(readFileSync(first.path, "utf8"), "two\n");
});

test("where the path is too long for a socket, a second writer is refused until the first one has ended", async (t) => {
  const folder = join(temporaryFolder(t), "long".repeat(25));
  const [first, second] = [open(t, { folder }), open(t, { folder })];
  await first.sendAll("one");
  await assert.rejects(second.sendAll("two"), /another process is writing .*all\.log/);
  await first.sink[Symbol.asyncDispose]();
  await second.sendAll("two");
  assert.equal(readFileSync(first.path, "utf8"), "one\ntwo\n");
});

test("what does not speak the protocol is hung up on, and changes nothing", async (t) => {
  const { path, sendAll } = open(t);
  await sendAll("one");
  for (const text of ["GET / HTTP/1.1\r\n\r\n", "-1\n", "99999999999\n", `${"x".repeat(100)}\n`]) {
    const socket = connect(`${path}.sock`, () => socket.write(text));
    socket.on("error", () => undefined).resume();
    await once(socket, "close");
  }
  await sendAll("two");
  assert.equal(readFileSync(path, "utf8"), "one\ntwo\n");
});

test("a folder, a named pipe and a device are refused without waiting", async (t) => {
  const folder = open(t);
  mkdirSync(folder.path);
  await assert.rejects(folder.sendAll("x"), /EISDIR/);
  const pipe = open(t);
  execFileSync("mkfifo", [pipe.path]);
  await assert.rejects(pipe.sendAll("x"), /is not a regular file/);
  const linked = open(t);
  execFileSync("ln", ["-s", "/dev/null", linked.path]);
  await assert.rejects(linked.sendAll("x"), /is not a regular file/);
});

test("a full disk takes no part of a line, and everything once there is space", async (t) => {
  const disk = mkdtempSync(join(tmpdir(), "hermes-disk-"));
  t.after(() => rmdirSync(disk));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], { stdio: "pipe" });
  } catch {
    t.skip("no file system can be mounted here");
    return;
  }
  try {
    await fillAndFree(t, disk);
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
});

async function fillAndFree(t: TestContext, disk: string): Promise<void> {
  const { path, sink, sendAll } = open(t, { folder: disk });
  await sendAll("first");
  const filler = join(disk, "filler");
  assert.throws(() => appendFileSync(filler, "x".repeat(100_000)), { code: "ENOSPC" });
  truncateSync(filler, statSync(filler).size - 8192);
  const long = "y".repeat(20_000);
  await assert.rejects(sendAll(long), { code: "ENOSPC" });
  assert.equal(readFileSync(path, "utf8"), "first\n");
  rmSync(filler);
  await sendAll(long, "last");
  assert.equal(readFileSync(path, "utf8"), `first\n${long}\nlast\n`);
  await sink[Symbol.asyncDispose]();
}
