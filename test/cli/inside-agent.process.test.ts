import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "#core/home/database";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";
import { EmbeddedSchedules } from "#daemon/storage/embedded-schedules";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, ROOT } from "../helpers/hermes.ts";

const hermes = `"${process.execPath}" "${join(ROOT, "cli/bin.js")}"`;

/** Runs a command through the terminal tool of a one-shot conversation and gives its output. */
async function inside(home: Home, command: string): Promise<string> {
  const { stdout } = await home.run([
    "chat",
    "-q",
    `@terminal ${JSON.stringify({ command })}`,
    "--output-format",
    "stream-json",
  ]);
  const results = stdout
    .split("\n")
    .filter((line) => line.includes('"tool_result"'))
    .map((line) => (JSON.parse(line) as { content: string }).content);
  assert.equal(results.length, 1, stdout);
  return results[0]!;
}

/** What an agent may try to loosen its guards with. */
const REFUSED: readonly string[] = [
  `${hermes} hooks allow pre_tool_call ./guard.sh`,
  `${hermes} hooks --log-level info allow --all`,
  `${hermes} hooks revoke ./guard.sh`,
  `${hermes} hooks test pre_tool_call`,
  `${hermes} hooks replay`,
  `${hermes} hooks reload`,
  `${hermes} hooks import settings.json --write`,
  `${hermes} plugins enable demo`,
  `${hermes} plugins disable demo`,
  `${hermes} plugins install ./demo --yes`,
  `${hermes} plugins update --yes`,
  `${hermes} plugins remove demo --yes`,
  `${hermes} model --provider offline --no-test`,
  `${hermes} pairing approve ABCD1234`,
  `${hermes} gateway setup api_server --set port=1 --no-test`,
  `${hermes} pairing revoke telegram 1`,
  `${hermes} --accept-hooks chat -q hello`,
  `${hermes} chat --accept-hooks -q hello`,
  `HERMES_ACCEPT_HOOKS=1 ${hermes} chat -q hello`,
  `${hermes} --home other hooks allow pre_tool_call ./guard.sh`,
  `env -u HERMES_AGENT_HOMES ${hermes} hooks allow --all`,
  `HERMES_AGENT_HOMES='[]' ${hermes} hooks allow --all`,
  `env -i PATH="$PATH" HERMES_HOME="$HERMES_HOME" ${hermes} hooks allow --all`,
  `setsid -w env -i PATH="$PATH" HERMES_HOME="$HERMES_HOME" ${hermes} hooks allow --all`,
];

for (const profile of ["auto", "off"]) {
  test(`sandbox.tools ${profile}: a hermes inside refuses what would loosen the guards of the agent`, async (t) => {
    const home = new Home(t);
    home.write("config.yaml", `model: { provider: offline }\nsandbox: { tools: ${profile} }\n`);
    // The words of a command are judged before it runs where there is no sandbox: hidden in a file they are not.
    writeFileSync(join(home.work, "run.sh"), REFUSED.map((command) => `${command} 2>&1; echo "code $?"`).join("\n"));
    const { output } = JSON.parse(await inside(home, "bash run.sh")) as { output: string };
    const answers = output.split(/(?<=^code \d+\n)/m);
    assert.equal(answers.length, REFUSED.length);
    for (const [index, answer] of answers.entries()) {
      assert.match(answer, /was started by a tool of the agent.*\ncode 1\n$/, REFUSED[index]);
    }
  });
}

test("hooks_auto_accept of the configuration is refused inside", async (t) => {
  const home = new Home(t);
  const guard = home.script("guard.sh", "exit 0\n");
  home.write("config.yaml", `model: { provider: offline }\nsandbox: { tools: off }\n`);
  const other = join(home.work, "other");
  mkdirSync(other);
  const config = `hooks_auto_accept: true\nhooks: { pre_tool_call: [{ command: "${guard}" }] }\n`;
  writeFileSync(join(other, "config.yaml"), config);
  writeFileSync(join(home.work, "run.sh"), `${hermes} --home other chat -q hello 2>&1; echo "code $?"\n`);
  assert.match(await inside(home, "bash run.sh"), /hooks_auto_accept is refused here: .*code 1/);
});

test("what only reads works inside, and outside nothing is refused", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\nsandbox: { tools: off }\n");
  writeFileSync(join(home.work, "run.sh"), `${hermes} hooks list --json; echo "code $?"\n`);
  assert.match(await inside(home, "bash run.sh"), /\\"hooks\\": \[\].*code 0/);
  const guard = home.script("guard.sh", "exit 0\n");
  assert.equal((await runInProcess(home, ["hooks", "allow", "pre_tool_call", guard])).code, 0);
});

test("messages, schedules and tasks are listed inside without secrets, and outside as they are", async (t) => {
  const home = new Home(t);
  const secret = "correct-horse-battery-7";
  const sender = { name: "hook", bind: "127.0.0.1:1", script: "/bin/cat", verify: "bearer", secret };
  const config = { model: { provider: "offline" }, sandbox: { tools: "off" }, inbound: [sender] };
  home.write("config.yaml", JSON.stringify(config));
  const text = `use ${secret} now`;
  const database = openDatabase(join(home.path, "state.db"));
  const inbox = new EmbeddedInbox(database);
  await inbox.add({ session: "w", source: "inject", label: "send", content: text });
  const schedules = new EmbeddedSchedules(database, inbox);
  await schedules.add({ name: "w", when: "in 9h", prompt: text, nextAt: new Date(Date.now() + 1e7) });
  const tasks = new EmbeddedTasks(database, new EmbeddedDeliveries(database));
  const task = {
    prompt: text,
    cwd: "/",
    idempotencyKey: null,
    runner: null,
    maxTurns: null,
    timeout: 0,
    submittedOn: "cli",
  };
  const { id } = await tasks.submit(task);
  database.close();
  const lists = ["inbox list --name w", "schedule list", "tasks list", `tasks status ${id}`];
  for (const list of lists) {
    for (const form of [list, `${list} --json`])
      assert.match((await runInProcess(home, form.split(" "))).stdout, /correct-horse/, form);
  }
  const commands = lists.flatMap((list) => [`${hermes} ${list}`, `${hermes} ${list} --json`]);
  writeFileSync(join(home.work, "run.sh"), commands.map((command) => `${command} 2>&1; echo "code $?"`).join("\n"));
  const { output } = JSON.parse(await inside(home, "bash run.sh")) as { output: string };
  assert.equal(output.match(/^code 0$/gm)?.length, commands.length, output);
  assert.equal(output.match(/use \S+ now/g)?.length, commands.length, output);
  assert.ok(!output.includes(secret), output);
});

test("the agent of a hermes inside keeps to the limits of the home outside, also with another home", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\nsandbox: { tools: off }\n");
  mkdirSync(join(home.work, "other"));
  writeFileSync(join(home.work, "other", "config.yaml"), "sandbox: { tools: off }\n");
  const path = join(home.path, "config.yaml");
  const call = `@write_file ${JSON.stringify({ path, content: "{}" })}`;
  writeFileSync(join(home.work, "ask.txt"), call);
  writeFileSync(join(home.work, "run.sh"), `${hermes} --home other chat --query-file ask.txt 2>&1\n`);
  assert.match(await inside(home, "bash run.sh"), /off limits/);
});
