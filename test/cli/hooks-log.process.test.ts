/** `hermes hooks log` and `hermes hooks list --live` beside running conversations (CONTRACT §6). */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, ROOT } from "../helpers/hermes.ts";
import { noPty } from "../helpers/pty.ts";
import { until } from "../helpers/poll.ts";

type Fields = Record<string, unknown>;

/** A home with a guard, an approved observer and a plugin. */
function hooked(context: TestContext): Home {
  const home = new Home(context);
  home.script("guard.sh", "cat >/dev/null\nexit 2\n");
  home.script("observer.sh", "cat >/dev/null\nexit 3\n");
  home.plugin("watcher", "export function register(ctx) { ctx.register_hook('post_llm_call', () => null); }");
  home.write(
    "config.yaml",
    `hooks_auto_accept: true
plugins: { enabled: [watcher] }
hooks:
  pre_tool_call: [{ command: ~/.hermes/agent-hooks/guard.sh, matcher: terminal, name: guard }]
  post_tool_call: [{ command: ~/.hermes/agent-hooks/observer.sh --token hunter22 }]
`,
  );
  return home;
}

const runsOf = (text: string): Fields[] => (JSON.parse(text) as { runs: Fields[] }).runs;

test("log: a home without runs", async (context) => {
  const home = new Home(context);
  assert.deepEqual(runsOf((await runInProcess(home, ["hooks", "log", "--json"])).stdout), []);
  const { code, stdout } = await runInProcess(home, ["hooks", "log"]);
  assert.equal(code, 0);
  assert.match(stdout, /No hooks have run yet/);
});

test("log: hooks of every kind with their outcome, newest last, without secrets", async (context) => {
  const home = hooked(context);
  await home.run(["chat", "-q", "run `ls`"]);
  const runs = runsOf((await runInProcess(home, ["hooks", "log", "--json"])).stdout);
  assert.deepEqual(
    runs.map(({ time, duration_ms, session_id, tool_call_id, ...rest }) => {
      assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      assert.equal(typeof duration_ms, "number");
      assert.match(String(session_id), /^[0-9a-f]{8}_/);
      if (rest["tool_name"] === null) assert.equal(tool_call_id, null);
      else assert.equal(tool_call_id, runs[0]?.["tool_call_id"]);
      return rest;
    }),
    [
      {
        event: "pre_tool_call",
        source: "shell",
        name: "guard",
        command: "~/.hermes/agent-hooks/guard.sh",
        outcome: "block",
        cause: null,
        detail: "Blocked by shell hook.",
        exit_code: 2,
        tool_name: "terminal",
      },
      {
        event: "post_tool_call",
        source: "shell",
        name: "~/.hermes/agent-hooks/observer.sh --token [redacted]",
        command: "~/.hermes/agent-hooks/observer.sh --token [redacted]",
        outcome: "error",
        cause: null,
        detail:
          'shell hook "~/.hermes/agent-hooks/observer.sh --token [redacted]" failed at post_tool_call: it failed with exit code 3',
        exit_code: 3,
        tool_name: "terminal",
      },
      {
        event: "post_llm_call",
        source: "plugin",
        name: "watcher",
        command: null,
        outcome: "pass",
        cause: null,
        detail: null,
        exit_code: null,
        tool_name: null,
      },
    ],
  );
  assert.equal(home.read("logs/hooks.jsonl").includes("hunter22"), false);
  assert.equal(runsOf((await runInProcess(home, ["hooks", "log", "--limit", "1", "--json"])).stdout).length, 1);
  const { stdout } = await runInProcess(home, ["hooks", "log"]);
  assert.match(stdout, /^TIME +EVENT +TOOL +SOURCE +OUTCOME/);
  assert.match(stdout, /pre_tool_call +terminal +shell +block +[\d.]+ ms +2 +guard: Blocked by shell hook\./);
  assert.match(stdout, /error +[\d.]+ ms +3 +shell hook "[^"]+" failed at post_tool_call: it failed with exit code 3/);
  assert.match(stdout, /post_llm_call +plugin +pass +[\d.]+ ms +watcher$/m);
  assert.equal((await runInProcess(home, ["hooks", "log", "--limit", "many"])).code, 2);
  const log = home.read("logs/hooks.jsonl");
  appendFileSync(join(home.path, "logs/hooks.jsonl"), log.repeat(60));
  const all = runsOf((await runInProcess(home, ["hooks", "log", "--limit", "0", "--json"])).stdout);
  assert.equal(all.length, 61 * (log.split("\n").length - 1));
});

