/** `hermes serve`: everything in one process, which starts whole or not at all, and drains. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import type { Task } from "#core/ports/tasks";
import { runInProcess } from "../helpers/in-process.ts";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { EVERYTHING, say, startServe } from "../helpers/serve.ts";

function workers(home: Home): readonly string[] {
  return readdirSync(join(home.path, "run")).filter((name) => /^worker-\d+\.json$/.test(name));
}

async function submit(home: Home, prompt: string): Promise<string> {
  const { stdout, stderr, code } = await home.run(["run", "--background", prompt]);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function status(home: Home, id: string): Promise<Task> {
  return JSON.parse((await runInProcess(home, ["tasks", "status", id, "--json"])).stdout) as Task;
}

const becomes = (home: Home, id: string, wanted: string) =>
  until(async () => (await status(home, id)).status === wanted, `${id} is ${wanted}`);

/** A port that is taken until the end of the test. */
async function takePort(t: TestContext): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await new Promise((listening) => server.once("listening", listening));
  return (server.address() as { port: number }).port;
}

/** Sends one event to the dashboard, as another process would. */
async function send(home: Home, event_type: string, context: object): Promise<void> {
  const { url, hooks_ingest_token: token } = JSON.parse(home.read("dashboard.json")) as Record<string, string>;
  const { status: answer } = await fetch(`${url}/api/hooks/ingest`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ event_type, context, src: "test" }),
  });
  assert.equal(answer, 200);
}

