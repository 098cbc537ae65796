/** `hooks_consent: pinned`, as the runner of scripts sees it (CONTRACT §5). */
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { forgetCopies } from "#allowlist/record";
import { addApprovals, revokeCommand } from "#allowlist/store";
import { PinBench, requestFor } from "../helpers/pins.ts";

const GUARD = "#!/bin/sh\necho approved\n";

test("what runs is a private copy of the approved bytes, by the interpreter of its #! line", async (context) => {
  const bench = new PinBench(context);
  const script = bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh a 'b c'");
  const { argv, argv0, script: original, bytes } = bench.ready("./guard.sh a 'b c'");
  const copy = argv[1]!;
  assert.deepEqual(argv, [realpathSync("/bin/sh"), copy, "a", "b c"]);
  assert.deepEqual([argv0, original, bytes], ["/bin/sh", script, GUARD]);
  assert.equal(statSync(copy).mode & 0o777, 0o500);
  for (const folder of ["home/approved-hooks", join(copy, "..").slice(bench.folder.length + 1)]) {
    assert.equal(statSync(join(bench.folder, folder)).mode & 0o777, 0o700);
  }
});

test("an approval in the other mode has no copy; it is made while the bytes are still the approved ones", async (context) => {
  const bench = new PinBench(context);
  bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh", { mode: "command" });
  assert.equal(existsSync(join(bench.folder, "home/approved-hooks")), false);
  assert.equal(bench.open().examine(requestFor("./guard.sh"), ["./guard.sh"]).state, "unchanged");
  assert.equal(existsSync(join(bench.folder, "home/approved-hooks")), false, "looking changes nothing");
  assert.equal(bench.ready("./guard.sh").bytes, GUARD);
});

test("a script edited with its time and size kept does not run", async (context) => {
  const bench = new PinBench(context);
  const script = bench.write("guard.sh", GUARD);
  const { mtime, atime } = statSync(script);
  await bench.approve("./guard.sh");
  const approvals = bench.open();
  assert.equal(bench.ready("./guard.sh", approvals).bytes, GUARD);
  writeFileSync(script, GUARD.replace("approved", "attacker"));
  utimesSync(script, atime, mtime);
  assert.match(bench.refused("./guard.sh", approvals), /has changed since it was approved.*hermes hooks allow/);
  assert.equal(approvals.examine(requestFor("./guard.sh"), ["./guard.sh"]).state, "changed");
  writeFileSync(script, GUARD);
  assert.equal(bench.ready("./guard.sh", approvals).bytes, GUARD, "the approved bytes are back");
});

test("a script replaced by a link runs only if the bytes behind it are the approved ones", async (context) => {
  const bench = new PinBench(context);
  const script = bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh");
  rmSync(script);
  symlinkSync(bench.write("evil.sh", "#!/bin/sh\necho evil\n"), script);
  assert.match(bench.refused("./guard.sh"), /has changed/);
  rmSync(script);
  symlinkSync(bench.write("same.sh", GUARD), script);
  assert.equal(bench.ready("./guard.sh").bytes, GUARD);
  rmSync(script);
  symlinkSync("/dev/zero", script);
  assert.match(bench.refused("./guard.sh"), /is not a regular file/);
  rmSync(script);
  mkdirSync(script);
  assert.match(bench.refused("./guard.sh"), /is a directory/);
  rmSync(script, { recursive: true });
  assert.match(bench.refused("./guard.sh"), /does not exist/);
});

test("a script that lost its exec bit, or is too large, does not run", async (context) => {
  const bench = new PinBench(context);
  const script = bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh");
  chmodSync(script, 0o644);
  assert.match(bench.refused("./guard.sh"), /not executable: .*chmod \+x/);
  truncateSync(script, 65 * 1024 * 1024);
  assert.match(bench.refused("./guard.sh"), /larger than 64 MiB/);
});

test("an approval without a hash treated as changed", async (context) => {
  const bench = new PinBench(context);
  bench.write("guard.sh", GUARD);
  await addApprovals(bench.file, [requestFor("./guard.sh")]);
  assert.match(bench.refused("./guard.sh"), /no hash.*treated as changed/);
});

test("a copy that was changed, removed or replaced by a link is created again", async (context) => {
  const bench = new PinBench(context);
  bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh");
  const copy = bench.ready("./guard.sh").argv[1]!;
  const harm: readonly (() => void)[] = [
    () => rmSync(copy),
    () => {
      chmodSync(copy, 0o700);
      writeFileSync(copy, "evil");
    },
    () => {
      rmSync(copy);
      symlinkSync(bench.write("evil.sh", GUARD), copy);
    },
    () => rmSync(join(copy, ".."), { recursive: true }),
    () => chmodSync(join(copy, ".."), 0o777),
  ];
  for (const [index, damage] of harm.entries()) {
    damage();
    assert.equal(bench.ready("./guard.sh").bytes, GUARD, `damage ${index}`);
    assert.ok(statSync(copy).isFile());
    assert.equal(statSync(join(copy, "..")).mode & 0o077, 0);
  }
});

