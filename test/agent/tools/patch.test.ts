import assert from "node:assert/strict";
import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { makeToolbox } from "./toolbox.ts";

const box = makeToolbox();
const read = (path: string) => readFileSync(join(box.project, path), "utf8");
const patch = (path: string, old_string: string, new_string: string, rest: Record<string, unknown> = {}) =>
  box.call("patch", { path, old_string, new_string, ...rest });

test("replaces the one place, to the letter", async () => {
  box.write("a.txt", "a $& b\n");
  assert.deepEqual(await patch("a.txt", "$&", "$1 $$ \\"), { path: join(box.project, "a.txt"), replacements: 1 });
  assert.equal(read("a.txt"), "a $1 $$ \\ b\n");
});

test("more than one place needs replace_all", async () => {
  box.write("b.txt", "x x x");
  await assert.rejects(patch("b.txt", "x", "y"), /occurs 3 times in b\.txt/);
  assert.equal(read("b.txt"), "x x x");
  assert.partialDeepStrictEqual(await patch("b.txt", "x", "y", { replace_all: true }), { replacements: 3 });
  assert.equal(read("b.txt"), "y y y");
});

test("line ends and byte order mark stay", async () => {
  box.write("crlf.txt", "\uFEFFone\r\ntwo\r\nthree\r\n");
  await patch("crlf.txt", "one\ntwo\n", "1\n2\n2b\n");
  assert.equal(read("crlf.txt"), "\uFEFF1\r\n2\r\n2b\r\nthree\r\n");
  box.write("mixed.txt", "one\r\ntwo\n");
  await patch("mixed.txt", "two\n", "2\n");
  assert.equal(read("mixed.txt"), "one\r\n2\n");
});

test("errors say what is wrong and change nothing", async () => {
  box.write("c.txt", "  alpha\n  beta\n");
  await assert.rejects(patch("c.txt", "gamma", "x"), { message: '"old_string" was not found in c.txt.' });
  await assert.rejects(patch("c.txt", "alpha\nbeta", "x"), /not found in c\.txt\. Line 1 looks like its beginning/);
  await assert.rejects(patch("c.txt", "alpha", "alpha"), /are the same/);
  await assert.rejects(patch("c.txt", "", "x"), /must not be empty/);
  await assert.rejects(patch("d.txt", "a", "b"), /d\.txt does not exist\. Did you mean/);
  await assert.rejects(patch("c.txt", "alpha", "b", { replace_all: "yes" }), /"replace_all" must be true or false/);
  await assert.rejects(patch("~/.hermes/config.yaml", "a", "b"), /off limits/);
  truncateSync(box.write("large.txt", ""), 11 * 1024 * 1024);
  await assert.rejects(patch("large.txt", "a", "b"), /cannot be patched/);
  box.write("bin", Uint8Array.from([1, 0, 2]));
  await assert.rejects(patch("bin", "a", "b"), /binary/);
  assert.equal(read("c.txt"), "  alpha\n  beta\n");
});

test("what surrounds the place is untouched, whatever it is", async () => {
  const around = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0"));
  await fc.assert(
    fc.asyncProperty(around, around, around, async (before, after, replacement) => {
      fc.pre(
        !(before + after).includes("«here»") &&
          replacement !== "«here»" &&
          !/[\r\n]/.test(before + after + replacement),
      );
      box.write("p.txt", `${before}«here»${after}`);
      await patch("p.txt", "«here»", replacement);
      assert.equal(read("p.txt"), before + replacement + after);
    }),
    { numRuns: 50 },
  );
});
