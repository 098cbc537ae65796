import assert from "node:assert/strict";
import test from "node:test";
import type { Task } from "#core/ports/tasks";
import type { Worker } from "#core/ports/workers";
import { checkedTag, tagList, waitsForTag } from "#cli/tasks/tags";

test("a tag has 1 to 40 letters, digits, dots, underscores and hyphens", () => {
  for (const good of ["gpu", "Repo-x_1.2", "a".repeat(40)]) assert.equal(checkedTag("--tag", good), good);
  for (const bad of ["", " ", "a b", "ä", "a,b", "a/b", "'", "a".repeat(41)]) {
    assert.throws(() => checkedTag("--tag", bad), { code: "HERMES_USAGE" }, bad);
  }
  assert.deepEqual(tagList("--tags")("gpu, repo-x,gpu"), ["gpu", "repo-x"]);
  assert.throws(() => tagList("--tags")("gpu,,x"), { code: "HERMES_USAGE" });
});

test("only a queued task whose tag no worker has waits for one", () => {
  const workers = [{ tags: ["gpu"] }] as unknown as readonly Worker[];
  const waiting = (status: string, tag?: string) => waitsForTag({ status, tag } as unknown as Task, workers);
  assert.match(waiting("queued", "big") ?? "", /no running worker has the tag big/);
  assert.deepEqual([waiting("queued", "gpu"), waiting("queued"), waiting("running", "big")], Array(3).fill(undefined));
});
