/** `hermes run --daemon` and the commands that talk to it, as a user has them (CONTRACT §13). */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { daemonFiles } from "#daemon/session/place";
import { gate, messagesOf, send, startDaemon } from "../helpers/daemon.ts";
import { Home, ROOT } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { until } from "../helpers/poll.ts";
import { killQuietly } from "../helpers/processes.ts";

const FRAME_TYPES = new Set(
  "session text reasoning tool_use tool_result hook injected assistant cost error result".split(" "),
);

test("messages are turns of one session; every line of jsonl is a frame", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home, { args: ["first"] });
  await daemon.turns(1);
  const answer = await home.run(["send", "--name", daemon.name, "--wait", "second"]);
  assert.deepEqual([answer.code, answer.stdout], [0, "second\n"], answer.stderr);
  await daemon.turns(2);
  const frames = daemon.frames();
  for (const frame of frames) assert.ok(FRAME_TYPES.has(String(frame["type"])), JSON.stringify(frame));
  assert.equal(new Set(frames.map((frame) => frame["session_id"])).size, 1);
  const { type, platform, resumed } = frames[0]!;
  assert.deepEqual([type, platform, resumed], ["session", "daemon", false]);
  const shown = frames.filter((frame) => frame["type"] === "injected" || frame["type"] === "result");
  assert.deepEqual(
    shown.map((frame) => [frame["type"], frame["source_kind"], frame["source_label"], frame["content"]]),
    [
      ["injected", "inject", "prompt", "first"],
      ["result", undefined, undefined, undefined],
      ["injected", "inject", "send", "second"],
      ["result", undefined, undefined, undefined],
    ],
  );
  const states = (await messagesOf(home, daemon.name)).map(({ source, content, state }) => [source, content, state]);
  assert.deepEqual(states, [
    ["inject", "first", "done"],
    ["inject", "second", "done"],
  ]);
});

test("while a turn runs, messages wait and come by source; ps, attach and stop know it", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home);
  const { message, entered, open } = gate(home, "first");
  await send(home, daemon.name, message);
  await entered();
  await send(home, daemon.name, "sent");
  await runInProcess(home, ["schedule", "add", "--name", daemon.name, "in 1s", "scheduled"]);
  await until(async () => (await messagesOf(home, daemon.name)).length === 3, "the schedule was due");
  const ps = await home.run(["ps", "--json"]);
  const [session, ...others] = (JSON.parse(ps.stdout) as { sessions: Record<string, unknown>[] }).sessions;
  assert.deepEqual(others, []);
  const { session_id, started_at, host = hostname(), ...rest } = session!;
  // It is named where machines share a database.
  assert.equal(host, hostname());
  assert.deepEqual(rest, { name: daemon.name, pid: daemon.pid, state: "running", queued: 2, hooks: [] });
  assert.equal(session_id, daemon.frames()[0]!["session_id"]);
  assert.ok(Date.parse(String(started_at)) <= Date.now());
  const attached = home.start(["attach", "--name", daemon.name, "--format", "jsonl"]);
  await attached.sees("Attached to");
  open();
  await daemon.turns(3);
  assert.deepEqual(daemon.injected().slice(1), ["scheduled", "sent"]);
  await attached.sees('"content":"sent"');
  for (const line of attached.stdout().trim().split("\n")) assert.ok(FRAME_TYPES.has(JSON.parse(line).type));
  attached.kill("SIGINT");
  assert.equal((await attached.ended).code, 0, "Ctrl+C leaves it running");
  const stopped = await home.run(["stop", "--name", daemon.name]);
  assert.equal(stopped.code, 0, stopped.stderr);
  const ended = await daemon.ended;
  assert.equal(ended.code, 0, ended.stderr);
  assert.deepEqual(JSON.parse((await home.run(["ps", "--json"])).stdout), { sessions: [] });
  assert.deepEqual(
    readdirSync(join(home.path, "run")).filter((name) => name.startsWith("daemon-")),
    [],
  );
});

