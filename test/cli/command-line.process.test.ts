import assert from "node:assert/strict";
import test from "node:test";
import { GLOBAL_OPTIONS } from "#cli/global-options";
import { CHAT_OPTIONS } from "#cli/implied-chat";
import { framesOf, Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { noPty } from "../helpers/pty.ts";

test("without arguments and without a terminal there is help with three examples, on standard output", async (t) => {
  const home = new Home(t);
  const { code, stdout, stderr } = await home.run([]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.equal(stdout.split("Examples:")[1]?.trim().split("\n").length, 3);
});

test("a question without a command is asked once; a single word could be a mistyped command", async (t) => {
  const home = new Home(t);
  for (const words of [
    ["say hello"],
    ["hello?"],
    ["--log-level", "info", "say hello"],
    ["-q", "hello"],
    ["-Qqhello"],
  ]) {
    const { code, stdout } = await home.run([...words]);
    assert.equal(code, 0, words.join(" "));
    assert.match(stdout, /hello/);
  }
  const asked = await home.run(["say hello", "--output-format", "stream-json"]);
  assert.equal(framesOf(asked).at(-1)?.["type"], "result");
  const piped = await home.run(["explain this"], { input: "a line of context\n" });
  assert.match(piped.stdout, /explain this\s+a line of context/);
  const word = await home.run(["hello"]);
  assert.equal(word.code, 2);
  assert.match(word.stderr, /unknown command 'hello'/);
});

test("the options that may stand without chat are those of chat", async (t) => {
  const { stdout } = await new Home(t).run(["complete", "--", "chat", "--"]);
  const names = stdout.split("\n").flatMap((line) => /^--[\w-]+/.exec(line)?.[0] ?? []);
  const globals = new Set(GLOBAL_OPTIONS.map(({ flags }) => flags.split(" ", 1)[0]!));
  const own = names.filter((name) => !globals.has(name) && name !== "--help");
  assert.deepEqual([...CHAT_OPTIONS].filter((name) => name.startsWith("--")).toSorted(), own.toSorted());
});

test("every command has help, asked for either way", async (t) => {
  const home = new Home(t);
  for (const name of ["chat", "hooks", "plugins", "sessions", "config", "complete"]) {
    const flag = await runInProcess(home, [name, "--help"]);
    assert.equal(flag.code, 0, name);
    assert.match(flag.stdout, new RegExp(`^Usage: hermes ${name}`));
    assert.equal((await runInProcess(home, ["help", name])).stdout, flag.stdout);
  }
});

test("--version names the program, Node and the home", async (t) => {
  const home = new Home(t);
  const { stdout } = await home.run(["--home", "/somewhere", "--version"]);
  assert.match(stdout, /^hermes-hooks \d+\.\d+\.\d+\nnode v24\.\d+\.\d+\nhome \/somewhere\n$/);
});

test("mistyped commands, subcommands and flags are 2 with a did-you-mean on standard error", async (t) => {
  const home = new Home(t);
  for (const [args, meant] of [
    [["chatt"], "chat"],
    [["hooks", "lst"], "list"],
    [["chat", "--qery", "x"], "--query"],
    [["--hme", "/x", "chat"], "--home"],
    [["hooks", "test", "pre_tol_call"], "pre_tool_call"],
    [["--log-level", "inf", "chat", "-q", "x"], "info"],
    [["chta", "--help"], "chat"],
    [["hooks", "lst", "-h"], "list"],
    [["hooks", "list", "--hom", "/x"], "--home"],
    [["hooks", "list", "--accept-hoks"], "--accept-hooks"],
  ] as const) {
    const { code, stdout, stderr } = await runInProcess(home, args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`Did you mean "?${meant}`), args.join(" "));
  }
});

test("wrong usage says what would be right, in one or two lines", async (t) => {
  const home = new Home(t);
  for (const [args, sentence] of [
    [["chat", "say", "hello"], /^hermes: Pass the message with -q: hermes chat -q 'say hello'\n$/],
    [
      ["foo"],
      /^hermes: unknown command 'foo'. To send it to the agent: hermes chat -q 'foo'\n"hermes --help" lists the commands and options\.\n$/,
    ],
    [
      ["hooks", "test"],
      /missing required argument 'event'\n"hermes hooks test --help" lists the commands and options\.\n$/,
    ],
    [["chat", "-q", "x", "--max-turns", "none"], /^hermes: --max-turns takes a whole number from 1, not "none"\.\n$/],
    [["sessions", "list", "--limit", "none"], /^hermes: --limit takes a whole number from 1, not "none"\.\n$/],
  ] as const) {
    const { code, stdout, stderr } = await runInProcess(home, args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, sentence);
  }
});

test("global flags are accepted before and after the command", async (t) => {
  const home = new Home(t);
  const other = new Home(t);
  await home.run(["--home", other.path, "chat", "-q", "one"]);
  await home.run(["chat", "-q", "two", "--home", other.path]);
  await home.run(["chat", `--home=${other.path}`, "-q", "three"]);
  assert.ok(!home.has("state.db"));
  const { stdout } = await other.run(["sessions", "list", "--json"]);
  assert.equal((JSON.parse(stdout) as { sessions: unknown[] }).sessions.length, 3);
});

test("a message that looks like a flag is a message: it switches nothing on", async (t) => {
  const home = new Home(t);
  const script = home.script("s.sh", "exit 0");
  home.write("config.yaml", `hooks: { pre_tool_call: [{ command: ${script} }] }\n`);
  const { code, stdout } = await home.run(["chat", "-Q", "-q", "--accept-hooks"]);
  assert.equal(code, 0);
  assert.match(stdout, /--accept-hooks/);
  assert.ok(!home.has("shell-hooks-allowlist.json"));
});

test("a wrong configuration is 2 and nothing starts", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "agent:\n  max_iterations: many\n");
  for (const args of [
    ["chat", "-q", "x"],
    ["hooks", "list"],
    ["config", "check"],
    ["plugins", "list"],
  ]) {
    const { code, stderr } = await runInProcess(home, args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, /config\.yaml:2: agent\.max_iterations: expected a.*number/, args.join(" "));
  }
  assert.ok(!home.has("state.db"));
});

