/** What `hermes serve` and systemd say to each other: notifications, and the unit. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type TestContext } from "node:test";
import { Home, ROOT } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { EVERYTHING, say, startServe } from "../helpers/serve.ts";

/** A socket like systemd's: prints each message that it gets. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    print(s.recv(4096).decode(), flush=True)
`;

interface Receiver {
  readonly path: string;
  messages(): readonly string[];
}

async function startReceiver(t: TestContext, home: Home): Promise<Receiver> {
  const path = join(home.work, "notify.sock");
  const child = spawn("python3", ["-c", RECEIVER, path], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen += text));
  await until(() => seen.includes("listening\n"), "systemd's socket is there");
  const isOurs = (line: string) => /^(?:READY|WATCHDOG|STOPPING)=/.test(line);
  return { path, messages: () => seen.split("\n").filter(isOurs) };
}

test("systemd is told READY, signs of life, and STOPPING; tasks do not get its variables", async (t) => {
  const home = new Home(t);
  const { path, messages } = await startReceiver(t, home);
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "400000" };
  const service = await startServe(t, home, { config: { ...EVERYTHING, sandbox: { tools: "off" } }, env });
  await until(() => messages().filter((line) => line === "WATCHDOG=1").length > 2, "it says that it lives", {
    seen: messages,
  });
  assert.equal(messages()[0], "READY=1");
  const inherited = "run `env | grep -cE '^(NOTIFY_SOCKET|WATCHDOG_)'`";
  assert.match(await say(service, inherited), /"output":"0/);
  const id = (await home.run(["run", "--background", inherited])).stdout.trim();
  await home.run(["tasks", "wait", id]);
  assert.match((await home.run(["tasks", "output", id])).stdout, /"output":"0/);
  service.kill("SIGTERM");
  const { code, stderr } = await service.ended;
  assert.equal(code, 0);
  assert.doesNotMatch(stderr, /systemd/);
  await until(() => messages().includes("STOPPING=1"), "it says that it stops", { seen: messages });
});

test("a watchdog that is meant for another process gets nothing, and a failed start is never READY", async (t) => {
  const home = new Home(t);
  const { path, messages } = await startReceiver(t, home);
  home.write("config.yaml", "dashboard: { enabled: true, host: 192.0.2.1 }\n");
  const failed = await home.run(["serve", "--insecure"], { env: { NOTIFY_SOCKET: path } });
  assert.equal(failed.code, 1, failed.stderr);
  assert.match(failed.stderr, /dashboard\.host/);
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" };
  const service = await startServe(t, home, { config: EVERYTHING, env });
  await say(service, "hello");
  service.kill("SIGTERM");
  await service.ended;
  await until(() => messages().includes("STOPPING=1"), "it says that it stops", { seen: messages });
  assert.deepEqual(messages(), ["READY=1", "STOPPING=1"]);
});

test("while the database takes no writes, the watchdog gets no sign of life", async (t) => {
  const home = new Home(t, { storage: "embedded" });
  const { path, messages } = await startReceiver(t, home);
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" };
  await startServe(t, home, { config: { model: { provider: "offline" } }, env });
  await until(() => messages().includes("WATCHDOG=1"), "it says that it lives", { seen: messages });
  const database = new DatabaseSync(join(home.path, "state.db"), { timeout: 30_000 });
  t.after(() => database.close());
  database.exec("BEGIN IMMEDIATE");
  await until(
    () => home.has("logs/hermes.log") && home.read("logs/hermes.log").includes("no sign of life"),
    "it is silent, and says why in the log",
  );
  database.exec("ROLLBACK");
  const before = messages().length;
  await until(() => messages().length > before + 2, "it says again that it lives", { seen: messages });
});

test("without systemd-notify there is one warning", async (t) => {
  const home = new Home(t);
  const bin = join(home.work, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  const env = { PATH: bin, NOTIFY_SOCKET: join(home.work, "nobody.sock"), WATCHDOG_USEC: "100000" };
  const service = await startServe(t, home, { config: { ...EVERYTHING, sandbox: { tools: "off" } }, env });
  await service.sees("systemd-notify cannot be started");
  await say(service, "hello");
  service.kill("SIGTERM");
  const { code, stderr } = await service.ended;
  assert.equal(code, 0);
  assert.equal(stderr.match(/systemd is not told/g)?.length, 1, stderr);
});

/** The unit of these arguments, and what systemd's own tools say of it. */
async function unitOf(home: Home, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const { code, stdout, stderr } = await home.run(["serve", "--print-unit", ...args], { env });
  assert.equal(code, 0, stderr);
  const file = join(home.work, "hermes.service");
  writeFileSync(file, stdout);
  const verify = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
  const security = spawnSync("systemd-analyze", ["security", "--offline=true", "--no-pager", "--threshold=25", file], {
    encoding: "utf8",
  });
  return { text: stdout, stderr, verify, security };
}

