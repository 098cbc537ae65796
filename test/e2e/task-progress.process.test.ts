/** What a person sees on a terminal while a task runs (`tasks wait`, `output --follow`, `cancel`). */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { noPty } from "../helpers/pty.ts";
import { statusOf, submitTask, taskBecomes, taskHome } from "../helpers/tasks.ts";

const COLOURS = { NO_COLOR: "" };
/** Runs until the file exists. */
const HELD = "run `echo begun; until test -e go; do sleep 0.1; done; echo over`";
const release = (home: Home) => writeFileSync(join(home.work, "go"), "");

/** The screen after the escape sequences for it were obeyed: lines as they were when the program ended. */
function screenOf(raw: string): string {
  const lines = [""];
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
  for (const piece of raw.split(/(\r\n|\n|\r(?:\u001b\[K)?)/)) {
    if (piece === "\r\n" || piece === "\n") lines.push("");
    else if (piece === "\r\u001b[K") lines[lines.length - 1] = "";
    // oxlint-disable-next-line no-control-regex -- escape sequences are what is taken out
    else if (piece !== "\r") lines[lines.length - 1] += piece.replaceAll(/\u001b\[[0-9;]*m/g, "");
  }
  return lines.join("\n");
}

test("wait shows state, time and figures in one line, which is gone at the end", { skip: noPty }, async (t) => {
  const home = taskHome(t, { background: { max_concurrent: 1 } });
  const first = await submitTask(home, HELD);
  const second = await submitTask(home, "hello");
  const [running, queued] = [first, second].map((id) => home.terminal(["tasks", "wait", id], COLOURS));
  await running!.see(/running \d+s/);
  await queued!.see(/queued \(1st\) \d+s/);
  release(home);
  assert.deepEqual([await running!.exited, await queued!.exited], [0, 0]);
  for (const terminal of [running!, queued!]) assert.equal(screenOf(terminal.raw()), "");
});

test("followed output stays as it is on a terminal; the line comes below it", { skip: noPty }, async (t) => {
  const home = taskHome(t);
  const id = await submitTask(home, `${HELD}\nand say ünïcode 日本`);
  const terminal = home.terminal(["tasks", "output", id, "--follow"], COLOURS);
  await terminal.see(/terminal/);
  await terminal.see(/running \d+s/);
  release(home);
  assert.equal(await terminal.exited, 0);
  const screen = screenOf(terminal.raw());
  assert.doesNotMatch(screen, /running \d/);
  const plain = await home.run(["tasks", "output", id]);
  assert.deepEqual([plain.stdout.includes("over"), plain.stderr.includes("· terminal")], [true, true]);
  // The call is drawn for people there; every word of the answer is on both.
  const words = new Set(screen.split(/\s+/));
  for (const word of plain.stdout.split(/\s+/)) assert.ok(words.has(word), word);
});

test("Ctrl+C leaves the task running and says how to look again", { skip: noPty }, async (t) => {
  const home = taskHome(t);
  const id = await submitTask(home, HELD);
  for (const words of [["wait"], ["output", "--follow"]]) {
    const terminal = home.terminal(["tasks", ...words, id], COLOURS);
    await terminal.see(/running \d+s/);
    terminal.type("\x03");
    await terminal.see(`hermes tasks output ${id} --follow`);
    assert.equal(await terminal.exited, 130);
    assert.doesNotMatch(screenOf(terminal.raw()), /running \d/);
    assert.equal((await statusOf(home, id)).status, "running");
  }
  release(home);
  assert.equal((await home.run(["tasks", "wait", id])).code, 0);
});

test("nothing is drawn without colours, on a dumb terminal and in pipes", { skip: noPty }, async (t) => {
  const home = taskHome(t);
  const id = await submitTask(home, HELD);
  await taskBecomes(home, id, "running");
  const terminals = [{ NO_COLOR: "1" }, { ...COLOURS, TERM: "dumb" }].map((env) =>
    home.terminal(["tasks", "wait", id], env),
  );
  const piped = home.start(["tasks", "wait", id], { env: COLOURS });
  for (const terminal of terminals) await terminal.see("running");
  release(home);
  for (const terminal of terminals) {
    assert.equal(await terminal.exited, 0);
    // Once, in faint letters where there are colours.
    // oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
    assert.match(terminal.raw(), /^(\u001b\[2m)?running(\u001b\[22m)?\r\n$/);
  }
  const { code, stdout, stderr } = await piped.ended;
  assert.deepEqual([code, stdout, stderr], [0, "", ""]);
});

test("cancel says what it waits for when that takes longer than a second", { skip: noPty }, async (t) => {
  const home = taskHome(t);
  const id = await submitTask(home, HELD);
  let pid: number | null = null;
  await until(async () => ({ pid } = await statusOf(home, id)).pid !== null, "its process runs");
  // Takes no signal but KILL.
  process.kill(pid!, "SIGSTOP");
  const terminal = home.terminal(["tasks", "cancel", id], COLOURS);
  await terminal.see(/waiting for its turn to end after the interrupt \d+s/);
  await terminal.see(/waiting for its processes to end after SIGTERM \d+s/);
  assert.equal(await terminal.exited, 0);
  assert.equal(screenOf(terminal.raw()), `Task ${id} is cancelled.\n`);
});
