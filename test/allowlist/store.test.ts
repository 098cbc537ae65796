import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openApprovals } from "#allowlist/approvals";
import { addApprovals, readAllowlist, revokeCommand } from "#allowlist/store";
import { plain } from "../helpers/requests.ts";

const PAIR = { event: "pre_tool_call", command: "~/guard.sh" };
const OTHER = { event: "post_tool_call", command: "~/log.sh" };

function home(context: TestContext): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), "hermes-allowlist-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, file: join(folder, "shell-hooks-allowlist.json") };
}

function write(file: string, document: unknown, mode = 0o600): void {
  writeFileSync(file, typeof document === "string" ? document : JSON.stringify(document));
  chmodSync(file, mode);
}

const contentOf = (file: string) => JSON.parse(readFileSync(file, "utf8")) as { approvals: unknown[] };

test("a missing file means no approvals; the first write makes home and file private", async (context) => {
  const { folder } = home(context);
  const file = join(folder, "new", "shell-hooks-allowlist.json");
  assert.deepEqual(readAllowlist(file).approvals, []);
  assert.deepEqual(readAllowlist(file).warnings, []);
  assert.equal(await addApprovals(file, [PAIR]), 1);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, "new")).mode & 0o777, 0o700);
  assert.equal(openApprovals(file).termsOf(PAIR) !== undefined, true);
});

test("a hand-written file suffices, one entry a pair, and approving again keeps the first", async (context) => {
  const { file } = home(context);
  write(file, {
    approvals: [
      { ...PAIR, note: "mine" },
      { ...PAIR, approved_by: "later" },
    ],
    version: 7,
  });
  assert.equal(readAllowlist(file).approvals.length, 1);
  assert.equal(await addApprovals(file, [{ ...PAIR, approved_by: "command" }]), 0);
  assert.equal(await addApprovals(file, [OTHER, OTHER]), 1);
  assert.deepEqual(contentOf(file), {
    approvals: [{ ...PAIR, note: "mine" }, { ...PAIR, approved_by: "later" }, OTHER],
    version: 7,
  });
});

const UNUSABLE: readonly (readonly [what: string, make: (file: string, folder: string) => void, problem: RegExp])[] = [
  ["no JSON", (file) => write(file, '{"approvals": ['), /is not valid JSON/],
  ["an empty file", (file) => write(file, ""), /is not valid JSON/],
  ["a list", (file) => write(file, [PAIR]), /does not have the form/],
  ["an object without approvals", (file) => write(file, {}), /does not have the form/],
  ["approvals that are no list", (file) => write(file, { approvals: { a: PAIR } }), /does not have the form/],
  ["a directory", (file) => mkdirSync(file), /is a directory/],
  [
    "a symlink",
    (file, folder) => {
      write(join(folder, "elsewhere.json"), { approvals: [PAIR] });
      symlinkSync(join(folder, "elsewhere.json"), file);
    },
    /is a symbolic link/,
  ],
  [
    "100 MB of it",
    (file) => (write(file, { approvals: [PAIR] }), truncateSync(file, 100_000_000)),
    /is larger than 16 MiB/,
  ],
  ["a pipe", (file) => void execFileSync("mkfifo", [file]), /is not a regular file/],
  ["a dangling symlink", (file) => symlinkSync("/no/such/file", file), /is a symbolic link/],
];
for (const [what, make, problem] of UNUSABLE) {
  test(`${what} means no approvals, is reported and never overwritten`, async (context) => {
    const { file, folder } = home(context);
    make(file, folder);
    const kind = lstatSync(file).mode;
    const state = readAllowlist(file);
    assert.deepEqual(state.approvals, []);
    assert.match(state.warnings.join(), problem);
    for (const change of [() => addApprovals(file, [PAIR]), () => revokeCommand(file, PAIR.command)]) {
      await assert.rejects(change(), { code: "HERMES_ALLOWLIST_UNUSABLE", exitCode: 1 });
    }
    assert.equal(lstatSync(file).mode, kind);
    const refusal = openApprovals(file).decide(plain(PAIR));
    assert.match(refusal.granted ? "" : refusal.reason, problem);
  });
}

test(
  "a file that belongs to someone else is ignored",
  { skip: process.getuid?.() !== 0 && "only root can give files away" },
  async (context) => {
    const { file } = home(context);
    write(file, { approvals: [PAIR] });
    const { chownSync } = await import("node:fs");
    chownSync(file, 12345, 12345);
    assert.match(readAllowlist(file).warnings.join(), /belongs to another user/);
    assert.equal(openApprovals(file).termsOf(PAIR) !== undefined, false);
  },
);

for (const mode of [0o666, 0o620, 0o602]) {
  test(`a file of mode ${mode.toString(8)}, which others may write, is ignored; a write makes it private`, async (context) => {
    const { file } = home(context);
    write(file, { approvals: [PAIR] }, mode);
    const state = readAllowlist(file);
    assert.deepEqual(state.approvals, []);
    assert.match(state.warnings.join(), /is writable by other users/);
    await addApprovals(file, [OTHER]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(openApprovals(file).termsOf(OTHER) !== undefined, true);
    assert.equal(
      openApprovals(file).termsOf(PAIR) !== undefined,
      false,
      "what others could have written must not come to count",
    );
  });
}

test("one bad entry is skipped with a warning and kept in the file", async (context) => {
  const { file } = home(context);
  write(file, { approvals: [PAIR, "x", { event: 5, command: "c" }, null] });
  const state = readAllowlist(file);
  assert.deepEqual(state.approvals, [PAIR]);
  assert.deepEqual(
    state.warnings.map((warning) => /approvals\[\d\]/.exec(warning)?.[0]),
    ["approvals[1]", "approvals[2]", "approvals[3]"],
  );
  await addApprovals(file, [OTHER]);
  assert.equal(contentOf(file).approvals.length, 5);
});

test("revoking removes the command at every event and nothing else", async (context) => {
  const { file } = home(context);
  write(file, { approvals: [PAIR, { ...PAIR, event: "post_tool_call" }, OTHER, "bad"] });
  assert.equal(await revokeCommand(file, PAIR.command), 2);
  assert.deepEqual(contentOf(file).approvals, [OTHER, "bad"]);
  assert.equal(await revokeCommand(file, PAIR.command), 0);
});

test("revoking where there is no file writes none", async (context) => {
  const { file } = home(context);
  assert.equal(await revokeCommand(file, "x"), 0);
  assert.equal(existsSync(file), false);
});

test("a running process sees approvals come and go", async (context) => {
  const { file } = home(context);
  const approvals = openApprovals(file);
  for (let round = 0; round < 5; round++) {
    assert.equal(approvals.termsOf(PAIR) !== undefined, false);
    await addApprovals(file, [PAIR]);
    assert.equal(approvals.termsOf(PAIR) !== undefined, true);
    await revokeCommand(file, PAIR.command);
  }
  approvals.approveForThisRun([PAIR]);
  assert.equal(approvals.decide(plain(PAIR)).granted, true);
  assert.equal(approvals.decide(plain(OTHER)).granted, false);
});

test("a home that cannot be written has its own error", async (context) => {
  const { folder } = home(context);
  writeFileSync(join(folder, "file"), "");
  await assert.rejects(addApprovals(join(folder, "file", "list.json"), [PAIR]), {
    code: "HERMES_ALLOWLIST_UNWRITABLE",
  });
});
