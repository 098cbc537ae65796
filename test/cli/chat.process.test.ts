import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";

const GUARD = `if grep -q forbidden; then printf '{"decision":"block","reason":"not that"}'; fi`;

function guarded(t: Pick<TestContext, "after">): Home {
  const home = new Home(t);
  const script = home.script("guard.sh", GUARD);
  home.write("config.yaml", `hooks:\n  pre_tool_call: [{ matcher: terminal, command: ${script} }]\n`);
  return home;
}

test("one turn: the answer on standard output, tool calls on standard error, 0", async (t) => {
  const home = new Home(t);
  const { code, stdout, stderr } = await home.run(["chat", "-q", "run `printf fresh-%s-works clone`"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /fresh-clone-works/);
  assert.match(stdout, /offline model/i);
  assert.match(stderr, /terminal/);
});

test("-Q prints the answer alone, and the second turn of a session does not introduce the model again", async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "hello"]);
  const { stdout, stderr } = await home.run(["chat", "-c", "-Q", "-q", "just this"]);
  assert.equal(stdout, "just this\n");
  assert.equal(stderr, "");
});

test("standard input is the message, and beside -q its context", async (t) => {
  const home = new Home(t);
  const piped = await home.run(["chat"], { input: "run `echo from-a-pipe`\n" });
  assert.match(piped.stdout, /from-a-pipe/);
  const beside = await home.run(["chat", "-c", "-Q", "-q", "look at this:"], { input: "some context\n" });
  assert.match(beside.stdout, /^look at this:\n\nsome context/);
  const file = join(home.work, "query.txt");
  writeFileSync(file, "from a file");
  assert.match((await home.run(["chat", "-Q", "--query-file", file])).stdout, /from a file/);
  assert.match((await home.run(["chat", "-Q", "--query-file", "-"], { input: "from -" })).stdout, /from -/);
});

test("no message at all is 2", async (t) => {
  const home = new Home(t);
  for (const input of ["", " \n "]) {
    const { code, stderr } = await home.run(["chat"], { input });
    assert.equal(code, 2);
    assert.match(stderr, /No message/);
  }
});

test("stream-json: every line has type and session_id, session is first, result is last", async (t) => {
  const home = guarded(t);
  const ended = await home.run(["--accept-hooks", "chat", "-q", "run `echo one`", "--output-format", "stream-json"]);
  const frames = framesOf(ended);
  const ids = new Set(frames.map(({ session_id }) => session_id));
  assert.equal(ids.size, 1);
  assert.ok(!ids.has(""));
  assert.equal(frames[0]?.["type"], "session");
  assert.deepEqual(
    frames.map(({ type }) => type).filter((type) => type !== "text"),
    ["session", "tool_use", "hook", "tool_result", "assistant", "cost", "result"],
  );
  const use = frames.find(({ type }) => type === "tool_use");
  const result = frames.find(({ type }) => type === "tool_result");
  assert.deepEqual(use?.["params"], { command: "echo one" });
  assert.equal(use?.["tool_id"], result?.["tool_id"]);
  assert.equal(result?.["success"], true);
  const hook = frames.find(({ type }) => type === "hook");
  assert.deepEqual([hook?.["event"], hook?.["source"], hook?.["outcome"]], ["pre_tool_call", "shell", "pass"]);
  assert.deepEqual([hook?.["tool_call_id"], hook?.["detail"]], [use?.["tool_id"], null]);
  const { duration_ms: _, session_id: __, ...last } = frames.at(-1) ?? {};
  assert.deepEqual(last, { type: "result", completed: true, interrupted: false, exit_code: 0 });
});

test("a guard blocks the call on every path, and says so in one line", async (t) => {
  const home = guarded(t);
  const sentinel = join(home.work, "sentinel");
  const forbidden = `touch ${sentinel} # forbidden`;
  const paths: [string, string[], string | undefined][] = [
    ["the first message", ["chat", "-q", `run \`${forbidden}\``], undefined],
    ["a resumed session", ["chat", "-c", "-q", `$ ${forbidden}`], undefined],
    ["exact arguments", ["chat", "-q", `@terminal ${JSON.stringify({ command: forbidden })}`], undefined],
    ["a child agent", ["chat", "-q", `@delegate_task ${JSON.stringify({ goal: `run \`${forbidden}\`` })}`], undefined],
    ["typed by the person", ["chat", "-q", `!${forbidden}`], undefined],
    ["a pipe", ["chat"], `run \`${forbidden}\``],
  ];
  for (const [name, args, input] of paths) {
    const { stdout, stderr } = await home.run(["--accept-hooks", ...args], input === undefined ? {} : { input });
    assert.match(stdout, /not that/, `${name}: ${stdout}\n${stderr}`);
    assert.match(stderr, /blocked pre_tool_call: not that/, name);
    assert.throws(() => home.read("../work/sentinel"), { code: "ENOENT" }, name);
  }
});

