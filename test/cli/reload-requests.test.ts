/** How a process takes requests to reload out of `run/`. */
import test from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isFromPerson, writeHeldRequest } from "#cli/reload-asker";
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

test("only a process that holds its request open, and that no agent started, asks for a person", async (t) => {
  const folder = temporaryFolder(t);
  const request = join(folder, "1.reload-aa");
  const judge = (content: string) => {
    writeFileSync(request, content);
    return isFromPerson(request);
  };
  const heldElsewhere = process.platform !== "linux";
  for (const content of ["", "x", "1", String(process.pid), `${process.pid}\n`.repeat(8), "-1", "0"]) {
    assert.equal(judge(content), heldElsewhere, JSON.stringify(content));
  }
  assert.equal(isFromPerson(join(folder, "missing")), heldElsewhere);

  const held = writeHeldRequest(join(folder, "1.reload-bb"));
  assert.equal(isFromPerson(join(folder, "1.reload-bb")), true);
  closeSync(held);
  assert.equal(isFromPerson(join(folder, "1.reload-bb")), heldElsewhere, "no longer held");
  // This process holds the file of another's request.
  const other = openSync(request, "r");
  t.after(() => closeSync(other));
  assert.equal(judge(String(process.ppid)), heldElsewhere);
  assert.equal(judge(String(process.pid)), true);

  const env = { ...process.env, HERMES_AGENT_HOMES: JSON.stringify([folder]) };
  for (const [name, command] of Object.entries({
    direct: `exec 5<>"$1"; printf %s $$ >&5; echo ready; read -r wait`,
    "without its mark": `exec 5<>"$1"; env -u HERMES_AGENT_HOMES sh -c 'printf %s $$ >&5; echo ready; read -r wait'; exit`,
  })) {
    const child = spawn("sh", ["-c", command, "sh", join(folder, "1.reload-cc")], {
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    writeFileSync(join(folder, "1.reload-cc"), "");
    await once(child.stdout, "data");
    assert.equal(isFromPerson(join(folder, "1.reload-cc")), heldElsewhere, name);
    child.stdin.end();
    await once(child, "exit");
  }
});