test("log --follow --json: one object a line as runs end, across a rotation; Ctrl+C is 130", async (context) => {
  const home = hooked(context);
  const follower = home.start(["hooks", "log", "--follow", "--json"]);
  const chat = home.run(["chat", "-q", "run `ls`"]);
  await follower.sees('"post_llm_call"');
  await chat;
  const log = join(home.path, "logs/hooks.jsonl");
  renameSync(log, `${log}.1`);
  writeFileSync(log, '{"half a line\n');
  appendFileSync(log, `${JSON.stringify({ time: "t", event: "e", source: "s", name: "after", outcome: "pass" })}\n`);
  await follower.sees('"after"');
  follower.kill("SIGINT");
  const { code, stdout, stderr } = await follower.ended;
  assert.deepEqual([code, stderr], [130, ""]);
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as Fields)["event"]);
  assert.deepEqual(names, ["pre_tool_call", "post_tool_call", "post_llm_call", "e"]);
});

test("log --follow ends without a word when nobody reads any more", async (context) => {
  const home = new Home(context);
  home.write("logs/hooks.jsonl", "");
  const child = spawn(process.execPath, [join(ROOT, "cli/bin.js"), "hooks", "log", "--follow"], {
    env: home.env(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  context.after(() => child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve([code, signal])));
  child.stdout.destroy();
  const line = `${JSON.stringify({ time: "t", event: "e", source: "s", name: "n", outcome: "pass" })}\n`;
  const writing = setInterval(() => appendFileSync(join(home.path, "logs/hooks.jsonl"), line), 50);
  context.after(() => clearInterval(writing));
  assert.deepEqual(await ended, [0, null]);
  assert.equal(stderr, "");
});

test("log: a log that cannot be read is 1, with its name", async (context) => {
  const home = new Home(context);
  home.write("logs/hooks.jsonl/file", "");
  for (const args of [[], ["--follow"]]) {
    const { code, stderr } = await runInProcess(home, ["hooks", "log", ...args]);
    assert.equal(code, 1);
    assert.match(stderr, /hooks\.jsonl cannot be read: EISDIR/);
  }
});

interface Live {
  readonly processes: readonly { pid: number; command: string; started_at: string; hooks: readonly Fields[] }[];
}

const live = async (home: Home): Promise<Live> =>
  JSON.parse((await runInProcess(home, ["hooks", "list", "--live", "--json"])).stdout) as Live;

test("list --live: what a running conversation has registered and how it fares; gone at its end", async (context) => {
  const home = hooked(context);
  home.script("observer.sh", `cat >/dev/null\ntouch "${join(home.work, "reached")}"\nsleep 60\n`);
  const chat = home.start(["chat", "-q", "run `ls`", "--output-format", "stream-json"]);
  await until(() => existsSync(join(home.work, "reached")), "the observer runs");
  // The snapshot follows within half a second.
  const found = await until(async () => {
    const [process] = (await live(home)).processes;
    return process?.hooks.some(({ last_outcome }) => last_outcome === "block") === true ? process : undefined;
  }, "the block is in the snapshot");
  assert.equal(found.pid, chat.pid);
  assert.equal(found.command, "hermes chat -q 'run `ls`' --output-format stream-json");
  assert.match(found.started_at, /^\d{4}-.*Z$/);
  assert.deepEqual(
    found.hooks.map(({ event, source, name, matcher, last_outcome }) => [event, source, name, matcher, last_outcome]),
    [
      ["pre_tool_call", "shell", "guard", "terminal", "block"],
      ["post_tool_call", "shell", "~/.hermes/agent-hooks/observer.sh --token [redacted]", null, null],
      ["post_llm_call", "plugin", "watcher", null, null],
    ],
  );
  const text = (await runInProcess(home, ["hooks", "list", "--live"])).stdout;
  assert.match(text, new RegExp(`hermes chat -q .* \\(process ${chat.pid}, started `));
  assert.match(text, /post_tool_call +shell .* never/);
  chat.kill("SIGTERM");
  assert.equal((await chat.ended).code, 143);
  assert.deepEqual((await live(home)).processes, []);
  assert.deepEqual(
    readdirSync(join(home.path, "run")).filter((name) => /^\d+\.json$/.test(name)),
    [],
  );
});

test("list --live: a process that was killed is gone at the next look", { skip: noPty }, async (context) => {
  const home = hooked(context);
  const chat = home.terminal(["chat"]);
  const snapshot = () =>
    (existsSync(join(home.path, "run")) ? readdirSync(join(home.path, "run")) : []).filter((name) =>
      /^\d+\.json$/.test(name),
    );
  await until(() => snapshot().length > 0, "there is a snapshot");
  const [{ pid } = { pid: 0 }] = (await live(home)).processes;
  assert.equal(snapshot()[0], `${pid}.json`);
  process.kill(pid, "SIGKILL");
  await chat.exited;
  assert.deepEqual((await live(home)).processes, []);
  assert.deepEqual(snapshot(), []);
});
