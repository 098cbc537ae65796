/** `hooks_consent: pinned` covers every file that a command names, whatever program it is named to (CONTRACT §5). */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { addApprovals } from "#allowlist/store";
import { PinBench, requestFor } from "../helpers/pins.ts";

/** Commands; each file named in one of them must not be edited. `=` marks the one that runs as a private copy. */
const COMMANDS: readonly (readonly [command: string, ...files: string[]])[] = [
  ["perl -MTime::HiRes p.pl", "=p.pl"],
  ["perl -w -I lib p.pl", "=p.pl"],
  ["perl -ne print p.pl", "p.pl"],
  ["ruby -ropen3 p.rb", "=p.rb"],
  ["ruby -Ilib -ropen3 p.rb", "=p.rb"],
  ["tsx --tsconfig t.json x.ts", "=x.ts", "t.json"],
  ["tsx --unknown t.json x.ts", "=t.json", "x.ts"],
  ["node --import ./pre.mjs x.mjs", "=x.mjs", "pre.mjs"],
  ["node --import=./pre.mjs x.mjs", "=x.mjs", "pre.mjs"],
  ["awk -f prog", "=prog"],
  ["awk -fprog", "prog", "=bin/awk"],
  ["awk -f prog data.txt", "=prog", "data.txt"],
  ["make -f build.mk", "=build.mk"],
  ["make --file=build.mk", "build.mk", "=bin/make"],
  ["uv run x.py", "=x.py"],
  ["uv run --with-requirements r.txt python3 x.py", "=x.py", "r.txt"],
  ["flock lock bash x", "=x", "lock"],
  ["flock -w 5 lock ./x", "=x"],
  ["flock lock -c ./x", "x"],
  ["setsid bash x", "=x"],
  ["setsid -w ./x", "=x"],
  ["env A=1 bash x", "=x"],
  ["env BASH_ENV=rc bash x", "=x", "rc"],
  ["nice -n 5 sh x", "=x"],
  ["ionice -c 3 sh x", "=x"],
  ["timeout 5 ./x", "=x"],
  ["timeout 5 x.sh", "=bin/x.sh"],
  ["taskset -c 0-1 bash x", "=x"],
  ["wrapper bash x", "=x", "bin/wrapper"],
  ["wrapper -v lock ./x", "=x", "bin/wrapper"],
  ["wrapper -vfprog", "prog", "=bin/wrapper"],
  ["./own x", "=own", "x"],
  ["./own --config=conf/c.json", "=own", "conf/c.json"],
  ["./own --pair=a.json,b.json", "=own", "a.json", "b.json"],
  ["./own a.json:b.json", "=own", "a.json", "b.json"],
  ["./own -d@a.json", "=own", "a.json"],
  ["bash x a.json", "=x", "a.json"],
  ["bash --rcfile rc x", "=x", "rc"],
  ["bash -c ./x", "x"],
  ["./venv/bin/python3 x.py", "=x.py", "venv/bin/python3"],
];

const PROGRAMS = ["perl", "ruby", "tsx", "node", "awk", "make", "uv", "python3", "flock", "setsid", "wrapper"];

for (const [command, ...files] of COMMANDS) {
  test(`${command}: an edit of ${files.join(", ")} is refused`, async (t) => {
    const bench = new PinBench(t);
    for (const name of PROGRAMS) bench.write(`bin/${name}`, "#!/bin/sh\n");
    for (const name of ["nice", "ionice", "env", "timeout", "taskset"]) bench.write(`bin/${name}`, "#!/bin/sh\n");
    for (const file of files.map((name) => name.replace("=", ""))) {
      // A lock is empty.
      bench.write(file, file === "lock" ? "" : `#!/bin/sh\necho ${file}\n`);
    }
    await bench.approve(command);
    const [copied] = files.flatMap((name) => (name.startsWith("=") ? [name.slice(1)] : []));
    const { bytes, script } = bench.ready(command);
    assert.equal(script, copied === undefined ? null : join(bench.folder, copied));
    assert.equal(bytes, copied === undefined ? "" : `#!/bin/sh\necho ${copied}\n`);
    for (const file of files.map((name) => name.replace("=", ""))) {
      const path = join(bench.folder, file);
      const before = bench.read(file);
      const approvals = bench.open();
      assert.ok("argv" in bench.prepare(command, approvals), `${file} before`);
      writeFileSync(path, `${before}# edited\n`);
      assert.match(bench.refused(command, approvals), /has changed since it was approved/, file);
      assert.match(bench.refused(command), /has changed since it was approved/, file);
      rmSync(path);
      // Without the stand-in, PATH leads to the system's program, which is another file.
      assert.match(bench.refused(command), /does not exist|not found|missing|has no hash|has changed/, file);
      bench.write(file, before);
      assert.ok("argv" in bench.prepare(command), `${file} restored`);
    }
  });
}

