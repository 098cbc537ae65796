import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { driftOf, takeScriptFingerprint, type Drift } from "#allowlist/fingerprint";
import type { Approval } from "#allowlist/store";
import { scriptOf } from "#allowlist/words";

function folder(context: TestContext): { cwd: string; env: { PATH: string }; script: string } {
  const cwd = mkdtempSync(join(tmpdir(), "hermes-fingerprint-"));
  context.after(() => rmSync(cwd, { recursive: true, force: true }));
  const script = join(cwd, "guard.sh");
  writeFileSync(script, "#!/bin/sh\necho hi\n");
  chmodSync(script, 0o755);
  return { cwd, env: { PATH: cwd }, script };
}

const SCRIPTS: readonly (readonly [argv: readonly string[], script: string | null])[] = [
  [["./guard.sh", "a"], "guard.sh"],
  [["guard.sh"], "guard.sh"],
  [["bash", "guard.sh", "a"], "guard.sh"],
  [["/bin/bash", "-e", "-u", "./guard.sh"], "guard.sh"],
  [["python3", "-u", "guard.sh"], "guard.sh"],
  [["/usr/bin/env", "-S", "bash", "guard.sh"], "guard.sh"],
  [["env", "A=1", "guard.sh"], "guard.sh"],
  [["timeout", "5", "bash", "guard.sh"], "guard.sh"],
  [["node", "--no-warnings", "guard.sh"], "guard.sh"],
  [["bash", "-c", "guard.sh"], null],
  [["sh", "-ec", "echo"], null],
  [["node", "-e", "1"], null],
  [["python3", "-m", "module"], null],
  [["bash", "./gone.sh"], "gone.sh"],
  [["./gone.sh"], "gone.sh"],
  [["no-such-program"], null],
];
for (const [argv, script] of SCRIPTS) {
  test(`the script of ${argv.join(" ")} is ${script ?? "the command itself"}`, (context) => {
    const place = folder(context);
    assert.equal(scriptOf(argv, place), script === null ? null : join(place.cwd, script));
  });
}

test("drift tells a changed script from an unchanged, a missing and an unknown one", (context) => {
  const { script, ...place } = folder(context);
  const argv = [script];
  const pair = { event: "pre_tool_call", command: script };
  const { sha256, mtime } = takeScriptFingerprint(argv, place);
  const full: Approval = { ...pair, approved_at: "x", script_sha256: sha256, script_mtime_at_approval: mtime };
  const onlyTime: Approval = { ...pair, script_mtime_at_approval: mtime };
  const drift = (approval: Approval | undefined): Drift => driftOf(argv, approval, place);

  assert.deepEqual(
    [drift(full), drift(onlyTime), drift(pair), drift(undefined)],
    ["none", "none", "unknown", "unknown"],
  );
  utimesSync(script, 1, 1);
  assert.deepEqual([drift(full), drift(onlyTime)], ["none", "modified"], "touched, but the same");
  writeFileSync(script, "#!/bin/sh\necho ho\n");
  utimesSync(script, new Date(mtime!), new Date(mtime!));
  assert.equal(drift(full), "modified", "edited, with its old time put back");
  rmSync(script);
  assert.deepEqual([drift(full), drift(onlyTime), drift(undefined)], ["missing", "missing", "missing"]);
});

test("times as other programs write them are understood", (context) => {
  const { script, ...place } = folder(context);
  const pair = { event: "pre_tool_call", command: script };
  const { mtime } = statSync(script);
  const whole = mtime.toISOString().replace(/\.\d+Z/, "Z");
  const micro = mtime.toISOString().replace("Z", "999Z");
  for (const time of [whole, micro]) {
    assert.equal(driftOf([script], { ...pair, script_mtime_at_approval: time }, place), "none", time);
  }
  assert.equal(driftOf([script], { ...pair, script_mtime_at_approval: "yesterday" }, place), "modified");
});

test("inline code is pinned by the command", (context) => {
  const place = folder(context);
  const approval = { event: "e", command: "sh -c 'x'", approved_at: "2026-01-01T00:00:00.000Z", script_path: null };
  assert.equal(driftOf(["sh", "-c", "x"], approval, place), "none");
  assert.equal(driftOf(["sh", "-c", "x"], undefined, place), "unknown");
});
