/** A hermes in the sandbox asks the one outside for what is hidden from it (CONTRACT §15). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Home, ROOT } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { killQuietly } from "../helpers/processes.ts";

const BUBBLEWRAP = "/usr/bin/bwrap";
const hermes = `"${process.execPath}" "${join(ROOT, "cli/bin.js")}"`;

async function homeWithSession(t: TestContext): Promise<Home> {
  const home = new Home(t);
  home.write("config.yaml", "sandbox: { tools: guard }\n");
  assert.equal((await home.run(["chat", "-q", "the first words"])).code, 0);
  return home;
}

/** Runs shell text behind the sandbox of a running conversation; gives its output and exit code. */
async function inside(home: Home, command: string): Promise<{ output: string; exit_code: number }> {
  const words = ["chat", "-q", `@terminal ${JSON.stringify({ command })}`, "--output-format", "stream-json"];
  const { stdout } = await home.run(words);
  const line = stdout.split("\n").find((text) => text.includes('"tool_result"'));
  assert.ok(line !== undefined, stdout);
  const { content } = JSON.parse(line) as { content: string };
  return JSON.parse(content) as { output: string; exit_code: number };
}

test("lists are answered by the conversation around the command", async (t) => {
  const home = await homeWithSession(t);
  const list = await inside(home, `${hermes} sessions list --json 2>&1`);
  const { sessions } = JSON.parse(list.output) as { sessions: { title: string }[] };
  assert.equal(list.exit_code, 0);
  assert.ok(sessions.some(({ title }) => title === "the first words"));

  const globals = await inside(
    home,
    `${hermes} --home "$HERMES_HOME" --log-level=error sessions list --log-level warn`,
  );
  assert.match(globals.output, /the first words/);

  home.write("config.yaml", "hooks: { pre_tool_call: [{ command: ./guard.sh }] }\nsandbox: { tools: guard }\n");
  const hooks = await inside(home, `${hermes} hooks list --check`);
  assert.match(hooks.output, /pre_tool_call.*\.\/guard\.sh/);
  assert.equal(hooks.exit_code, 1);

  const wrong = await inside(home, `${hermes} sessions list --limit none 2>&1`);
  assert.match(wrong.output, /--limit/);
  assert.equal(wrong.exit_code, 2);
});

test("a command that needs what is hidden, and that nobody answers, says so", async (t) => {
  const home = await homeWithSession(t);
  for (const command of [
    "sessions show latest",
    "sessions export latest",
    "sessions delete latest",
    "pairing list",
    "hooks log",
    "dashboard --link",
  ]) {
    const { output, exit_code } = await inside(home, `${hermes} ${command} 2>&1`);
    assert.equal(exit_code, 1, command);
    const name = command.replace(" latest", "");
    assert.match(output, new RegExp(`hermes ${name} cannot run here: the sandbox .* hides`), command);
  }
});

test("hermes sandbox run answers, too; where nobody listens the list says what is missing", async (t) => {
  const home = await homeWithSession(t);
  const list = [process.execPath, join(ROOT, "cli/bin.js"), "sessions", "list"];
  const answered = await home.run(["sandbox", "run", "--", ...list]);
  assert.match(answered.stdout, /the first words/);
  // A sandbox as the one of hermes, without a hermes outside.
  const empty = new Home(t);
  const mounts = ["--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--ro-bind", empty.path, empty.path];
  const alone = spawnSync(BUBBLEWRAP, [...mounts, ...list], { encoding: "utf8", env: empty.env(), cwd: empty.work });
  assert.match(alone.stderr, /hermes sessions list cannot run here/);
  assert.equal(alone.status, 1);
});

test("nothing but a list is answered, no request harms the program, and its socket goes with it", async (t) => {
  const home = await homeWithSession(t);
  const go = join(home.work, "go");
  const running = home.start([
    "sandbox",
    "run",
    "--",
    "sh",
    "-c",
    `echo ready; while [ ! -e '${go}' ]; do sleep 0.05; done`,
  ]);
  t.after(() => killQuietly(running.pid));
  await running.sees("ready");
  const run = join(home.path, "run");
  const sockets = () => readdirSync(run).filter((name) => name.endsWith(".sock"));
  assert.equal(sockets().length, 1);
  const ask = async (text: string): Promise<string> => {
    const client = connect(join(run, sockets()[0]!));
    client.end(text);
    client.on("error", () => undefined);
    let answer = "";
    client.setEncoding("utf8").on("data", (part: string) => (answer += part));
    // A connection that is hung up on may be reset.
    await new Promise((resolve) => client.once("close", resolve));
    return answer;
  };
  const words = (...list: readonly string[]) => `${JSON.stringify({ words: list })}\n`;
  for (const refused of [
    "",
    "\n",
    "garbage\n",
    "null\n",
    '{"words":"sessions list"}\n',
    '{"words":["sessions",1]}\n',
    words("sessions", "delete", "latest"),
    words("chat", "-q", "hello"),
    words("--accept-hooks", "sessions", "list"),
    words("sessions", "list", "--accept-hooks"),
    words("sessions", "list", "--home=/tmp"),
    words("hooks", "allow", "--all"),
    "x".repeat(200_000),
  ]) {
    assert.equal(await ask(refused), "", refused.slice(0, 60));
  }
  // Clients that go away in the middle, more than are answered at once.
  for (let count = 0; count < 10; count++) {
    const client = connect(join(run, sockets()[0]!));
    client.on("error", () => undefined);
    client.write(words("sessions", "list"), () => client.destroy());
    await new Promise((resolve) => client.once("close", resolve));
  }
  const list = () => ask(words("sessions", "list")).then((answer) => answer.includes("the first words"));
  await until(list, "a list is answered again");
  writeFileSync(go, "");
  const { code } = await running.ended;
  assert.equal(code, 0);
  assert.deepEqual(sockets(), []);
});
