import assert from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import {
  announceDaemon,
  daemonFiles,
  ensureSocketFolder,
  findDaemon,
  listDaemons,
  nameProblem,
} from "#daemon/session/place";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

test("a name's files are safe and short, and no two names share them (property)", () => {
  const name = fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(name, name, (one, other) => {
      const files = daemonFiles("/home/run", one);
      assert.match(files.entry, /^\/home\/run\/daemon-[\w-]{1,49}\.json$/);
      assert.equal(files.entry === daemonFiles("/home/run", other).entry, one === other);
    }),
  );
});

test("names are 1 to 100 characters without control characters", () => {
  for (const name of ["a", "ü/../ *", "😀".repeat(100), " a "]) assert.equal(nameProblem(name), null, name);
  for (const name of ["", " ", "a\n", "\u0000", "a\u007f", "a\u0085b", "\ud800", "x".repeat(101)]) {
    assert.notEqual(nameProblem(name), null, JSON.stringify(name));
  }
});

test("in a home that lies deep the socket is in the temporary folder, of this home and name only", (t) => {
  const deep = join("/", ...Array.from({ length: 30 }, () => "deep"), "run");
  const { socket, entry } = daemonFiles(deep, "a");
  assert.ok(Buffer.byteLength(socket) <= 103, socket);
  assert.ok(entry.startsWith(deep));
  assert.notEqual(socket, daemonFiles(join(deep, "other"), "a").socket);
  assert.notEqual(socket, daemonFiles(deep, "b").socket);
  const folder = join(temporaryFolder(t), "sockets");
  ensureSocketFolder(folder);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  chmodSync(folder, 0o777);
  assert.throws(() => ensureSocketFolder(folder), /others can write to it/);
  assert.equal(dirname(daemonFiles("/home/run", "a").socket), "/home/run");
});

test("only sessions whose process runs are found", (t) => {
  const run = join(temporaryFolder(t), "run");
  assert.deepEqual([findDaemon(run, "a"), listDaemons(run)], [undefined, []]);
  mkdirSync(run);
  const rest = { socket: "/s", owns_process: true, hooks: [], session_id: "s", started_at: "now" };
  const undo = announceDaemon(daemonFiles(run, "b").entry, { name: "b", ...rest });
  announceDaemon(daemonFiles(run, "a").entry, { name: "a", ...rest });
  const dead = { name: "dead", ...rest, pid: 2 ** 22, process_start: null };
  writeFileSync(daemonFiles(run, "dead").entry, JSON.stringify(dead));
  writeFileSync(daemonFiles(run, "broken").entry, "{");
  assert.equal(findDaemon(run, "b")?.pid, process.pid);
  assert.equal(findDaemon(run, "dead"), undefined);
  assert.deepEqual(
    listDaemons(run).map(({ name }) => name),
    ["a", "b"],
  );
  undo();
  assert.equal(findDaemon(run, "b"), undefined);
});