test("without an opt-in nothing runs, and one warning names the three", async (t) => {
  const home = new Home(t);
  const ran = join(home.work, "ran");
  const script = home.script("s.sh", `touch ${ran}`);
  home.write(
    "config.yaml",
    `hooks:\n  pre_tool_call: [{command: ${script}}]\n  post_tool_call: [{command: ${script}}]\n`,
  );
  const { code, stderr } = await home.run(["chat", "-q", "run `echo hi`"]);
  assert.equal(code, 0);
  const warnings = stderr.split("\n").filter((line) => line.startsWith("warning:"));
  assert.equal(warnings.length, 1, stderr);
  for (const optIn of ["--accept-hooks", "HERMES_ACCEPT_HOOKS", "hooks_auto_accept"])
    assert.ok(warnings[0]?.includes(optIn));
  assert.ok(!home.has("../work/ran"));
  assert.ok(!home.has("shell-hooks-allowlist.json"));
  const accepted = await home.run(["chat", "-q", "run `echo hi`"], { env: { HERMES_ACCEPT_HOOKS: "yes" } });
  assert.equal(accepted.stderr.includes("warning:"), false);
  assert.ok(home.has("../work/ran"));
  assert.match(home.read("shell-hooks-allowlist.json"), /"approved_by": ?"env"/);
});

test("--safe-mode loads neither plugins nor shell hooks", async (t) => {
  const home = guarded(t);
  home.plugin("loud", `export function register() { throw new Error("it was loaded"); }`);
  home.write("config.yaml", `${home.read("config.yaml")}plugins: { enabled: [loud] }\n`);
  for (const safe of [{ args: ["--safe-mode"] }, { args: [], env: { HERMES_SAFE_MODE: "1" } }]) {
    const { stdout, stderr } = await home.run([...safe.args, "--accept-hooks", "chat", "-q", "run `echo forbidden`"], {
      env: safe.env ?? {},
    });
    assert.match(stdout, /forbidden/);
    assert.doesNotMatch(stderr, /blocked|it was loaded/);
  }
});

test("context of a hook reaches the model and stays out of the history", async (t) => {
  const home = new Home(t);
  const script = home.script("context.sh", `printf '{"context":"it is Friday"}'`);
  home.write("config.yaml", `hooks: { pre_llm_call: [{command: ${script}}] }\n`);
  const { stdout } = await home.run(["--accept-hooks", "chat", "-q", "what day is it?"]);
  assert.match(stdout, /what day is it\?\n\nit is Friday/);
  const exported = await home.run(["sessions", "export", "latest"]);
  assert.doesNotMatch(
    (JSON.parse(exported.stdout) as { messages: { role: string; content: string }[] }).messages.find(
      ({ role }) => role === "user",
    )?.content ?? "",
    /Friday/,
  );
});

test("the answer shown is the one after transform_llm_output, never the words before it", async (t) => {
  const home = new Home(t);
  home.plugin(
    "mask",
    `export const register = (ctx) => ctx.register_hook("transform_llm_output", ({ response_text }) => response_text.replaceAll("secret", "***"));`,
  );
  home.write("config.yaml", "plugins: { enabled: [mask] }\n");
  const { stdout, stderr } = await home.run(["chat", "-q", "my secret"]);
  assert.match(stdout, /my \*\*\*/);
  assert.doesNotMatch(stdout, /secret/);
  assert.match(stderr, /hook mask replaced the answer/);
});

test("a limit of N allows N requests and a summary, then 53", async (t) => {
  const home = new Home(t);
  const message = "run `echo 1`, then run `echo 2`, then run `echo 3`";
  const ended = await home.run(["chat", "-q", message, "--max-turns", "2", "--output-format", "stream-json"]);
  assert.equal(ended.code, 53);
  const frames = framesOf(ended);
  assert.equal(frames.filter(({ type }) => type === "tool_use").length, 2);
  assert.equal(frames.filter(({ type }) => type === "assistant").length, 1);
  assert.equal(frames.at(-1)?.["completed"], false);
  assert.equal(frames.at(-1)?.["exit_code"], 53);
});

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  test(`${signal} stops the turn, runs the closing hooks and ends with ${code}`, async (t) => {
    const home = new Home(t);
    const log = join(home.work, "events");
    home.plugin(
      "note",
      `
      import { appendFileSync } from "node:fs";
      const note = (text) => appendFileSync(${JSON.stringify(log)}, text + "\\n");
      export function register(ctx) {
        ctx.register_hook("on_session_end", ({ interrupted }) => note("end " + interrupted));
        ctx.register_hook("on_session_finalize", async () => { await null; note("finalize"); });
        ctx.on_unload(() => note("unload"));
      }`,
    );
    home.write("config.yaml", "plugins: { enabled: [note] }\n");
    const running = home.start(["chat", "-q", "run `echo started; sleep 60`", "--output-format", "stream-json"]);
    await running.sees("tool_use");
    running.kill(signal);
    const ended = await running.ended;
    assert.equal(ended.code, code, ended.stderr);
    assert.equal(home.read("../work/events"), "end true\nfinalize\nunload\n");
    assert.deepEqual([framesOf(ended).at(-1)?.["interrupted"], framesOf(ended).at(-1)?.["exit_code"]], [true, code]);
  });
}

