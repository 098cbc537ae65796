/** Daemons and commands of two homes, which stand for two machines, on one PostgreSQL server. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import test from "node:test";
import { stringify } from "yaml";
import { gate, messagesOf, startDaemon } from "../helpers/daemon.ts";
import { Home, type Ended } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { PostgresServer } from "../helpers/postgres.ts";

/** Of the url that homes have. */
const PASSWORD = "only-for-tests";

type Test = Parameters<Parameters<typeof test>[0] & object>[0];

/** Two homes of one database. */
async function machines(t: Test, server: PostgresServer): Promise<[Home, Home]> {
  const storage = await server.createDatabase();
  assert.equal(new URL(storage).password, PASSWORD);
  const homes: [Home, Home] = [new Home(t), new Home(t)];
  for (const home of homes) home.write("config.yaml", stringify({ model: { provider: "offline" }, storage }));
  return homes;
}

async function startServer(t: Test): Promise<PostgresServer> {
  const server = await PostgresServer.start();
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

function failed({ code, stdout, stderr }: Ended, expected: number, words: RegExp): void {
  assert.deepEqual([code, stdout], [expected, ""], stderr);
  assert.match(stderr, words);
  assert.doesNotMatch(stderr, new RegExp(PASSWORD));
}

test("a daemon of another machine takes messages and schedules, is listed, and is stopped", async (t) => {
  const [here, there] = await machines(t, await startServer(t));
  const daemon = await startDaemon(t, there);
  const answered = await here.run(["send", "--name", "watcher", "--wait", "hello from afar"]);
  assert.deepEqual([answered.code, answered.stdout.split("\n")[0]], [0, "hello from afar"], answered.stderr);

  const listed = await here.run(["ps", "--json"]);
  const [session] = (JSON.parse(listed.stdout) as { sessions: Record<string, unknown>[] }).sessions;
  const keys = ["name", "session_id", "pid", "state", "queued", "hooks", "started_at", "host"];
  assert.deepEqual(Object.keys(session!).toSorted(), keys.toSorted());
  assert.deepEqual([session!["name"], session!["pid"], session!["host"]], ["watcher", daemon.pid, hostname()]);
  assert.match((await here.run(["ps"])).stdout, new RegExp(`HOST .*\n.*${hostname()}`));
  assert.doesNotMatch((await there.run(["ps"])).stdout, /HOST/);

  const second = await here.run(["run", "--daemon", "--name", "watcher"]);
  failed(second, 1, new RegExp(`already running \\(pid ${daemon.pid} on ${hostname()}\\)`));
  failed(
    await here.run(["attach", "--name", "watcher"]),
    1,
    new RegExp(`runs on ${hostname()} \\(pid ${daemon.pid}\\)`),
  );
  failed(await here.run(["send", "--name", "watcher", " "]), 2, /the message is empty/);
  failed(await here.run(["send", "--name", "watchr", "hi"]), 4, /"watchr".*watcher/);

  const added = await here.run(["schedule", "add", "--name", "watcher", "in 1s", "say it is time"]);
  assert.equal(added.code, 0, added.stderr);
  await until(() => daemon.injected().includes("say it is time"), "the schedule came", { seen: daemon.stderr });
  assert.deepEqual(
    (await messagesOf(here, "watcher")).map(({ source }) => source),
    ["inject", "schedule"],
  );

  const stopped = await here.run(["stop", "--name", "watcher"]);
  assert.deepEqual([stopped.code, stopped.stdout], [0, 'The daemon "watcher" has stopped.\n'], stopped.stderr);
  assert.equal((await daemon.ended).code, 0, daemon.stderr());
  failed(await here.run(["stop", "--name", "watcher"]), 4, /No daemon "watcher" is running/);
});

test("a daemon waits for a server that was killed; what it was handling when it is killed itself goes on elsewhere", async (t) => {
  const server = await startServer(t);
  const [here, there] = await machines(t, server);
  const daemon = await startDaemon(t, there);
  const held = gate(there, "held");
  const sent = here.start(["send", "--name", "watcher", "--wait", held.message]);
  await held.entered();
  await server.kill();
  failed(
    await here.run(["send", "--name", "watcher", "lost?"]),
    1,
    /The database 127\.0\.0\.1:\d+\/\w+ cannot be used: /,
  );
  failed(await here.run(["run", "--daemon", "--name", "other"]), 1, /The database .* cannot be used: /);
  held.open();
  await daemon.turns(1);
  const cut = await sent.ended;
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /The database .* cannot be used: /);
  await server.run();
  const answered = await here.run(["send", "--name", "watcher", "--wait", "back again"]);
  assert.deepEqual([answered.code, answered.stdout], [0, "back again\n"], answered.stderr);
  assert.deepEqual(
    (await messagesOf(here, "watcher")).map(({ state }) => state),
    ["done", "done"],
    "the turn that ended meanwhile is stored as such",
  );
  assert.equal(there.read("logs/hermes.log").match(/the daemon waits for its storage/g)?.length ?? 1, 1);

  await server.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hermes' AND pid <> pg_backend_pid()",
  );
  const again = gate(there, "again");
  assert.equal((await here.run(["send", "--name", "watcher", again.message])).code, 0);
  await again.entered();
  daemon.kill("SIGKILL");
  await daemon.ended;
  const heir = await startDaemon(t, here);
  const taken = await until(() => heir.injected()[0], "the heir has its message");
  assert.match(taken, /^\[delivered again after a crash\]/);
});
