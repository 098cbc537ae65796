/** MCP servers in the real program: real servers in a chat, a guard on every surface, commands, and the end. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { stringify } from "yaml";
import { send, startDaemon } from "../helpers/daemon.ts";
import { startGateway } from "../helpers/gateway.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { framesOf, Home } from "../helpers/hermes.ts";
import { EVERYTHING_SERVER, FILES_SERVER, fixtureServer } from "../helpers/mcp.ts";
import { until } from "../helpers/poll.ts";
import { noPty } from "../helpers/pty.ts";

const BUBBLEWRAP = "/usr/bin/bwrap";

/** A home with a fixture server `one`; what it records is given line by line. */
function homeWith(t: TestContext, config: object) {
  const home = new Home(t);
  const record = join(home.work, "record");
  const one = fixtureServer("plain", { env: { RECORD: record } });
  home.write("config.yaml", stringify({ model: { provider: "offline" }, mcp_servers: { one }, ...config }));
  return {
    home,
    record,
    recorded: () => (existsSync(record) ? readFileSync(record, "utf8").trim().split("\n") : []),
    hasEnded: () => until(() => processesWith(`RECORD=${record}\0`) === 0, "the servers have ended"),
  };
}

/** How many processes have this in their environment; in the sandbox, they have other pids for themselves. */
function processesWith(variable: string): number {
  const isMarked = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(variable);
    } catch {
      // It has ended, or belongs to somebody else.
      return false;
    }
  };
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isMarked(name)).length;
}

test("servers from the registry work in a chat, and a hook of Claude Code knows their tools by its names", async (t) => {
  const home = new Home(t);
  const seen = join(home.work, "seen");
  const script = home.script("see.sh", `cat > "${seen}.$$"\n`);
  const matchers = ["mcp__every-thing__get-sum", "mcp__files__.*"];
  const servers = {
    "every-thing": { command: process.execPath, args: [EVERYTHING_SERVER] },
    files: { command: process.execPath, args: [FILES_SERVER, ".", home.path] },
  };
  home.write(
    "config.yaml",
    stringify({
      model: { provider: "offline" },
      mcp_servers: servers,
      hooks: { post_tool_call: matchers.map((matcher) => ({ command: script, matcher, protocol: "claude" })) },
    }),
  );
  home.write("../work/note.txt", "a line of text\n");
  const calls = [
    '@mcp_every_thing_get_sum {"a":2,"b":3}',
    "@mcp_every_thing_get_tiny_image {}",
    '@mcp_files_read_text_file {"path":"note.txt"}',
    '@mcp_files_read_text_file {"path":"/etc/hostname"}',
    `@mcp_files_write_file ${JSON.stringify({ path: join(home.path, "agent-hooks/see.sh"), content: "exit 0" })}`,
  ];
  const chat = ["--accept-hooks", "chat", "--output-format", "stream-json", "-q", calls.join("\n")];
  const { stdout, stderr, code } = await home.run(chat);
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /warning/i);
  const results = framesOf({ stdout }).filter(({ type }) => type === "tool_result");
  const answers = results.map(({ content, success }) => [String(content), success] as const);
  const find = (text: string) => answers.find(([content]) => content.includes(text))?.[1];
  assert.equal(find("The sum of 2 and 3 is 5"), true, stdout);
  assert.equal(find("[image: image/png, "), true);
  assert.equal(find('{"result":"a line of text\\n"}'), true, JSON.stringify(answers));
  assert.equal(find("Access denied"), false);
  // Its program is in the sandbox of the agent's commands.
  if (existsSync(BUBBLEWRAP)) {
    assert.equal(find("EROFS"), false);
    assert.match(home.read("agent-hooks/see.sh"), /cat > ".*seen\.\$\$"/);
  }
  const files = readdirSync(home.work).filter((name) => name.startsWith("seen."));
  const names = files.map((name) => (JSON.parse(home.read(`../work/${name}`)) as { tool_name: string }).tool_name);
  assert.deepEqual(names.toSorted(), [
    "mcp__every-thing__get-sum",
    ...Array(2).fill("mcp__files__read_text_file"),
    "mcp__files__write_file",
  ]);
});

const BLOCKED = /not from a server/;
const CALL = '@mcp_one_echo {"text":"x"}';

/** A home with a server and a guard that blocks all its tools. */
function guardedHome(t: TestContext) {
  const made = homeWith(t, { gateway: { platforms: { api_server: { enabled: true, port: 0 } } } });
  const { home, recorded } = made;
  const script = `cat > /dev/null; echo '{"action":"block","message":"not from a server"}'`;
  const guard = home.script("guard.sh", `${script}\n`);
  home.write(
    "config.yaml",
    `${home.read("config.yaml")}\nhooks: { pre_tool_call: [{ command: ${guard}, matcher: "mcp_.*" }] }\nhooks_auto_accept: true\n`,
  );
  const linesOf = (kind: string) => recorded().filter((line) => line.startsWith(kind));
  return {
    ...made,
    /** Asserts how often the server was started, and that no tool of it was called. */
    assertUncalled(starts: number) {
      assert.equal(linesOf("start").length, starts);
      assert.deepEqual(linesOf("call"), []);
    },
  };
}