test("SIGTERM lets the running turn end; the queue and the session are there at the next start", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home);
  const { message, entered, open } = gate(home, "held");
  await send(home, daemon.name, message);
  await entered();
  const waiting = await send(home, daemon.name, "later");
  daemon.kill("SIGTERM");
  await daemon.sees("Waiting for the running turn");
  const ps = await home.run(["ps", "--json"]);
  assert.match(ps.stdout, /"state": "draining"/);
  open();
  const { code, stderr } = await daemon.ended;
  assert.equal(code, 0, stderr);
  const states = (await messagesOf(home, daemon.name)).map(({ content, state }) => [content, state]);
  assert.deepEqual(states, [
    [message, "done"],
    ["later", "queued"],
  ]);
  const next = await startDaemon(t, home);
  await next.turns(1);
  assert.deepEqual([next.frames()[0]!["resumed"], next.injected()], [true, ["later"]]);
  assert.equal(next.frames()[0]!["session_id"], daemon.frames()[0]!["session_id"]);
  const done = (await messagesOf(home, daemon.name)).find(({ id }) => id === waiting);
  assert.equal(done?.state, "done");
});

test("a turn that fails is an error frame and a failed message; the daemon lives", async (t) => {
  const home = new Home(t);
  const model = {
    provider: "openai-compatible",
    default: "m",
    base_url: "http://127.0.0.1:9/v1",
    api_key: "k",
    max_retries: 0,
  };
  const daemon = await startDaemon(t, home, { config: { model } });
  const failed = await runInProcess(home, ["send", "--name", daemon.name, "--wait", "hello"]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /The turn failed: The model m/);
  const types = daemon.frames().map(({ type }) => type);
  assert.ok(types.includes("error"), types.join());
  assert.deepEqual(
    (await messagesOf(home, daemon.name)).map(({ state }) => state),
    ["failed"],
  );
  await send(home, daemon.name, "again");
  await daemon.turns(2);
});

test("what is piped in is the first message; a second daemon of a name is 1 and names the first one's pid, others run", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home, { input: "from a pipe\n" });
  await daemon.turns(1);
  assert.deepEqual(daemon.injected(), ["from a pipe"]);
  const second = await home.run(["run", "--daemon", "--name", daemon.name]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`already running \\(pid ${daemon.pid}\\)`));
  assert.equal(second.stdout, "");
  const other = await startDaemon(t, home, { name: "other" });
  await send(home, "other", "to the other");
  await other.turns(1);
  assert.deepEqual(daemon.injected(), ["from a pipe"]);
  const near = await runInProcess(home, ["send", "--name", "watchr", "x"]);
  assert.equal(near.code, 4);
  assert.match(near.stderr, /No daemon "watchr" is running\. Did you mean "watcher"\?/);
});

test("any name is safe in run/, and long ones stay apart", async (t) => {
  const home = new Home(t);
  const odd = `../${"ü/ *".repeat(20)}`;
  for (const name of [odd, `${"x".repeat(99)}1`, `${"x".repeat(99)}2`]) {
    const daemon = await startDaemon(t, home, { name });
    const { code, stdout, stderr } = await runInProcess(home, ["send", "--name", name, "--wait", `hello ${name}`]);
    assert.deepEqual([code, stdout.startsWith(`hello ${name}`)], [0, true], stderr);
    assert.equal(daemon.injected().length, 1);
  }
  const run = join(home.path, "run");
  assert.equal(statSync(run).mode & 0o777, 0o700);
  const sockets = readdirSync(run).filter((name) => name.endsWith(".sock"));
  assert.equal(sockets.length, 3);
  for (const name of sockets) assert.equal(statSync(join(run, name)).mode & 0o777, 0o600);
  const ps = JSON.parse((await home.run(["ps", "--json"])).stdout) as { sessions: { name: string }[] };
  assert.deepEqual(new Set(ps.sessions.map(({ name }) => name)).size, 3);
});

for (const [what, args, code, said] of [
  ["no name", ["run", "--daemon"], 2, /needs a name/],
  ["a name with a control character", ["run", "--daemon", "--name", "a\tb"], 2, /control characters/],
  ["a name of 101 characters", ["run", "--daemon", "--name", "x".repeat(101)], 2, /at most 100/],
  ["an empty name", ["run", "--daemon", "--name", ""], 2, /must not be empty/],
  ["a name without --daemon", ["run", "--name", "x", "hello"], 2, /needs --daemon/],
  ["one document at the end", ["run", "--daemon", "--name", "x", "--output-format", "json"], 2, /--format jsonl/],
  ["an option of tasks", ["run", "--daemon", "--name", "x", "--background"], 2, /--background is for tasks/],
  ["a blank prompt", ["run", "--daemon", "--name", "x", "  "], 2, /the message is empty/],
  ["a blank message", ["send", "--name", "x", " \n"], 2, /the message is empty/],
  ["no message", ["send", "--name", "x"], 2, /the message is empty/],
  ["no name of whom to send to", ["send", "hello"], 2, /--name/],
  ["nobody to send to", ["send", "--name", "nobody", "hello"], 4, /No daemon "nobody" is running/],
  ["nobody to stop", ["stop", "--name", "nobody"], 4, /No daemon "nobody" is running/],
  ["nobody to attach to", ["attach", "--name", "nobody"], 4, /No daemon "nobody" is running/],
] as const) {
  test(`${what} is ${code}, in one line`, async (t) => {
    const home = new Home(t);
    // Only one of them reads standard input.
    const isInProcess = what !== "no message";
    const ended = isInProcess ? await runInProcess(home, args) : await home.run(args);
    assert.equal(ended.code, code, ended.stderr);
    if (!args.some((word) => word === "json")) assert.equal(ended.stdout, "");
    assert.match(ended.stderr.split("\n")[0]!, said);
  });
}

