/** How a process takes requests to reload out of `run/`. */
import test from "node:test";
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listenForReloads } from "#cli/reload-requests";
import { until } from "../helpers/poll.ts";
import { temporaryFolder } from "../helpers/temporary-folder.ts";

test("a request is taken and answered, the file of one that is still being written is left alone", async (t) => {
  const folder = temporaryFolder(t);
  let reloads = 0;
  const close = listenForReloads({
    folder,
    reload: async () => ({ ok: true, changes: [`reload ${++reloads}`], problems: [] }),
    onError: (problem) => assert.fail(problem),
  });
  t.after(close);
  const unfinished = join(folder, `${process.pid}.reload-aa.1.bb.tmp`);
  const foreign = join(folder, "1.reload-cc");
  for (const file of [unfinished, foreign]) writeFileSync(file, "");
  writeFileSync(join(folder, `${process.pid}.reload-dd`), "");
  const answer = join(folder, `${process.pid}.reloaded-dd`);
  await until(() => existsSync(answer) && readFileSync(answer, "utf8").includes("reload 1"), "the answer");
  assert.equal(reloads, 1);
  assert.ok(existsSync(unfinished));
  assert.ok(existsSync(foreign));
});
