import assert from "node:assert/strict";
import { chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { mayAccess } from "#core/may-access";

test("a file can be executed only with an executable bit, and a missing one not be accessed at all", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-access-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "script.sh");
  writeFileSync(file, "#!/bin/sh\n", { mode: 0o644 });
  assert.ok(mayAccess(file, constants.R_OK));
  assert.equal(mayAccess(file, constants.X_OK), false);
  chmodSync(file, 0o755);
  assert.ok(mayAccess(file, constants.X_OK));
  assert.equal(mayAccess(join(folder, "missing"), constants.R_OK), false);
});