test("where no copy can be made nothing runs", async (context) => {
  const bench = new PinBench(context);
  bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh", { mode: "command" });
  writeFileSync(join(bench.folder, "home/approved-hooks"), "");
  assert.match(bench.refused("./guard.sh"), /private copy .* cannot be created/);
  rmSync(join(bench.folder, "home/approved-hooks"));
  mkdirSync(join(bench.folder, "elsewhere"));
  symlinkSync(join(bench.folder, "elsewhere"), join(bench.folder, "home/approved-hooks"));
  assert.match(bench.refused("./guard.sh"), /not a folder owned by you/);
});

test("an earlier python3 in PATH does not win: not in the running process, not after a restart", async (context) => {
  const bench = new PinBench(context);
  const real = bench.write("bin/python3", "#!/bin/sh\n");
  const commands = ["python3 guard.py", "./shebang.py", "env A=1 python3 guard.py", "python3 -c 'print(1)'"];
  bench.write("guard.py", "print('approved')\n");
  bench.write("shebang.py", "#!/usr/bin/env python3\nprint('approved')\n");
  for (const command of commands) await bench.approve(command);
  const running = bench.open();
  const before = commands.map((command) => bench.ready(command, running).argv);
  mkdirSync(join(bench.folder, "early"));
  bench.write("early/python3", "#!/bin/sh\necho evil\n");
  bench.place.env.PATH = `${join(bench.folder, "early")}:${bench.place.env.PATH}`;
  for (const approvals of [running, bench.open()]) {
    for (const [index, command] of commands.entries()) {
      const { argv } = bench.ready(command, approvals);
      assert.deepEqual(argv, before[index]);
      assert.ok(argv.includes(real), `${real} in ${argv.join(" ")}`);
    }
  }
  rmSync(real);
  for (const command of commands) assert.match(bench.refused(command), /interpreter is missing: python3/);
});

test("a link that was the interpreter is followed once", async (context) => {
  const bench = new PinBench(context);
  const first = bench.write("first", "#!/bin/sh\n");
  symlinkSync(first, join(bench.bin, "python3"));
  bench.write("guard.py", "1\n");
  await bench.approve("python3 guard.py");
  const approvals = bench.open();
  const { argv, argv0 } = bench.ready("python3 guard.py", approvals);
  assert.deepEqual([argv[0], argv0], [first, join(bench.bin, "python3")]);
  rmSync(join(bench.bin, "python3"));
  symlinkSync(bench.write("evil", "#!/bin/sh\n"), join(bench.bin, "python3"));
  assert.equal(bench.ready("python3 guard.py", approvals).argv[0], first);
});

test("the bytes of the script, put in place of one of its arguments, do not pass for it", async (context) => {
  const bench = new PinBench(context);
  const script = bench.write("guard.sh", GUARD);
  bench.write("log.txt", "");
  for (const mode of ["pinned", "command"] as const) {
    await bench.approve("bash -e guard.sh log.txt", { mode, renew: true });
    assert.equal(bench.ready("bash -e guard.sh log.txt").argv[3], "log.txt");
    copyFileSync(script, join(bench.folder, "log.txt"));
    rmSync(script);
    assert.match(
      bench.refused("bash -e guard.sh log.txt"),
      /does not exist|none of its words is a script|log\.txt has changed/,
    );
    bench.write("guard.sh", GUARD);
    await revokeCommand(bench.file, "bash -e guard.sh log.txt");
  }
});

/** Commands, the word that is pinned, and what stands before it when it runs. */
const COMMANDS: readonly (readonly [command: string, pinned: string | null])[] = [
  ["bash guard.sh", "guard.sh"],
  ["bash -o pipefail -e guard.sh x", "guard.sh"],
  ["bash --norc --rcfile other.sh guard.sh", "guard.sh"],
  ["python3 -W other.sh -u guard.sh", "guard.sh"],
  ["node --require ./other.sh guard.sh", "guard.sh"],
  ["timeout 5 nice -n 3 bash guard.sh", "guard.sh"],
  ["env -i A=1 ./guard.sh", "guard.sh"],
  ["env -u X -S bash guard.sh", "guard.sh"],
  ["timeout -s KILL 5 ./guard.sh", "guard.sh"],
  ["bash guard.sh -c ./other.sh", "guard.sh"],
  ["bash -c ./other.sh", null],
  ["bash -ec ./other.sh", null],
  ["python3 -m other", null],
];
for (const [command, pinned] of COMMANDS) {
  test(`${command} pins ${pinned ?? "nothing but itself"}`, async (context) => {
    const bench = new PinBench(context);
    bench.write("guard.sh", GUARD);
    bench.write("other.sh", "other\n");
    for (const name of ["python3", "node"]) bench.write(`bin/${name}`, "#!/bin/sh\n");
    await bench.approve(command);
    const { bytes, argv } = bench.ready(command);
    assert.equal(bytes, pinned === null ? "" : GUARD);
    assert.ok(!argv.includes("guard.sh") && !argv.includes("./guard.sh"));
    assert.ok(argv[0].startsWith("/"));
  });
}