test("config check: 0 for a right file, 1 for one with something unknown, 2 for a variable that is not set", async (t) => {
  const home = new Home(t);
  assert.equal((await runInProcess(home, ["config", "check"])).code, 0);
  home.write("config.yaml", "plugins: { enabled: [] }\n");
  assert.equal((await runInProcess(home, ["config", "check"])).code, 0);
  home.write("config.yaml", "pluginz: {}\nhooks: { pre_tol_call: [{ command: x }] }\n");
  const warned = await runInProcess(home, ["config", "check", "--json"]);
  assert.equal(warned.code, 1);
  const { warnings } = JSON.parse(warned.stdout) as { warnings: string[] };
  assert.equal(warnings.length, 2);
  assert.match(warnings.join("\n"), /"plugins"[\s\S]*pre_tool_call/);
  home.write("config.yaml", "model: { provider: openai, api_key: '${NOT_SET_HERE}' }\n");
  const unset = await home.run(["config", "check"]);
  assert.equal(unset.code, 2);
  assert.match(unset.stderr, /config\.yaml:1: model\.api_key: .*NOT_SET_HERE/);
  assert.equal((await runInProcess(home, ["hooks", "list"])).code, 0);
});

test("config schema is a JSON Schema of the sections", async (t) => {
  const home = new Home(t);
  const schema = JSON.parse((await runInProcess(home, ["config", "schema"])).stdout) as {
    type: string;
    properties: object;
  };
  assert.equal(schema.type, "object");
  for (const section of ["model", "agent", "hooks", "plugins", "gateway", "inbox"])
    assert.ok(section in schema.properties);
});

test("cli-config.yaml is read when there is no config.yaml", async (t) => {
  const home = new Home(t);
  home.write("cli-config.yaml", "model: { provider: openai }\n");
  const { code, stderr } = await home.run(["chat", "-q", "x"]);
  assert.equal(code, 2);
  assert.match(stderr, /OPENAI_API_KEY/);
});

test("completion: each shell's script, and answers to what it asks", async (t) => {
  const home = new Home(t);
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout } = await runInProcess(home, ["complete", shell]);
    assert.equal(code, 0);
    assert.match(stdout, /hermes/);
  }
  const offered = async (...words: string[]) =>
    (await home.run(["complete", "--", ...words])).stdout.split("\n").map((line) => line.split("\t")[0]);
  assert.deepEqual((await offered("ho")).slice(0, 1), ["hooks"]);
  assert.ok((await offered("hooks", "")).includes("revoke"));
  assert.ok((await offered("chat", "--output-format", "")).includes("stream-json"));
  assert.ok((await offered("hooks", "test", "pre_")).includes("pre_tool_call"));
  assert.equal((await home.run(["complete", "bahs"])).code, 2);
});