test("a message of more than 1 MiB is 2, one of 1 MiB is stored", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home);
  // What runs a command is answered with its output only.
  const most = "run `true`".padEnd(1024 * 1024);
  const large = await home.run(["send", "--name", daemon.name], { input: `${most}y` });
  assert.deepEqual([large.code, large.stdout], [2, ""]);
  assert.match(large.stderr, /larger than 1 MiB/);
  const stored = await home.run(["send", "--name", daemon.name, "-"], { input: most });
  assert.equal(stored.code, 0, stored.stderr);
  assert.match(stored.stdout, /^[a-z0-9]{16}\n$/);
  await daemon.turns(1);
  assert.equal(daemon.injected()[0]!.length, most.length);
});

test("a second signal cuts the drain, and the cut message is delivered again", async (t) => {
  const home = new Home(t);
  const daemon = await startDaemon(t, home);
  const { message, entered, open } = gate(home, "held");
  await send(home, daemon.name, message);
  await entered();
  daemon.kill("SIGTERM");
  await daemon.sees("Waiting for the running turn");
  // Signals that come together are one request to stop.
  const repeat = setInterval(() => daemon.kill("SIGTERM"), 200);
  const { code } = await daemon.ended;
  clearInterval(repeat);
  assert.equal(code, 143);
  open();
  const next = await startDaemon(t, home);
  await next.turns(1);
  assert.match(next.injected()[0]!, /^\[delivered again after a crash\]/);
});

test("without a terminal and with its output gone, the daemon lives", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\n");
  const shell = `node=${process.execPath}; ("$node" "${join(ROOT, "cli/bin.js")}" run --daemon --name gone --format jsonl < /dev/null | head -n 1) 2> said`;
  const child = spawn("sh", ["-c", shell], { cwd: home.work, env: home.env(), stdio: "ignore", detached: true });
  t.after(() => killQuietly(-child.pid!));
  await until(() => existsSync(daemonFiles(join(home.path, "run"), "gone").entry), "it runs");
  assert.match((await home.run(["ps", "--json"])).stdout, /"gone"/);
  for (const text of ["one", "two", "three"]) {
    assert.equal((await runInProcess(home, ["send", "--name", "gone", "--wait", text])).code, 0);
  }
  assert.equal((await runInProcess(home, ["stop", "--name", "gone"])).code, 0);
});

test("names of running daemons and ids of schedules are completed", async (t) => {
  const home = new Home(t);
  await startDaemon(t, home);
  const added = await home.run(["schedule", "add", "--name", "watcher", "in 2h", "later"]);
  const completed = async (...words: string[]) => (await home.run(["complete", "--", ...words])).stdout;
  for (const words of [["send"], ["stop"], ["attach"], ["inbox", "list"], ["schedule", "add"], ["cron", "list"]]) {
    assert.match(await completed(...words, "--name", ""), /^watcher\b/m, words.join(" "));
  }
  assert.ok((await completed("schedule", "remove", "")).includes(added.stdout.trim()));
});

test("a daemon whose standard input never ends starts, answers and stops", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\n");
  const args = [join(ROOT, "cli/bin.js"), "run", "--daemon", "--name", "open"];
  const child = spawn(process.execPath, args, { cwd: home.work, env: home.env(), stdio: ["pipe", "ignore", "ignore"] });
  t.after(() => child.kill("SIGKILL"));
  await until(() => existsSync(daemonFiles(join(home.path, "run"), "open").entry), "it runs");
  assert.match((await runInProcess(home, ["ps", "--json"])).stdout, /"open"/);
  assert.equal((await runInProcess(home, ["send", "--name", "open", "--wait", "hello"])).code, 0);
  const stopped = await runInProcess(home, ["stop", "--name", "open"]);
  assert.equal(stopped.code, 0, stopped.stderr);
});
