/** What becomes of what is stored when a real server fails, and what is said. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { stringify } from "yaml";
import { isHermesError, problemOf } from "#core/errors";
import { thisProcess } from "#core/process-space";
import { postgresStorage } from "#daemon/storage/postgres/storage";
import { Deliverer } from "#daemon/webhooks/deliverer";
import { endpointsOf } from "#daemon/webhooks/endpoints";
import { WebhookSender } from "#daemon/webhooks/send";
import { Home } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";
import { PostgresServer } from "../../helpers/postgres.ts";
import { startReceiver } from "../../helpers/receiver.ts";

const COUNT = 300;

suite("a server that fails", () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  /** The sentence that opening a storage fails with. */
  async function refusal(url: string, code = "HERMES_DATABASE_UNAVAILABLE"): Promise<string> {
    try {
      await using storage = await postgresStorage({ url, home: "/nowhere" });
      await storage.probe();
    } catch (error) {
      assert.ok(isHermesError(error), problemOf(error));
      assert.equal(error.code, code);
      assert.equal(error.exitCode, 1);
      return error.message;
    }
    return assert.fail("it can be used");
  }

  test("a wrong password, TLS that it has not, a newer schema and no server are one sentence each", async (t) => {
    const url = await server.createDatabase();
    await (await postgresStorage({ url, home: "/nowhere" }))[Symbol.asyncDispose]();
    const database = new URL(url).pathname.slice(1);
    await server.query("UPDATE hermes.version SET version = version + 1", database);
    assert.match(await refusal(url, "HERMES_DATABASE_NEWER"), /of a newer hermes .* Update hermes on this machine\.$/);
    assert.match(await refusal(`${url}?sslmode=require`), /: The server does not support SSL connections$/);
    assert.match(
      await refusal(server.urlOf(database, { port: 9 })),
      /127\.0\.0\.1:9\/.* cannot be used: .*ECONNREFUSED/,
    );
    await server.demandPassword();
    const wrong = server.urlOf(database, { password: "n0t-the-password" });
    assert.match(await refusal(wrong), /: password authentication failed for user "hermes"$/);
    const home = new Home(t);
    home.write("config.yaml", stringify({ storage: wrong }));
    for (const command of ["tasks list", "webhooks list", "schedule list", "ps", "send --name x y"]) {
      const { code, stdout, stderr } = await home.run(command.split(" "));
      assert.deepEqual([code, stdout], [1, ""], command);
      assert.match(stderr, /^[^\n]*The database .* cannot be used: password authentication failed[^\n]*\n$/, command);
      assert.doesNotMatch(stderr, /n0t-the/);
    }
  });

  test("deliveries survive a server that is killed, connections that are cut, and two machines that send", async (t) => {
    const url = await server.createDatabase();
    const receiver = await startReceiver(t);
    const machines = await Promise.all([1, 2, 3].map(() => postgresStorage({ url, home: "/nowhere" })));
    const [submitter, ...senders] = machines;
    const logged: string[] = [];
    const note = (message: string) => void logged.push(message);
    const log = { debug: note, info: note, warn: note, error: note, child: () => log };
    const endpoints = endpointsOf({ endpoints: { "agent:end": { url: receiver.url } } });
    const [{ name: endpoint }] = endpoints as [(typeof endpoints)[number]];
    for (const { deliveries: store, onWake } of senders) {
      const sender = new WebhookSender({ version: "1", redact: (text) => text });
      const deliverer = new Deliverer({ store, sender, endpoints: () => endpoints, log, warn: note });
      const heard = onWake((kind) => kind === "deliveries" && deliverer.hear());
      t.after(async () => {
        heard[Symbol.dispose]();
        await deliverer[Symbol.asyncDispose]();
        await sender[Symbol.asyncDispose]();
      });
      await deliverer.start();
    }
    t.after(() => Promise.all(machines.map((storage) => storage[Symbol.asyncDispose]())));
    const { deliveries } = submitter!;
    const one = { event: "agent:end", endpoint, payload: "{}" };
    const ids = [...(await deliveries.add(Array.from({ length: COUNT }, () => one)))];
    const sent = () => new Set(receiver.received.map(({ headers }) => headers["webhook-id"]));
    await until(() => sent().size > COUNT / 10, "some are sent", { seen: () => logged });
    await server.kill();
    await server.run();
    ids.push(...(await until(() => deliveries.add([one]).catch(() => undefined), "the server is back")));
    await server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hermes' AND pid <> pg_backend_pid()",
    );
    ids.push(...(await until(() => deliveries.add([one]).catch(() => undefined), "it is connected again")));
    const left = async () => (await deliveries.backlog().catch(() => ({ pending: -1 }))).pending;
    await until(async () => (await left()) === 0, "all are delivered", { seen: () => logged, withinMs: 60_000 });
    assert.deepEqual(sent(), new Set(ids));
    const delivered = await deliveries.list({ status: "delivered", limit: 1000 });
    assert.deepEqual(new Set(delivered.map(({ id }) => id)), new Set(ids));
  });

  test("a full disk refuses what does not fit, and keeps what was stored", async () => {
    const url = await server.createDatabase();
    await using storage = await postgresStorage({ url, home: "/nowhere" });
    const { inbox } = storage;
    const stored: string[] = [];
    const add = async () => {
      const content = randomBytes(700_000).toString("hex").slice(0, 1_000_000);
      const added = await inbox.add({ session: "s", source: "inject", label: "send", content });
      if (added.kind === "stored") stored.push(added.id);
    };
    await add();
    server.limitFiles(17 * 1024 * 1024);
    await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hermes'");
    const problem = await until(async () => {
      try {
        await add();
        return undefined;
      } catch (error) {
        return isHermesError(error) && /extend file|size/.test(error.message) ? error.message : undefined;
      }
    }, "it is full");
    assert.match(problem, /^The database 127\.0\.0\.1:\d+\/\w+ cannot be used: could not extend file/);
    assert.deepEqual(
      (await inbox.list("s")).map(({ id }) => id),
      stored,
    );
    server.limitFiles("unlimited");
    await server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hermes'");
    await until(
      () =>
        add().then(
          () => true,
          () => false,
        ),
      "there is room again",
    );
    assert.deepEqual(
      (await inbox.list("s")).map(({ id }) => id),
      stored,
    );
  });

  test("a daemon of another machine keeps its name and its message for as long as it is heard of", async () => {
    const url = await server.createDatabase();
    const database = new URL(url).pathname.slice(1);
    const clock = { now: Date.now() };
    await using storage = await postgresStorage({ url, home: "/nowhere", now: async () => clock.now });
    const { daemons, inbox } = storage;
    assert.ok(daemons);
    const report = { session_id: "1", state: "idle", hooks: ["push"] } as const;
    const holder = { pid: process.pid, start: thisProcess().start };
    const added = await inbox.add({ session: "w", source: "inject", label: "send", content: "hello" });
    const hold = await daemons.hold("w", report);
    assert.deepEqual(await hold.beat(report), { kind: "kept", queued: 1 });
    const claimed = await inbox.claim({ session: "w", holder, order: "fifo" });
    assert.deepEqual(added, { kind: "stored", id: claimed!.id });
    for (const table of ["daemons", "inbox_messages"])
      await server.query(`UPDATE hermes.${table} SET space = 'elsewhere'`, database);
    assert.deepEqual(
      (await daemons.list()).map(({ name, hooks }) => [name, hooks]),
      [["w", ["push"]]],
    );
    await assert.rejects(daemons.hold("w", report), { code: "HERMES_DAEMON_RUNNING", message: / on / });
    assert.deepEqual(await inbox.cutAbandoned("w"), []);
    assert.equal((await inbox.get(claimed!.id))?.state, "running");
    assert.equal((await hold.beat(report)).kind, "lost", "the row is another process's");
    assert.equal(await inbox.end([claimed!.id], "done"), 0, "and so is the message");
    assert.deepEqual([await daemons.askToStop("w"), await daemons.askToStop("x")], [true, false]);
    clock.now += 30_001;
    assert.deepEqual(await daemons.list(), []);
    await using heir = await daemons.hold("w", report);
    assert.equal((await heir.beat(report)).kind, "kept", "the wish to stop was the other one's");
    await inbox.cutAbandoned("w");
    assert.equal((await inbox.claim({ session: "w", holder, order: "fifo" }))?.cuts, 1);
    assert.equal(await daemons.handled(claimed!.id), undefined);
    await inbox.end([claimed!.id], "failed", { text: null, problem: "no model" });
    assert.deepEqual(await daemons.handled(claimed!.id), { text: null, problem: "no model" });
    assert.equal(await daemons.handled("none"), "missing");
  });
});