test("the unit is hardened, valid, and changes nothing", async (t) => {
  const home = new Home(t);
  chmodSync(home.path, 0o500);
  const { text, verify, security } = await unitOf(home, ["--user", "bot"], { HERMES_HOME: join(home.work, "absent") });
  assert.ok(!home.has("../work/absent"));
  assert.deepEqual([verify.status, verify.stdout, verify.stderr], [0, "", ""]);
  assert.equal(security.status, 0, security.stdout);
  assert.match(security.stdout, /Overall exposure level for hermes\.service: [0-2]\.\d/);
  for (const line of ["Type=notify", "NotifyAccess=all", "User=bot", "KillMode=mixed", "ProtectSystem=strict"])
    assert.ok(text.includes(`\n${line}\n`), line);
  assert.match(text, /\nExecStart=\/\S+ \/\S+cli\/bin\.js --home \S+\/work\/absent serve\n/);
  assert.match(text, /\nReadWritePaths=.*\/work\/absent\n/);
  assert.ok(!text.includes("MemoryDenyWriteExecute"), "V8 compiles code at run time");
});

test("the command of the unit starts, with a home of any name", async (t) => {
  const home = new Home(t);
  const odd = join(home.work, `it's "odd" $HOME 50% é`);
  const { text, verify } = await unitOf(home, ["--home", odd]);
  assert.deepEqual([verify.status, verify.stderr], [0, ""]);
  // Read back by systemd's rules for quoting, which leave the words as they are after a colon.
  const line = /^ExecStart=:(.*)$/m.exec(text)?.[1] ?? assert.fail(text);
  const words = [...line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)].map(([, quoted, plain]) =>
    (quoted?.replace(/\\(.)/g, "$1") ?? plain!).replaceAll("%%", "%"),
  );
  assert.deepEqual(words.slice(-3), ["--home", odd, "serve"]);
  assert.equal(words[1], join(ROOT, "cli/bin.js"));
  const version = spawnSync(words[0]!, [words[1], "--version"], { encoding: "utf8" });
  assert.match(version.stdout, /^hermes-hooks /);
  const line2 = await home.run(["--home", `${odd}\n`, "serve", "--print-unit"]);
  assert.equal(line2.code, 2);
});

test("the unit's user is the one that is named, never root by itself, and must be a user's name", async (t) => {
  const home = new Home(t);
  const { username } = userInfo();
  const { text } = await unitOf(home);
  assert.ok(text.includes(`\nUser=${username === "root" ? "hermes" : username}\n`));
  for (const name of ["", "-x", "a b", "a\nExecStartPre=/bin/sh", "a:b", "x".repeat(32), "0", "ü"]) {
    const { code, stdout, stderr } = await home.run(["serve", "--print-unit", `--user=${name}`]);
    assert.deepEqual([code, stdout], [2, ""], name);
    assert.match(stderr, /--user takes the name of a user/);
  }
  const alone = await home.run(["serve", "--user", "bot"]);
  assert.deepEqual([alone.code, alone.stdout], [2, ""]);
  const { stdout: other, stderr } = await home.run(["serve", "--print-unit", "--user", "nobody-here"], {
    env: { HERMES_HOME: "" },
  });
  assert.match(other, /--home \/home\/nobody-here\/\.hermes serve/);
  assert.match(stderr, /There is no user "nobody-here" on this machine/);
});