test("a home that cannot be written causes one warning for each file, and the conversation continues", async (t) => {
  const home = new Home(t);
  const file = home.write("a-file", "in the way");
  const { code, stdout, stderr } = await home.run([
    "--home",
    join(file, "home"),
    "chat",
    "-q",
    "run `echo still-here`",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /still-here/);
  const warned = [...stderr.matchAll(/^warning: .*?(\S+\/home\/\S+) cannot be/gm)].map(([, path]) => path);
  assert.equal(new Set(warned).size, warned.length, stderr);
  assert.ok(
    warned.some((path) => path?.endsWith("/state.db")),
    stderr,
  );
  assert.equal(stderr.match(/^warning:/gm)?.length, warned.length, stderr);
});

test("slash commands and plugins' commands work as a message; a mistyped one is 2 with a did-you-mean", async (t) => {
  const home = new Home(t);
  home.plugin(
    "greet",
    `export const register = (ctx) => ctx.register_command({ name: "greet", description: "greets", handler: (args) => "hello " + args });`,
  );
  home.write("config.yaml", "plugins: { enabled: [greet] }\n");
  assert.equal((await home.run(["chat", "-q", "/greet you"])).stdout, "hello you\n");
  assert.match((await home.run(["chat", "-q", "/help"])).stdout, /\/greet\s+greets \(plugin greet\)/);
  const mistyped = await home.run(["chat", "-q", "/gret you"]);
  assert.equal(mistyped.code, 2);
  assert.match(mistyped.stderr, /Did you mean "\/greet"\?/);
  assert.match((await home.run(["chat", "-Q", "-q", "/etc/hosts is a file"])).stdout, /\/etc\/hosts is a file/);
});

test("decisions of ctx.on(command:…) take effect", async (t) => {
  const home = new Home(t);
  home.plugin(
    "rules",
    `
    export function register(ctx) {
      ctx.on("command:model", () => ({ decision: "deny", message: "the model stays" }));
      ctx.on("command:status", () => ({ decision: "handled", message: "all is well" }));
      ctx.on("command:aid", () => ({ decision: "rewrite", command_name: "help", raw_args: "" }));
    }`,
  );
  home.write("config.yaml", "plugins: { enabled: [rules] }\n");
  assert.equal((await home.run(["chat", "-q", "/model x"])).stdout, "the model stays\n");
  assert.equal((await home.run(["chat", "-q", "/status"])).stdout, "all is well\n");
  assert.match((await home.run(["chat", "-q", "/aid"])).stdout, /show this help/);
});

test("sessions: resume by id and by its beginning, an unknown one is 3", async (t) => {
  const home = new Home(t);
  await home.run(["chat", "-q", "remember the number 7"]);
  const { sessions } = JSON.parse((await home.run(["sessions", "list", "--json"])).stdout) as {
    sessions: { id: string; message_count: number }[];
  };
  const [session] = sessions;
  assert.ok(session);
  const resumed = framesOf(
    await home.run(["chat", "-r", session.id.slice(0, -3), "-q", "again", "--output-format", "stream-json"]),
  );
  assert.deepEqual([resumed[0]?.["session_id"], resumed[0]?.["resumed"]], [session.id, true]);
  assert.match((await home.run(["sessions", "show", session.id])).stdout, /remember the number 7[\s\S]*again/);
  const unknown = await home.run(["chat", "-r", "sess_nope", "-q", "x"]);
  assert.equal(unknown.code, 3);
  assert.equal((await home.run(["sessions", "delete", session.id, "--yes"])).code, 0);
  assert.equal((await home.run(["sessions", "show", session.id])).code, 3);
});

test("--output-format json is one document", async (t) => {
  const home = guarded(t);
  const { stdout } = await home.run([
    "--accept-hooks",
    "chat",
    "-q",
    "run `echo forbidden`",
    "--output-format",
    "json",
  ]);
  const document = JSON.parse(stdout) as Record<string, unknown> & { hooks: unknown[]; tools: unknown[] };
  assert.equal(document["completed"], true);
  assert.match(String(document["content"]), /not that/);
  assert.equal(document.hooks.length, 1);
  assert.equal(document.tools.length, 2);
});
