/** What a daemon meets from outside: a lost worker, a locked database, no file descriptors, clients that do not read. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { openDatabase } from "#core/home/database";
import { DaemonClient } from "#daemon/session/client";
import { daemonFiles } from "#daemon/session/place";
import { gate, messagesOf, send, startDaemon, type Daemon } from "../helpers/daemon.ts";
import { Home, ROOT } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { startModelServer } from "../helpers/model-server.ts";
import { until } from "../helpers/poll.ts";
import { freePort } from "../helpers/ports.ts";
import { killQuietly } from "../helpers/processes.ts";
import { startRawReceiver } from "../helpers/raw-receiver.ts";
import { taskHome, tasksOf, workersOf } from "../helpers/tasks.ts";

interface Hooked {
  readonly home: Home;
  readonly daemon: Daemon;
  readonly port: number;
  /** The status of the answer; undefined without one. */
  post(body: string): Promise<number | undefined>;
}

/** A daemon with one hook. */
async function startHooked(t: TestContext, config: object = {}, text = "cat\n"): Promise<Hooked> {
  const home = new Home(t);
  const port = await freePort();
  const hook = {
    name: "push",
    bind: `127.0.0.1:${port}`,
    script: home.script("push.sh", text),
    dedup_header: "x-id",
  };
  const rest = { model: { provider: "offline" }, hooks_auto_accept: true, ...config };
  home.write("config.yaml", stringify({ ...rest, inbound: [hook] }));
  const daemon = await startDaemon(t, home, { args: ["--hook", "push"] });
  async function post(body: string): Promise<number | undefined> {
    try {
      const headers = { "x-id": body, connection: "close" };
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body, headers });
      await response.text();
      return response.status;
    } catch {
      // The connection was refused or closed.
      return undefined;
    }
  }
  return { home, daemon, port, post };
}

test("a background task whose worker is killed still reports, also when the task was killed with it", async (t) => {
  const home = taskHome(t);
  const { message, entered, open } = gate(home, "task");
  const daemon = await startDaemon(t, home);
  await send(home, daemon.name, `@run_in_background ${JSON.stringify({ prompt: message })}`);
  await entered();
  const [task] = await tasksOf(home);
  workersOf(home).forEach(killQuietly);
  killQuietly(task!.pid!);
  open();
  const report = await until(() => daemon.injected()[1], "the report has come", { seen: () => daemon.stdout() });
  assert.match(report, new RegExp(`^The background task ${task!.id} ended .*: succeeded\\.`));
  const [again] = await tasksOf(home);
  assert.deepEqual([again!.status, again!.attempt], ["succeeded", 2]);
});

test("what is sent and posted while the database is locked is stored when it is free, once", async (t) => {
  const { home, daemon, post } = await startHooked(t);
  assert.equal(await post("before"), 200);
  const database = openDatabase(join(home.path, "state.db"));
  database.exec("BEGIN IMMEDIATE");
  const sending = home.run(["send", "--name", daemon.name, "sent meanwhile"]);
  const posting = post("posted meanwhile");
  await pause(3000);
  database.exec("COMMIT");
  database.close();
  assert.equal((await sending).code, 0);
  assert.equal(await posting, 200);
  await daemon.turns(3);
  const contents = (await messagesOf(home, daemon.name)).map(({ content }) => content);
  assert.equal(contents.filter((text) => text === "sent meanwhile").length, 1);
  assert.equal(contents.filter((text) => text.includes("\nposted meanwhile\n")).length, 1);
  assert.equal(contents.length, 3);
});

