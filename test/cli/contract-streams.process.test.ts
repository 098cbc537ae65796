/** CONTRACT §3: lines of JSON, exit codes, what goes where, and ends at odd moments. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { framesOf, Home, ROOT } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { until } from "../helpers/poll.ts";

const BIN = join(ROOT, "cli/bin.js");

/** Keys of each line beside `type` and `session_id`, with their types; `cause` is on guards that failed alone. */
const LINES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  session: { model: "string", platform: "string", resumed: "boolean" },
  text: { delta: "string" },
  tool_use: { tool: "string", tool_id: "string", params: "object" },
  tool_result: { tool: "string", tool_id: "string", content: "string", success: "boolean" },
  hook: {
    event: "string",
    source: "string",
    name: "string",
    outcome: "string",
    duration_ms: "number",
    detail: "object",
    tool_call_id: "string or null",
  },
  assistant: { content: "string", finish_reason: "string" },
  cost: { input_tokens: "number", output_tokens: "number" },
  error: { message: "string", code: "string" },
  result: { completed: "boolean", interrupted: "boolean", duration_ms: "number", exit_code: "number" },
};

function checkLines(frames: readonly Record<string, unknown>[]): void {
  assert.equal(frames[0]?.["type"], "session");
  assert.equal(frames.at(-1)?.["type"], "result");
  assert.equal(frames.filter(({ type }) => type === "result").length, 1);
  for (const { type, session_id, ...rest } of frames) {
    assert.match(String(session_id), /^[0-9a-f]{8}_/);
    const types = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, typeOf(key, value)]));
    assert.deepEqual(types, LINES[String(type)], String(type));
  }
}

/** Of the tool events it is a string, of the others null. */
function typeOf(key: string, value: unknown): string {
  const isTold = key === "tool_call_id" && (value === null || typeof value === "string");
  return isTold ? "string or null" : typeof value;
}

const PASSING = `export function register(ctx) {
  ctx.register_hook("pre_tool_call", () => undefined);
  ctx.register_hook("on_session_finalize", () => undefined);
}`;

test("stream-json: the same shape for a turn, a limit, !CMD, a slash command and a mistake", async (t) => {
  const home = new Home(t);
  home.plugin("passing", PASSING);
  home.write("config.yaml", "plugins: { enabled: [passing] }\n");
  const stream = async (...args: string[]) => {
    const ended = await home.run(["chat", ...args, "--output-format", "stream-json"]);
    const frames = framesOf(ended);
    checkLines(frames);
    assert.equal(frames.at(-1)?.["exit_code"], ended.code);
    return { ...ended, frames, types: frames.map(({ type }) => String(type)).filter((type) => type !== "text") };
  };

  const turn = await stream("-q", '@nonsense {"a":1}\n@terminal {}\n@terminal {"command":"echo hi"}');
  assert.deepEqual(turn.frames.find(({ type }) => type === "tool_use")?.["params"], { a: 1 });
  assert.deepEqual(
    turn.frames.filter(({ type }) => type === "tool_result").map(({ success }) => success),
    [false, false, true],
  );
  for (const { content } of turn.frames.filter(({ type }) => type === "tool_result")) JSON.parse(String(content));
  // The words as they arrive make the answer, where no hook changes it.
  assert.equal(
    turn.frames
      .filter(({ type }) => type === "text")
      .map(({ delta }) => delta)
      .join(""),
    turn.frames.find(({ type }) => type === "assistant")?.["content"],
  );

  const limit = await stream("-c", "-q", "run `echo 1`, then run `echo 2`", "--max-turns", "1");
  assert.equal(limit.code, 53);
  assert.equal(limit.frames.find(({ type }) => type === "error")?.["code"], "HERMES_TURN_LIMIT");
  assert.equal(limit.frames[0]?.["resumed"], true);

  const shell = await stream("-c", "-q", "!echo typed");
  assert.deepEqual(shell.types, ["session", "tool_use", "hook", "tool_result", "hook", "result"]);
  assert.equal(shell.code, 0);

  const slash = await stream("-c", "-q", "/status");
  assert.deepEqual(slash.types, ["session", "assistant", "hook", "result"]);
  assert.match(String(slash.frames[1]?.["content"]), /^session {2}[0-9a-f]{8}_/);

  const fresh = await stream("-c", "-q", "/new");
  assert.deepEqual(fresh.types, ["session", "hook", "session", "assistant", "hook", "result"]);

  const mistake = await stream("-c", "-q", "/hlep");
  assert.deepEqual(mistake.types, ["session", "error", "hook", "result"]);
  assert.equal(mistake.code, 2);
  assert.match(mistake.stderr, /^hermes: .*Did you mean "\/help"\?\n$/);
});

