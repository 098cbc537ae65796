import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { isGone, processSpace, thisProcess } from "#core/process-space";

test("a process of the same boot and namespace can be seen from here, one of another cannot", () => {
  const here = processSpace();
  assert.match(here ?? "", /^[0-9a-f-]{36} pid:\[\d+\]$/);
  const code = 'const { processSpace } = await import("#core/process-space"); process.stdout.write(processSpace());';
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", code]);
  assert.equal(child.stdout.toString(), here);
  const ended = { space: here, pid: child.pid, start: "1" };
  assert.deepEqual([thisProcess(), ended, { ...ended, space: "elsewhere" }, { ...ended, space: null }].map(isGone), [
    false,
    true,
    false,
    false,
  ]);
});