test("completion of stored ids and names: only what the command can use, and no database is made", async (t) => {
  const home = new Home(t);
  const offered = async (...words: string[]) =>
    (await home.run(["complete", "--", ...words])).stdout.trimEnd().split("\n").slice(0, -1);
  assert.deepEqual(await offered("tasks", "status", ""), []);
  assert.equal(home.has("state.db"), false);
  home.write(
    "config.yaml",
    `webhooks:
  endpoints:
    on_session_start: { url: "http://127.0.0.1:9/", name: starts, retry: { enabled: false } }
    agent:end: [{ url: "http://127.0.0.1:9/" }, { url: "http://127.0.0.1:9/", name: "$(touch expanded)" }]
`,
  );
  await home.run(["run", "say 'hello'\nand \u001b[31mmore"]);
  const [ended = ""] = await offered("tasks", "retry", "");
  assert.match(ended, /^[a-z0-9]{16}\tsucceeded: say 'hello' and \\x1b\[31mmore$/);
  const id = ended.split("\t")[0]!;
  for (const command of ["status", "output", "wait"]) assert.deepEqual(await offered("tasks", command, ""), [ended]);
  assert.deepEqual(await offered("tasks", "cancel", ""), []);
  assert.deepEqual(await offered("--home", home.path, "tasks", "status", id.slice(0, 5)), [ended]);
  assert.deepEqual(await offered("tasks", "status", "-"), []);
  assert.ok((await offered("tasks", "list", "--status", "")).includes("timeout\t"));
  const names = ["starts\ton_session_start", "agent:end\tagent:end"];
  assert.deepEqual(await offered("webhooks", "test", ""), names);
  assert.deepEqual(await offered("webhooks", "deliveries", "--endpoint", ""), names);
  assert.deepEqual(await offered("webhooks", "enable", ""), []);
  await home.run(["webhooks", "test", "starts"]);
  const [delivery = ""] = await offered("webhooks", "redeliver", "");
  assert.match(delivery, /^[a-z0-9]{16}\tfailed: on_session_start to starts$/);
  assert.ok((await offered("webhooks", "show", "")).includes(delivery));
  await home.run(["chat", "-q", "hello there"]);
  const [session = ""] = await offered("sessions", "delete", "");
  assert.match(session, /^[0-9a-f]{8}_\w+\t2 messages: hello there$/);
  assert.equal((await offered("chat", "--resume", ""))[0], session);
  home.write("config.yaml", "webhooks: 7\n");
  const broken = await home.run(["complete", "--", "webhooks", "test", ""]);
  assert.deepEqual([broken.code, broken.stdout, broken.stderr], [0, ":4\n", ""]);
});

test("a failing command with --json prints its error as the one document, with its usual exit code", async (t) => {
  const home = new Home(t);
  const cases: readonly [words: readonly string[], code: string, exit: number][] = [
    [["tasks", "status", "nothere", "--json"], "HERMES_ID_UNKNOWN", 3],
    [["hooks", "list", "--jsn", "--json"], "HERMES_USAGE", 2],
    [["hooks", "events", "nothing", "--json"], "HERMES_EVENT_UNKNOWN", 2],
    [["chat", "-q", "x", "-r", "nothere", "--output-format", "json"], "HERMES_SESSION_UNKNOWN", 3],
  ];
  for (const [words, code, exit] of cases) {
    const ended = await home.run([...words]);
    const { error } = JSON.parse(ended.stdout) as { error: { message: string; code: string } };
    assert.deepEqual([error.code, ended.code], [code, exit]);
    assert.ok(ended.stderr.includes(error.message), ended.stderr);
  }
  const plain = await home.run(["tasks", "status", "nothere"]);
  assert.deepEqual([plain.stdout, plain.stderr.split("\n").length], ["", 2]);
  home.write("config.yaml", "a: b: c\n");
  const broken = await home.run(["hooks", "list", "--json"]);
  assert.match(broken.stdout, /"code": "HERMES_CONFIG_SYNTAX"/);
  assert.match(broken.stderr, /put quotes around the value.*\n {4}1 \| a: b: c\n {6}\| {4}\^\n$/);
});

test("hermes help CODE explains an error from the page of errors", async (t) => {
  const home = new Home(t);
  const { code, stdout } = await home.run(["help", "hermes_config_access"]);
  assert.equal(code, 0);
  assert.match(stdout, /^HERMES_CONFIG_ACCESS\nThe configuration file.*Exit code 2;/);
  assert.doesNotMatch((await runInProcess(home, ["help", "HERMES_CONFIG_TYPE"])).stdout, /\]\(/);
  const unknown = await runInProcess(home, ["help", "HERMES_CONFIG_TYP"]);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /Did you mean "HERMES_CONFIG_TYPE"\?/);
});

test("on a terminal an error shows its code", { skip: noPty }, async (t) => {
  const pty = new Home(t).terminal(["tasks", "status", "nothere"]);
  t.after(() => pty.kill());
  await pty.see('HERMES_ID_UNKNOWN: "hermes help HERMES_ID_UNKNOWN" explains it');
  assert.equal(await pty.exited, 3);
});