test("stream-json: observers in the background have their lines too, before the result", async (t) => {
  const home = new Home(t);
  // The first ends when the conversation is being closed, the last is not done when everything else is.
  const first = home.script("first.sh", `until [ -e ${home.path}/closing ]; do sleep 0.05; done\n`);
  const closing = home.script("closing.sh", `touch ${home.path}/closing\n`);
  const last = home.script("last.sh", "sleep 0.3\n");
  home.write(
    "config.yaml",
    `hooks:
  post_llm_call: [{ command: ${first}, name: first, async: true }]
  on_session_finalize: [{ command: ${closing}, name: closing }, { command: ${last}, name: last, async: true }]
`,
  );
  const ended = await home.run(["--accept-hooks", "chat", "-q", "hi", "--output-format", "stream-json"]);
  const frames = framesOf(ended);
  checkLines(frames);
  const hooks = frames
    .filter(({ type }) => type === "hook")
    .map(({ name, outcome }) => `${String(name)} ${String(outcome)}`);
  assert.deepEqual(new Set(hooks), new Set(["first pass", "closing pass", "last pass"]));
  assert.equal(hooks.length, 3);
});

test("wrong usage is 2, a sentence on standard error and nothing on standard output", async (t) => {
  const home = new Home(t);
  for (const args of [
    ["chat", "-q", "x", "--max-turns", "0"],
    ["chat", "-q", "x", "--max-turns", "1.5"],
    ["chat", "-q", "x", "--output-format", "xml"],
    ["chat", "-q", "x", "-c", "-r", "latest"],
    ["chat", "--query-file", "/not/there"],
    ["chat", "superfluous"],
    ["chat", "-q", ""],
    ["chat", "--output-format", "stream-json"],
  ]) {
    // The last two read standard input.
    const readsInput = ["", "stream-json"].includes(args.at(-1)!);
    const { code, stdout, stderr } = readsInput ? await home.run(args) : await runInProcess(home, args);
    assert.deepEqual([code, stdout], [2, ""], `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /^hermes: [^\n]+\n("hermes chat --help" lists the commands and options\.\n)?$/);
  }
  assert.ok(!home.has("state.db"), "nothing was started");
});

test("odd input: NUL, invalid UTF-8, a very long message, a home relative to the folder; all files are private", async (t) => {
  const home = new Home(t);
  const env = home.env({ HERMES_HOME: "relative/home" });
  const run = (input: Buffer | string) =>
    spawnSync(process.execPath, [BIN, "chat", "-Q"], { cwd: home.work, env, input, encoding: "utf8", maxBuffer: 1e8 });
  const odd = run(Buffer.from([0x61, 0, 0x62, 0xff, 0x63]));
  assert.deepEqual([odd.status, odd.stdout.startsWith("a\0b\uFFFDc")], [0, true], odd.stderr);
  const long = run("x".repeat(2_000_000));
  assert.deepEqual([long.status, long.stdout.startsWith("x".repeat(2_000_000))], [0, true]);
  run("!echo x");
  const folder = join(home.work, "relative/home");
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  assert.deepEqual([mode(folder), mode(join(folder, "state.db"))], ["700", "600"]);
});

test("logs are private, whole lines, and hold no secret", async (t) => {
  const home = new Home(t);
  home.plugin(
    "chatty",
    `export function register(ctx) {
       ctx.logger.info("the key is " + process.env.SOME_API_KEY);
       ctx.register_hook("pre_tool_call", () => { throw new Error("cannot log in with " + process.env.SOME_API_KEY); });
     }`,
  );
  home.write("config.yaml", "plugins: { enabled: [chatty] }\n");
  const chats = ["one", "two", "three"].map((word) =>
    home.run(["chat", "-Q", "-q", `run \`echo ${word}\``], { env: { SOME_API_KEY: "hush-hush-hush" } }),
  );
  for (const { code, stdout } of await Promise.all(chats)) {
    assert.equal(code, 0);
    assert.match(stdout, /one|two|three/);
  }
  for (const file of ["logs/hermes.log", "logs/hooks.jsonl"]) {
    const text = home.read(file);
    for (const line of text.trim().split("\n"))
      assert.match(String((JSON.parse(line) as { time: unknown }).time), /Z$/);
    assert.doesNotMatch(text, /hush-hush/);
    assert.equal(statSync(join(home.path, file)).mode & 0o777, 0o600);
  }
  assert.equal(statSync(join(home.path, "logs")).mode & 0o777, 0o700);
  assert.match(home.read("logs/hermes.log"), /the key is \[redacted\]/);
  const { stdout } = await home.run(["sessions", "list", "--json"]);
  assert.equal((JSON.parse(stdout) as { sessions: unknown[] }).sessions.length, 3);
});