/** Seconds of processor time that a process has used. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const descriptorsOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

const skip = process.platform !== "linux" && "reads /proc";

test(
  "without file descriptors the daemon neither spins nor ends, and requests succeed again when there are some",
  { skip },
  async (t) => {
    const { home, daemon, port, post } = await startHooked(t);
    assert.equal(await post("before"), 200);
    await daemon.turns(1);
    const { socket } = daemonFiles(join(home.path, "run"), daemon.name);
    using client = await DaemonClient.connect({ name: daemon.name, socket });
    // Its answer means that the daemon has accepted the connection; until then, the kernel has.
    client.say({ type: "status" });
    await client.expect("status");
    const most = descriptorsOf(daemon.pid) + 10;
    const limited = spawnSync("prlimit", ["--pid", String(daemon.pid), `--nofile=${most}`], { encoding: "utf8" });
    assert.equal(limited.status, 0, limited.stderr);
    const held: Socket[] = [];
    t.after(() => held.forEach((one) => one.destroy()));
    const kept = connect(port, "127.0.0.1");
    held.push(kept);
    let answer = "";
    kept.setEncoding("utf8").on("data", (text: string) => (answer += text));
    await once(kept, "connect");
    for (let number = 0; number < 40; number++) held.push(connect(port, "127.0.0.1").on("error", () => undefined));
    await until(() => descriptorsOf(daemon.pid) >= most - 1, "none is left");
    // A connection that is open has its answer, though no script can be started.
    kept.write("POST / HTTP/1.1\r\nHost: x\r\nX-Id: kept\r\nContent-Length: 4\r\n\r\nkept");
    await until(() => answer.startsWith("HTTP/1.1 500 "), "it is refused", { seen: () => answer });
    client.say({ type: "send", content: "over an open socket", wait: true });
    await client.expect("stored");
    assert.equal((await client.expect("handled")).problem, null);
    for (let number = 0; number < 40; number++) held.push(connect(port, "127.0.0.1").on("error", () => undefined));
    assert.notEqual(await post("new"), 200);
    // The processor is compared with a process that does nothing but use it.
    const used = processorSeconds(daemon.pid);
    const spinning = spawn(process.execPath, ["-e", "while (process.cpuUsage().user < 1e6);"], { stdio: "ignore" });
    await once(spinning, "close");
    assert.ok(processorSeconds(daemon.pid) - used < 0.5, "it does not spin");
    for (const one of held) one.destroy();
    await until(async () => (await post("kept")) === 200, "requests succeed");
    await send(home, daemon.name, "over a new socket");
    await daemon.turns(4);
    assert.equal(daemon.injected().filter((text) => text.includes("\nkept\n")).length, 1);
  },
);

test("a daemon whose output is not read handles messages, and stops", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\n");
  const run = `"${process.execPath}" "${join(ROOT, "cli/bin.js")}" run --daemon --name unread --format jsonl`;
  // A pipe of the shell, which a program's writes wait for unless it takes care.
  const child = spawn("sh", ["-c", `(${run} < /dev/null; touch ended) | sleep 1000`], {
    cwd: home.work,
    env: home.env(),
    stdio: "ignore",
    detached: true,
  });
  t.after(() => killQuietly(-child.pid!));
  const { entry, socket } = daemonFiles(join(home.path, "run"), "unread");
  await until(() => existsSync(entry), "it runs");
  using sender = await DaemonClient.connect({ name: "unread", socket });
  // More than a pipe holds.
  for (let number = 0; number < 3; number++) {
    sender.say({ type: "send", content: `${number} ${"x".repeat(100_000)}`, wait: true });
    await sender.expect("stored");
    assert.equal((await sender.expect("handled")).problem, null);
  }
  const stopped = await runInProcess(home, ["stop", "--name", "unread"]);
  assert.equal(stopped.code, 0, stopped.stderr);
  await until(() => existsSync(join(home.work, "ended")), "it has ended");
});

test("a model that fails in a webhook's turn fails that message only; the request is not asked for again", async (t) => {
  await using server = await startModelServer([{ status: 400, message: "overloaded" }]);
  const { url: base_url } = server;
  const model = { provider: "openai-compatible", default: "m", base_url, api_key: "k", max_retries: 0 };
  const { home, daemon, post } = await startHooked(t, { model });
  assert.equal(await post("first"), 200);
  await daemon.turns(1);
  assert.equal(await post("first"), 200, "a duplicate");
  assert.equal(await post("second"), 200);
  await daemon.turns(2);
  assert.equal(daemon.frames().filter(({ type }) => type === "error").length, 1);
  assert.deepEqual(
    (await messagesOf(home, daemon.name)).map(({ state }) => state),
    ["failed", "done"],
  );
});

test("a daemon streams its log to what takes it; a destination that never answers holds up neither turns nor the end", async (t) => {
  const stuck = await startRawReceiver(t);
  stuck.answer = () => undefined;
  const destinations = [
    { type: "file", path: "all.log" },
    { type: "http", url: stuck.url, interval_ms: 0 },
  ];
  const { home, daemon, post } = await startHooked(
    t,
    { logging: { stream: { destinations } } },
    "echo no-$(cat) >&2; exit 3\n",
  );
  const streamed = () => (home.has("all.log") ? (home.read("all.log").match(/no-\w+/g) ?? []) : []);
  assert.equal(await post("one"), 500);
  await until(() => streamed().length === 1 && stuck.received.length > 0, "both destinations have the line");
  await send(home, daemon.name, "hello");
  await daemon.turns(1);
  daemon.kill("SIGKILL");
  await daemon.ended;
  const next = await startDaemon(t, home, { args: ["--hook", "push"] });
  assert.equal(await post("two"), 500);
  await until(() => streamed().length === 2, "the file has the next line");
  next.kill("SIGTERM");
  assert.equal((await next.ended).code, 0);
  assert.deepEqual(streamed(), ["no-one", "no-two"]);
});