test("a shell guard for mcp_.* blocks in chats, their subagents and runs, and no server is asked", async (t) => {
  const { home, assertUncalled, hasEnded } = guardedHome(t);
  const child = `@delegate_task ${JSON.stringify({ goal: CALL })}`;
  const chat = await home.run(["chat", "-q", `${CALL}\n${child}`]);
  assert.equal(chat.stderr.match(/blocked pre_tool_call: not from a server/g)?.length, 2, chat.stderr);
  assert.match((await home.run(["run", CALL])).stdout, BLOCKED);
  assertUncalled(2);
  await hasEnded();
  const safe = await home.run(["--safe-mode", "chat", "-q", CALL]);
  assert.match(safe.stdout, /There is no tool/);
  assertUncalled(2);
});

test("a shell guard for mcp_.* blocks in a daemon, and no server is asked", async (t) => {
  const { home, assertUncalled, hasEnded } = guardedHome(t);
  const daemon = await startDaemon(t, home);
  await send(home, daemon.name, CALL);
  await daemon.turns(1);
  assert.match(daemon.stdout(), BLOCKED);
  daemon.kill("SIGTERM");
  assert.equal((await daemon.ended).code, 0);
  assertUncalled(1);
  await hasEnded();
});

test("a shell guard for mcp_.* blocks in a gateway, and no server is asked", async (t) => {
  const { home, assertUncalled, hasEnded } = guardedHome(t);
  const gateway = await startGateway(t, home);
  assert.match((await gateway.say(CALL)).text, BLOCKED);
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
  assertUncalled(1);
  await hasEnded();
});

test(
  "the prompt does not wait for a server, a turn does and says so; /tools lists what is known",
  { skip: noPty },
  async (t) => {
    const { home, record, hasEnded } = homeWith(t, {});
    const env = { RECORD: record };
    const mute = fixtureServer("never-answers", { connect_timeout: 600, env });
    home.write("config.yaml", stringify({ mcp_servers: { mute, works: fixtureServer("plain", { env }) } }));
    const pty = home.terminal(["chat"]);
    t.after(() => pty.kill());
    await pty.see("›");
    pty.type("hello\r");
    await pty.see('waiting for the MCP server "mute" to start');
    pty.type("\u0003");
    await pty.see(/interrupted|stopped/i);
    pty.type("/tools\r");
    await pty.see(/mcp_works_echo[\s\S]*The MCP server "mute" is still starting\./);
    pty.type("/exit\r");
    assert.equal(await pty.exited, 0);
    await hasEnded();
  },
);

test("a server ends with a chat that is killed", async (t) => {
  const { home, recorded, hasEnded } = homeWith(t, {});
  const chat = home.start(["chat", "-q", "@mcp_one_never {}"]);
  await until(() => recorded().includes("call never"), "the call runs");
  chat.kill("SIGKILL");
  await chat.ended;
  await hasEnded();
});

test("hermes mcp says what is wrong, with its exit codes and without secrets", async (t) => {
  const home = new Home(t);
  const dies = fixtureServer("dies-at-handshake", { env: { API_TOKEN: "hunter2hunter2" } });
  const port = await freePort();
  const far = { url: `http://127.0.0.1:${port}/mcp?token=hunter2hunter2`, headers: { "X-Own": "hunter2hunter2" } };
  const servers = {
    dies,
    far,
    off: { command: "no-such-program", enabled: false },
    unset: { command: "sh", args: ["${NOPE}"] },
  };
  home.write("config.yaml", stringify({ mcp_servers: servers }));
  const listed = await runInProcess(home, ["mcp", "list", "--json"]);
  const states = (JSON.parse(listed.stdout) as { servers: { name: string; state: string }[] }).servers;
  assert.deepEqual(
    states.map(({ name, state }) => `${name} ${state}`),
    ["dies enabled", "far enabled", "off disabled", "unset error"],
  );
  const cases: readonly (readonly [args: readonly string[], code: number, said: RegExp])[] = [
    [["dies"], 1, /did not start: it exited with code 3; it wrote "Error: DATABASE_URL is not set"/],
    [["far"], 1, /did not start: connect ECONNREFUSED 127\.0\.0\.1:\d+\. Check mcp_servers\.far\.url/],
    [["unset"], 2, /config\.yaml:\d+: mcp_servers\.unset\.args\[0\]: the environment variable NOPE is not set/],
    [["dise"], 3, /no MCP server "dise" .*Did you mean "dies"\?/],
    [["dies", "--safe-mode"], 1, /was not started: safe mode/],
  ];
  for (const [args, wanted, said] of cases) {
    const { code, stderr, stdout } = await runInProcess(home, ["mcp", "test", ...args]);
    assert.equal(code, wanted, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stdout + stderr + listed.stdout, /hunter2/);
  }
  const checked = await runInProcess(home, ["config", "check"]);
  assert.equal(checked.code, 1);
  assert.match(checked.stderr, /warning: the MCP server "unset" is not started: .*NOPE is not set/);
  const json = await runInProcess(home, ["mcp", "test", "dies", "--json"]);
  const { ok, error } = JSON.parse(json.stdout) as { ok: boolean; error: string };
  assert.deepEqual([json.code, ok, error.includes("DATABASE_URL")], [1, false, true]);
});

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}