test("one process answers on platforms, runs tasks and has the dashboard", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: EVERYTHING });
  assert.match(await say(service, "hello there"), /^hello there/);

  const id = await submit(home, "run `echo done-$((40 + 2))`");
  assert.equal((await home.run(["tasks", "wait", id])).code, 0);
  assert.match((await runInProcess(home, ["tasks", "output", id])).stdout, /done-42/);
  assert.deepEqual(workers(home), [`worker-${service.pid}.json`], "its own worker ran the task");

  const { stdout: link } = await home.run(["dashboard", "--link"]);
  const [, origin, code] = /^(http:\S+)\/#code=(\S+)/.exec(link) ?? [];
  assert.ok(service.stdout().includes(`The dashboard is at ${origin}\n`), service.stdout());
  assert.doesNotMatch(service.stdout() + service.stderr(), /#code=/, "no sign-in link in the journal");
  const signedIn = await fetch(`${origin}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
  });
  assert.equal(signedIn.status, 204);

  service.kill("SIGTERM");
  const { code: exit, stderr } = await service.ended;
  assert.equal(exit, 0, stderr);
  assert.deepEqual(readdirSync(join(home.path, "run")), [], "nothing is left in run/");
  assert.ok(!home.has("dashboard.json"));
});

test("a plugin hears the events of this process and, marked, those of others", async (t) => {
  const home = new Home(t);
  home.plugin(
    "listener",
    `import { appendFileSync } from "node:fs";
     export default (ctx) => ctx.on("agent:end", (event, context) =>
       appendFileSync(${JSON.stringify(join(home.work, "heard"))},
         JSON.stringify([context.platform, context._forwarded_from ?? null]) + "\\n"));`,
  );
  const service = await startServe(t, home, { config: { ...EVERYTHING, plugins: { enabled: ["listener"] } } });
  await say(service, "hello");
  await send(home, "agent:end", { platform: "elsewhere" });
  const heard = () =>
    existsSync(join(home.work, "heard")) ? readFileSync(join(home.work, "heard"), "utf8").split("\n") : [];
  // Its own events, directly and as its dashboard has them, and those of another process.
  for (const event of ['["api_server",null]', '["api_server","gateway"]', '["elsewhere","test"]'])
    await until(() => heard().includes(event), `${event} is heard`, { seen: heard });
});

for (const [key, config] of [
  [
    "gateway.platforms.api_server.port",
    (port: number) => ({ gateway: { platforms: { api_server: { enabled: true, port } } } }),
  ],
  ["monitoring.health.port", (port: number) => ({ monitoring: { health: { enabled: true, port } } })],
  ["monitoring.prometheus.port", (port: number) => ({ monitoring: { prometheus: { enabled: true, port } } })],
  ["dashboard.port", (port: number) => ({ dashboard: { enabled: true, port } })],
] as const) {
  test(`a taken port ends it, names ${key}, and leaves nothing`, async (t) => {
    const home = new Home(t);
    home.write("config.yaml", stringify({ ...EVERYTHING, ...config(await takePort(t)) }));
    const { code, stdout, stderr } = await home.run(["serve"]);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, /^hermes: .*\bis in use\b/m);
    assert.ok(stderr.includes(key), stderr);
    assert.doesNotMatch(stderr, /is running/);
    assert.deepEqual(readdirSync(join(home.path, "run")), []);
    assert.ok(!home.has("dashboard.json"));
  });
}

test("a home has one service and one gateway", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: EVERYTHING });
  for (const command of ["serve", "gateway"]) {
    const { code, stderr } = await home.run([command]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`^hermes: .* already running for this home \\(process ${service.pid}\\)`, "m"));
  }
  service.kill("SIGINT");
  assert.equal((await service.ended).code, 0);

  const gateway = home.start(["gateway"]);
  t.after(() => gateway.kill("SIGKILL"));
  await gateway.sees("The gateway is running");
  const second = await home.run(["serve"]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`A gateway is already running for this home \\(process ${gateway.pid}\\)`));
});

test("it runs without a platform; reloads start the gateway, and stop and start the worker", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: { model: { provider: "offline" } } });
  assert.equal(service.stdout(), "");
  assert.equal(workers(home).length, 1);
  home.write("config.yaml", stringify({ ...EVERYTHING, background: { enabled: false } }));
  await service.sees("api_server: http");
  await until(() => workers(home).length === 0, "the worker is gone");
  assert.match(await say(service, "hello"), /^hello/);
  assert.match(service.stderr(), /warning: Restart hermes serve to apply the changes of dashboard in config\.yaml\./);
  home.write("config.yaml", stringify({ ...EVERYTHING, background: { max_concurrent: 1 } }));
  await until(() => workers(home).length === 1, "a worker runs again");
  const ids = [await submit(home, "run `sleep 600`"), await submit(home, "hello")];
  await becomes(home, ids[0]!, "running");
  assert.equal((await status(home, ids[1]!)).position, 1, "the new limit is in force");
  await runInProcess(home, ["tasks", "cancel", ids[0]!]);
  await becomes(home, ids[1]!, "succeeded");
});

test("a stop lets a running task end, takes no more of them, and ends with 0", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: EVERYTHING });
  const id = await submit(home, "run `touch started; while ! test -e go; do sleep 0.1; done`");
  await until(() => existsSync(join(home.work, "started")), "the task runs");
  service.kill("SIGTERM");
  await service.sees("Waiting for 1 running task to finish");
  writeFileSync(join(home.work, "go"), "");
  const { code, stderr } = await service.ended;
  assert.equal(code, 0, stderr);
  assert.equal((await status(home, id)).status, "succeeded");
});

test("a second signal cuts the drain: the running task is queued again, without counting as an attempt", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: EVERYTHING });
  const id = await submit(home, "run `touch started; sleep 600`");
  await until(() => existsSync(join(home.work, "started")), "the task runs");
  service.kill("SIGTERM");
  await service.sees("Waiting for 1 running task to finish");
  // Signals that come together are one request.
  await pause(1500);
  service.kill("SIGTERM");
  const { code, stderr } = await service.ended;
  assert.equal(code, 143, stderr);
  const { status: state, attempt, ended_by } = await status(home, id);
  assert.deepEqual([state, attempt, ended_by], ["queued", 1, "shutdown"]);
});

test("killed, it starts again on the same home, and its task is taken up once more", async (t) => {
  const home = new Home(t);
  const first = await startServe(t, home, { config: EVERYTHING });
  const id = await submit(home, "run `touch started; test -e second || sleep 600; echo survived`");
  await until(() => existsSync(join(home.work, "started")), "the task runs");
  first.kill("SIGKILL");
  await first.ended;
  writeFileSync(join(home.work, "second"), "");
  const second = await startServe(t, home);
  await becomes(home, id, "succeeded");
  assert.equal((await status(home, id)).attempt, 2);
  assert.match(await say(second, "hello"), /^hello/);
});

test("a SIGHUP does not stop it, and a home that cannot be used does", async (t) => {
  const home = new Home(t);
  const service = await startServe(t, home, { config: EVERYTHING });
  service.kill("SIGHUP");
  assert.match(await say(service, "hello"), /^hello/);
  service.kill("SIGTERM");
  assert.equal((await service.ended).code, 0);

  const broken = new Home(t);
  broken.write("state.db/file", "a folder in its place");
  const { code, stderr } = await broken.run(["serve"]);
  assert.equal(code, 1);
  assert.match(stderr, /^hermes: .*state\.db cannot be used/m);
});