test("readers that go away end nothing; a full disk is said, and is 1", async (t) => {
  const home = new Home(t);
  const message = "run `echo a`, then run `echo b`";
  for (const stream of ["stdout", "stderr"] as const) {
    const child = spawn(process.execPath, [BIN, "chat", "-q", message], { cwd: home.work, env: home.env() });
    child[stream].destroy();
    child.stdin.end();
    let kept = "";
    const other = stream === "stdout" ? child.stderr : child.stdout;
    other.setEncoding("utf8").on("data", (text: string) => (kept += text));
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.equal(code, 0, `${stream}: ${kept}`);
    assert.match(kept, stream === "stdout" ? /echo b/ : /terminal returned/);
    assert.doesNotMatch(kept, /EPIPE/);
  }
  if (!existsSync("/dev/full")) return;
  const full = spawnSync(process.execPath, [BIN, "chat", "-Q", "-q", "x"], {
    cwd: home.work,
    env: home.env(),
    stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    encoding: "utf8",
  });
  assert.equal(full.status, 1);
  assert.match(full.stderr, /^hermes: Cannot write to standard output: ENOSPC[^\n]*\n$/);
});

const HANGING = `
import { appendFileSync } from "node:fs";
const hang = (event) => () => { appendFileSync(process.env.HERMES_HOME + "/hung", event + "\\n"); return new Promise(() => undefined); };
export function register(ctx) {
  for (const event of ["post_tool_call", "on_session_end", "on_session_finalize"]) ctx.register_hook(event, hang(event));
  ctx.on("session:end", hang("session:end"));
  ctx.on_unload(hang("unload"));
}`;

test("closing hooks that hang have five seconds together after a signal, and each gets its chance", async (t) => {
  const home = new Home(t);
  home.plugin("hanging", HANGING);
  // Each of them could take longer than a test may.
  home.write("config.yaml", "plugins: { enabled: [hanging], callback_timeout_seconds: 600 }\n");
  const running = home.start(["chat", "-q", "run `echo begun; sleep 60`", "--output-format", "stream-json"]);
  await running.sees("tool_use");
  running.kill("SIGTERM");
  const ended = await running.ended;
  assert.equal(ended.code, 143);
  assert.deepEqual(framesOf(ended).at(-1)?.["exit_code"], 143);
  assert.equal(home.read("hung"), "post_tool_call\non_session_end\nsession:end\non_session_finalize\nunload\n");
});

test("a signal while a finished turn is being closed still ends the wait; the program ends with 130", async (t) => {
  const home = new Home(t);
  home.plugin("hanging", HANGING);
  home.write("config.yaml", "plugins: { enabled: [hanging], callback_timeout_seconds: 600 }\n");
  const running = home.start(["chat", "-Q", "-q", "hello"]);
  await running.sees("hello");
  const hung = (event: string) =>
    until(() => home.has("hung") && home.read("hung").includes(event), `${event} is reached`);
  await hung("on_session_end");
  running.kill("SIGINT");
  await hung("session:end");
  running.kill("SIGINT");
  assert.equal((await running.ended).code, 130);
});

test("files in place of the home's folders, and a folder in place of the database, cause no crash", async (t) => {
  const home = new Home(t);
  home.write("plugins", "a file");
  home.write("logs", "a file");
  mkdirSync(join(home.path, "state.db"));
  const { code, stdout, stderr } = await home.run(["chat", "-Q", "-q", "still here"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^still here/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});
