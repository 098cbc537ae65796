/** Schedules, background tasks and skills: what a daemon and its agent do by themselves. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Schedule } from "#core/ports/schedules";
import { gate, messagesOf, send, startDaemon } from "../helpers/daemon.ts";
import { Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { until } from "../helpers/poll.ts";
import { taskHome } from "../helpers/tasks.ts";

async function schedulesOf(home: Home): Promise<readonly Schedule[]> {
  const { stdout, stderr, code } = await runInProcess(home, ["schedule", "list", "--json"]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { schedules: Schedule[] }).schedules;
}

test("schedules are added, listed and removed while no daemon runs; what was due comes once at its start", async (t) => {
  const home = new Home(t);
  const due = await home.run(["schedule", "add", "--name", "watcher", "in 1s", "was due"]);
  assert.match(due.stdout, /^[a-z0-9]{16}\n$/, due.stderr);
  const cron = await home.run(["cron", "add", "--name", "watcher", "0 9 * * 1-5", "good morning"]);
  const [first, second] = await schedulesOf(home);
  const { next_at, ...rest } = second!;
  assert.deepEqual(rest, { id: cron.stdout.trim(), name: "watcher", when: "0 9 * * 1-5", prompt: "good morning" });
  assert.equal(new Date(next_at).getHours(), 9);
  await until(() => Date.parse(first!.next_at) <= Date.now(), "it is due");
  const daemon = await startDaemon(t, home);
  await daemon.turns(1);
  const shown = daemon.frames().find(({ type }) => type === "injected");
  assert.deepEqual([shown?.["source_kind"], shown?.["content"]], ["schedule", "was due"]);
  const removed = await home.run(["schedule", "remove", cron.stdout.slice(0, 6)]);
  assert.equal(removed.code, 0, removed.stderr);
  assert.deepEqual(await schedulesOf(home), []);
  assert.equal((await home.run(["cron", "remove", cron.stdout.trim()])).code, 3);
});

test("a bad time is 2 with an example, and nothing is stored", async (t) => {
  const home = new Home(t);
  for (const when of ["sometimes", "0 9 * *", "99 * * * *", "2020-01-01T00:00", "0 0 30 2 *"]) {
    const { code, stdout, stderr } = await runInProcess(home, ["schedule", "add", "--name", "watcher", when, "x"]);
    assert.deepEqual([code, stdout], [2, ""], when);
    assert.ok(stderr.includes(when), stderr);
  }
  const wrong = await runInProcess(home, ["schedule", "add", "--name", "watcher", "sometimes", "x"]);
  assert.match(wrong.stderr, /write a time like "0 9 \* \* 1-5", "in 10m" or/);
  assert.equal((await runInProcess(home, ["schedule", "add", "--name", "watcher", "in 1m", " "])).code, 2);
  assert.deepEqual(await schedulesOf(home), []);
});

test("the agent schedules messages for itself; its tool passes the hooks as any other", async (t) => {
  const home = new Home(t);
  const guard = home.script(
    "guard.sh",
    `grep -q '"in 9h"' && echo '{"decision":"block","reason":"not so late"}'; exit 0\n`,
  );
  const hooks = { pre_tool_call: [{ matcher: "schedule", command: guard }] };
  home.write("config.yaml", JSON.stringify({ model: { provider: "offline" }, hooks, hooks_auto_accept: true }));
  const daemon = await startDaemon(t, home);
  await send(home, daemon.name, '@schedule {"when": "in 9h", "prompt": "blocked"}');
  await send(home, daemon.name, '@schedule {"when": "in 1s", "prompt": "it is time"}');
  await daemon.turns(3);
  assert.equal(daemon.injected().at(-1), "it is time");
  assert.deepEqual(await schedulesOf(home), []);
  const results = daemon.frames().filter(({ type }) => type === "tool_result");
  assert.match(String(results[0]?.["content"]), /not so late/);
  assert.match(String(results[1]?.["content"]), /"id":"[a-z0-9]{16}","next_at":"20/);
});

test("a skill's text enters the turn that asks for it", async (t) => {
  const home = new Home(t);
  home.write("skills/notes/SKILL.md", "---\nname: notes\ndescription: how to write them\n---\nGroup the changes.\n");
  const daemon = await startDaemon(t, home);
  const watching = ["text", "jsonl"].map((format) => home.start(["attach", "--name", daemon.name, "--format", format]));
  t.after(() => watching.forEach((one) => one.kill("SIGKILL")));
  const [text, lines] = watching;
  for (const one of watching) await one.sees("Attached to");
  await send(home, daemon.name, '@use_skill {"name": "notes"}\n\nrun `true`');
  await daemon.turns(1);
  await text!.sees('+ inject send: @use_skill {"name": "notes"}');
  await text!.sees('+ skill notes: The skill "notes"');
  await lines!.sees('"source_kind":"inject","source_label":"send","content":"@use_skill');
  await lines!.sees('"source_kind":"skill","source_label":"notes","content":"The skill');
  await until(
    async () => (await messagesOf(home, daemon.name)).every(({ state }) => state === "done"),
    "both are done",
  );
  const skill = daemon.frames().find((frame) => frame["source_kind"] === "skill");
  assert.equal(skill?.["source_label"], "notes");
  assert.match(String(skill?.["content"]), /The skill "notes" .*:\n\nGroup the changes\.$/);
  const results = daemon.frames().filter(({ type }) => type === "result");
  assert.equal(results.length, 1, "it had no turn of its own");
});

test("a background task reports through the inbox, also when the daemon was killed meanwhile", async (t) => {
  const home = taskHome(t);
  const { message, entered, open } = gate(home, "task");
  const first = await startDaemon(t, home);
  await send(home, first.name, `@run_in_background ${JSON.stringify({ prompt: message })}`);
  await first.turns(1);
  await entered();
  first.kill("SIGKILL");
  await first.ended;
  const second = await startDaemon(t, home);
  open();
  await second.turns(1);
  const report = second.frames().find(({ type }) => type === "injected");
  assert.equal(report?.["source_kind"], "background");
  assert.match(String(report?.["content"]), /^The background task [a-z0-9]{16} ended after .* s: succeeded\./);
  assert.match(String(report?.["content"]), /Its answer:\n\nterminal returned/);
  assert.deepEqual(
    (await messagesOf(home, first.name)).map(({ source, state }) => [source, state]),
    [
      ["inject", "done"],
      ["background", "done"],
    ],
  );
});