test("the real awk, perl and flock are pinned as the stand-ins are", async (t) => {
  const bench = new PinBench(t);
  for (const [command, file] of [
    ["awk -f prog", "prog"],
    ["perl -MTime::HiRes p.pl", "p.pl"],
    ["flock lock bash x", "x"],
    ["/usr/bin/setsid bash x", "x"],
  ] as const) {
    bench.write("lock", "");
    bench.write(file, "one\n");
    await bench.approve(command);
    assert.ok("argv" in bench.prepare(command), command);
    bench.write(file, "two\n");
    assert.match(bench.refused(command), /has changed/);
  }
});

test("a file that appears under a word after the approval is refused", async (t) => {
  const bench = new PinBench(t);
  bench.write("guard.sh", "#!/bin/sh\n");
  await bench.approve("./guard.sh later.json --conf=also.json");
  assert.ok("argv" in bench.prepare("./guard.sh later.json --conf=also.json"));
  for (const file of ["later.json", "also.json"]) {
    bench.write(file, "{}");
    assert.match(bench.refused("./guard.sh later.json --conf=also.json"), /has no hash of its file .*\.json/);
    rmSync(join(bench.folder, file));
  }
});

test("an older approval with a hash of its script still holds, unless the command names further files", async (t) => {
  const bench = new PinBench(t);
  for (const [command, holds] of [
    ["./guard.sh", true],
    ["./guard.sh --verbose 3", true],
    ["./guard.sh data.json", false],
  ] as const) {
    bench.write("guard.sh", "#!/bin/sh\n");
    bench.write("data.json", "{}");
    await bench.approve(command);
    bench.rewriteApprovals(({ files: _files, pin_ignore: _ignored, ...older }) => older);
    assert.equal("argv" in bench.prepare(command), holds, command);
    if (!holds) assert.match(bench.refused(command), /has no hash.*hooks allow/);
  }
});

test("pin_ignore exempts data, as a file or below a folder, but only what the approval ignores, too", async (t) => {
  const bench = new PinBench(t);
  const command = "./guard.sh state.json data/log.txt other.json";
  for (const file of ["guard.sh", "state.json", "data/log.txt", "other.json"]) bench.write(file, "#!/bin/sh\n");
  const ignored = ["state.json", join(bench.folder, "data")];
  await bench.approve(command, { ignored });
  const prepare = (now: readonly string[]) => bench.prepare(command, bench.open(), now);
  bench.write("state.json", "edited");
  bench.write("data/log.txt", "edited");
  assert.ok("argv" in prepare(ignored));
  assert.ok("problem" in prepare(["state.json"]), "no longer ignored by the entry");
  assert.ok("problem" in prepare([]));
  bench.write("other.json", "edited");
  assert.ok("problem" in prepare([...ignored, "other.json"]), "ignored by the entry alone");
  bench.write("other.json", "#!/bin/sh\n");
  bench.write("guard.sh", "#!/bin/sh\necho evil\n");
  assert.ok("problem" in prepare([...ignored, "guard.sh"]));
});

test("pin_ignore does not exempt the script, even in the approval", async (t) => {
  const bench = new PinBench(t);
  bench.write("guard.sh", "#!/bin/sh\n");
  for (const command of ["./guard.sh", "bash guard.sh"]) {
    await bench.approve(command, { ignored: ["guard.sh"] });
    assert.ok("argv" in bench.prepare(command, bench.open(), ["guard.sh"]));
    bench.write("guard.sh", "#!/bin/sh\necho evil\n");
    assert.ok("problem" in bench.prepare(command, bench.open(), ["guard.sh"]));
    bench.write("guard.sh", "#!/bin/sh\n");
  }
});

test("an approval whose list of files was emptied or spoilt does not hold", async (t) => {
  const bench = new PinBench(t);
  bench.write("guard.sh", "#!/bin/sh\n");
  bench.write("data.json", "{}");
  await bench.approve("./guard.sh data.json");
  for (const files of [[], {}, "x", [null], [{ word: 1 }], [{ word: 1, path: "data.json", sha256: 5 }]]) {
    bench.rewriteApprovals((approval) => ({ ...approval, files }));
    assert.ok("problem" in bench.prepare("./guard.sh data.json"), JSON.stringify(files));
  }
});

test("a large file is read again when its times change, and not hashed at each run", async (t) => {
  const bench = new PinBench(t);
  bench.write("guard.sh", "#!/bin/sh\n");
  const path = bench.write("large.bin", "a".repeat(3 * 1024 * 1024));
  await bench.approve("./guard.sh large.bin");
  const approvals = bench.open();
  for (let run = 0; run < 3; run++) assert.ok("argv" in bench.prepare("./guard.sh large.bin", approvals));
  writeFileSync(path, "b".repeat(3 * 1024 * 1024));
  assert.match(bench.refused("./guard.sh large.bin", approvals), /large\.bin has changed/);
});

test("without pinning, the files are recorded, so that pinned can be switched on later", async (t) => {
  const bench = new PinBench(t);
  bench.write("guard.sh", "#!/bin/sh\n");
  bench.write("data.json", "{}");
  await bench.approve("./guard.sh data.json", { mode: "command" });
  assert.ok("argv" in bench.prepare("./guard.sh data.json"));
  await addApprovals(bench.file, [requestFor("./guard.sh other.json")]);
  assert.match(bench.refused("./guard.sh other.json"), /no hash/);
});