for (const command of ["bash -s", "node --test", "bash nothing", "no-such-program"]) {
  test(`${command} has nothing that can be pinned, so it does not run`, async (context) => {
    const bench = new PinBench(context);
    bench.write("guard.sh", GUARD);
    await bench.approve(command);
    assert.match(bench.refused(command), /nothing to pin|not found|is missing|no hash/);
  });
}

const SHEBANGS: readonly (readonly [line: string, before: readonly string[] | RegExp])[] = [
  ["#!/bin/sh", ["/bin/sh"]],
  ["#! /bin/sh -e -u ", ["/bin/sh", "-e -u"]],
  ["#!/usr/bin/env sh", ["/usr/bin/sh"]],
  ["#!/usr/bin/env -S sh -e -u", ["/usr/bin/sh", "-e", "-u"]],
  ["#!/usr/bin/env -S -i A=1 sh", ["/usr/bin/env", "-i", "A=1", "/usr/bin/sh"]],
  ["#!/no/such/interpreter", /interpreter is missing: \/no\/such\/interpreter/],
  ["#!/bin/sh\r", /interpreter is missing: \/bin\/sh\\r/],
  ["#!", /#! line/],
  ["#!/usr/bin/env -S -u PATH sh", /too complex/],
  ["#!/usr/bin/env -S 'sh'", /too complex/],
];
for (const [line, before] of SHEBANGS) {
  test(`the line ${JSON.stringify(line)} is obeyed as the system would, or refused`, async (context) => {
    const bench = new PinBench(context);
    bench.place.env.PATH = "/usr/bin";
    bench.write("guard.sh", `${line}\necho approved\n`);
    await bench.approve("./guard.sh a");
    if (before instanceof RegExp) {
      assert.match(bench.refused("./guard.sh a"), before);
      return;
    }
    const { argv, argv0 } = bench.ready("./guard.sh a");
    assert.deepEqual([argv0, ...argv.slice(1, -2)], before);
    assert.equal(argv.at(-1), "a");
  });
}

test("a program without a #! line runs as its copy, under its own name", async (context) => {
  const bench = new PinBench(context);
  copyFileSync("/bin/true", join(bench.folder, "guard"));
  await bench.approve("./guard");
  const { argv, argv0 } = bench.ready("./guard");
  assert.equal(argv0, join(bench.folder, "guard"));
  assert.deepEqual(readFileSync(argv[0]), readFileSync("/bin/true"));
});

test("approving again keeps the first, unless the script has changed and that is asked for", async (context) => {
  const bench = new PinBench(context);
  const script = bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh");
  const first = readFileSync(bench.file, "utf8");
  await bench.approve("./guard.sh");
  assert.equal(readFileSync(bench.file, "utf8"), first);
  writeFileSync(script, "#!/bin/sh\necho new\n");
  await bench.approve("./guard.sh");
  assert.equal(readFileSync(bench.file, "utf8"), first);
  assert.match(bench.refused("./guard.sh"), /has changed/);
  await bench.approve("./guard.sh", { renew: true });
  assert.match(bench.ready("./guard.sh").bytes, /new/);
  assert.equal(readdirSync(join(bench.folder, "home/approved-hooks")).length, 1, "the old copy is gone");
  await revokeCommand(bench.file, "./guard.sh");
  forgetCopies(bench.file);
  assert.deepEqual(readdirSync(join(bench.folder, "home/approved-hooks")), []);
});

test("a revoke between the grant and the run takes effect", async (context) => {
  const bench = new PinBench(context);
  bench.write("guard.sh", GUARD);
  await bench.approve("./guard.sh");
  const consent = bench.open().decide(requestFor("./guard.sh"));
  assert.ok(consent.granted);
  await revokeCommand(bench.file, "./guard.sh");
  assert.deepEqual(consent.grant.pin?.(["./guard.sh"]), { problem: "its approval was revoked" });
});
