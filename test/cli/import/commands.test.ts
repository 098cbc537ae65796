/** Commands of other programs, made independent of the folder that they run in. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { anchorPaths, replaceVariables, wrapCommand } from "#cli/import/command-text";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

const ROOT = "/a b/it's";
const VALUES = new Map([["ROOT", ROOT]]);
const REPLACED: readonly (readonly [command: string, replaced: string])[] = [
  ["$ROOT/x.sh", `'/a b/it'\\''s'/x.sh`],
  ['"$ROOT"/x.sh', `"/a b/it's"/x.sh`],
  ['"${ROOT}/x y.sh" a', `"/a b/it's/x y.sh" a`],
  ["${ROOT:-.}/x.sh", `'/a b/it'\\''s'/x.sh`],
  ["'$ROOT'/x.sh", "'$ROOT'/x.sh"],
  ["\\$ROOT $ROOTS ${ROOTS} $HOME", "\\$ROOT $ROOTS ${ROOTS} $HOME"],
  [`"it's $ROOT" '"$ROOT"'`, `"it's /a b/it's" '"$ROOT"'`],
];
for (const [command, replaced] of REPLACED) {
  test(`${command} becomes ${replaced}`, () => assert.equal(replaceVariables(command, VALUES), replaced));
}

test("whatever the folder is called, a shell reads the same words as with the variable", () => {
  const command = `printf '%s\\n' $ROOT/a "$ROOT/b c" "\${ROOT}" '$ROOT'`;
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 12 }), (name) => {
      const folder = `/${name.replaceAll(/[\0\n*?[\]]/g, "_")}`;
      const run = (line: string) =>
        execFileSync("/bin/sh", ["-c", line], { encoding: "utf8", env: { IFS: "", ROOT: folder } });
      assert.equal(
        run(replaceVariables(command, new Map([["ROOT", folder]]))),
        run(command.replace("$ROOT/a", '"$ROOT"/a')),
      );
    }),
    { numRuns: 25 },
  );
});

test("relative paths are made absolute where a program or a file is meant", (t) => {
  const base = join(temporaryFolder(t), "p q");
  execFileSync("mkdir", ["-p", join(base, "lib")]);
  writeFileSync(join(base, "lib/check.py"), "");
  const cases: readonly (readonly [command: string, anchored: string, relative?: boolean])[] = [
    ["./x.sh a/b", `'${base}/x.sh' a/b`],
    ["python3 lib/check.py --in lib/none.py", `python3 '${base}/lib/check.py' --in lib/none.py`],
    ["~/x.sh lib/check.py", `~/x.sh '${base}/lib/check.py'`],
    ["x.sh", "x.sh"],
    ["/bin/x.sh", "/bin/x.sh"],
    ["cd lib && ./x.sh", "cd lib && ./x.sh", true],
    ["echo a | cat", "echo a | cat"],
    ["./it's", "./it's", true],
  ];
  for (const [command, anchored, relative = false] of cases) {
    assert.deepEqual(anchorPaths(command, base), { command: anchored, relative }, command);
  }
});

test("a command with a folder and variables of its own does nothing where the folder is not", () => {
  const wrap = (folder: string | null) =>
    wrapCommand('echo "$A $B"', { folder, variables: { A: "it's $B", B: "`x`" } });
  const run = (line: string) =>
    execFileSync("/bin/sh", ["-c", line], { encoding: "utf8", env: { B: "old" }, stdio: "pipe" });
  assert.equal(run(wrap("/")), "it's old `x`\n");
  assert.throws(() => run(wrap("/no/such/folder")));
  assert.equal(wrapCommand("x", { folder: null, variables: {} }), "x");
});
