/** The forwarder as surfaces use it: attached by a discovery file, over real HTTP. One forwarder a process. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { FORWARDED, is_active, start_if_dashboard_available, stop, type ForwarderOptions } from "#core/forwarder";
import { HookRegistry } from "#core/registry";
import { acceptAll, announce, emptyHome, FakeDashboard } from "../../helpers/fake-dashboard.ts";
import { ROOT } from "../../helpers/hermes.ts";
import { until } from "../../helpers/poll.ts";

interface Fixture {
  readonly home: string;
  readonly registry: HookRegistry;
  readonly warnings: string[];
  readonly logged: string[];
  start(options?: Partial<ForwarderOptions>): ReturnType<typeof start_if_dashboard_available>;
}

function fixture(t: TestContext): Fixture {
  const home = emptyHome(t);
  const registry = new HookRegistry();
  const warnings: string[] = [];
  const logged: string[] = [];
  t.after(stop);
  return {
    home,
    registry,
    warnings,
    logged,
    start: (options) =>
      start_if_dashboard_available(registry, {
        src: "gateway",
        home,
        env: {},
        warn: (sentence) => warnings.push(sentence),
        log: (sentence) => logged.push(sentence),
        ...options,
      }),
  };
}

const hears = (registry: HookRegistry) => FORWARDED.filter((pattern) => registry.listens(pattern.replace("*", "x")));

test("an event of every namespace reaches the dashboard as it was emitted, others stay", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const forwarder = start();
  assert.ok(forwarder !== null && is_active());
  assert.deepEqual(hears(registry), [...FORWARDED]);
  const events = ["tui:tool.start", "agent:start", "session:reset", "command:reset", "gateway:startup"];
  for (const [n, event] of events.entries()) registry.emit_sync(event, { n, platform: "telegram" });
  registry.emit_sync("custom:event", { n: 9 });
  await registry.emit("agent:end");
  await until(() => dashboard.taken.length >= 6, "six frames");
  assert.deepEqual(
    dashboard.taken,
    [...events.entries()]
      .map(([n, event_type]) => ({ event_type, context: { n, platform: "telegram" } as object, src: "gateway" }))
      .concat({ event_type: "agent:end", context: {}, src: "gateway" }),
  );
  assert.equal(dashboard.connections.size, 1);
  assert.ok(
    dashboard.requests.every(({ isBatch, dropped, token }) => isBatch && dropped === 0 && token === "test-token"),
  );
  assert.ok(dashboard.healthChecks >= 1);
});

test("an event from a dashboard is not sent back; only `true` marks one", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  start();
  registry.emit_sync("agent:start", { n: 1, _forwarded: true, _forwarded_from: "gateway" });
  for (const [n, mark] of [
    [2, false],
    [3, null],
    [4, "true"],
    [5, 1],
  ] as const)
    registry.emit_sync("agent:start", { n, _forwarded: mark });
  const hostile = Object.defineProperty({ n: 6 }, "_forwarded", { get: () => assert.fail("read") });
  registry.emit_sync("agent:start", hostile);
  await until(() => dashboard.taken.length >= 5, "five frames");
  await stop();
  assert.deepEqual(dashboard.numbers(), [2, 3, 4, 5, 6]);
});

test("without a dashboard nothing is registered and no timer holds the program", (t) => {
  const { registry, start, warnings } = fixture(t);
  const before = process.getActiveResourcesInfo();
  assert.equal(start(), null);
  assert.equal(is_active(), false);
  assert.deepEqual(hears(registry), []);
  assert.deepEqual(registry.loaded_hooks, []);
  assert.deepEqual(process.getActiveResourcesInfo(), before);
  assert.deepEqual(warnings, []);
});

test("HERMES_HOOK_FORWARDER switches it off, however it is written, also for a dashboard to come", async (t) => {
  const { home, registry, start } = fixture(t);
  for (const value of ["0", "false", "FALSE", "No", " off ", "oFF"]) {
    assert.equal(start({ env: { HERMES_HOOK_FORWARDER: value } }), null, value);
  }
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  assert.equal(start({ env: { HERMES_HOOK_FORWARDER: "0" } }), null);
  assert.deepEqual(hears(registry), []);
  for (const value of ["1", "", "yes", "00"]) {
    assert.ok(start({ env: { HERMES_HOOK_FORWARDER: value } }) !== null, value);
    await stop();
  }
});

test("the home is that of HERMES_HOME where none is given", (t) => {
  const { home, registry } = fixture(t);
  announce(home, { url: "http://127.0.0.1:9" });
  const env = { HERMES_HOME: home };
  const forwarder = start_if_dashboard_available(registry, { src: "x", env, warn: () => undefined });
  assert.ok(forwarder !== null);
});

test("a source that does not say what it is, is unknown", async (t) => {
  const { home, registry } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const before = process.env["HERMES_HOME"];
  process.env["HERMES_HOME"] = home;
  t.after(() => {
    if (before === undefined) delete process.env["HERMES_HOME"];
    else process.env["HERMES_HOME"] = before;
  });
  assert.equal(start_if_dashboard_available(registry)?.src, "unknown");
  registry.emit_sync("agent:start");
  await stop();
  assert.deepEqual(dashboard.taken, [{ event_type: "agent:start", context: {}, src: "unknown" }]);
});

test("starting again returns the same forwarder, stopping twice is harmless, and it can be restarted", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const first = start();
  assert.ok(first !== null);
  assert.equal(start({ src: "tui" }), first);
  assert.equal(registry.loaded_hooks.length, FORWARDED.length);
  await Promise.all([stop(), stop()]);
  await stop();
  assert.equal(is_active(), false);
  assert.deepEqual(registry.loaded_hooks, []);
  const second = start();
  assert.ok(second !== null && second !== first);
  registry.emit_sync("agent:start", { n: 1 });
  await stop();
  assert.deepEqual(dashboard.numbers(), [1]);
});

test("a dashboard that appears later is found by itself, and at once when asked for", async (t) => {
  const { home, registry, start } = fixture(t);
  assert.equal(start(), null);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  assert.ok(start() !== null, "asked for");
  await stop();
  rmSync(join(home, "dashboard.json"));
  assert.equal(start(), null);
  announce(home, dashboard);
  await until(is_active, "attached by the watch");
  registry.emit_sync("agent:start", { n: 1 });
  await until(() => dashboard.taken.length === 1, "the event");
});

test("a dashboard that leaves takes the handlers with it; when it returns, so do they", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  assert.ok(start() !== null);
  registry.emit_sync("agent:start", { n: 1 });
  await until(() => dashboard.taken.length === 1, "the first event");
  rmSync(join(home, "dashboard.json"));
  await until(() => !is_active(), "detached");
  assert.deepEqual(hears(registry), []);
  registry.emit_sync("agent:start", { n: 2 });
  announce(home, dashboard);
  await until(is_active, "attached again");
  registry.emit_sync("agent:start", { n: 3 });
  await until(() => dashboard.taken.length === 2, "the third event");
  assert.deepEqual(dashboard.numbers(), [1, 3]);
});

test("a new token is picked up: nothing is lost, nothing comes twice", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  start();
  registry.emit_sync("agent:start", { n: 1 });
  await until(() => dashboard.taken.length === 1, "the first event");
  dashboard.token = "second";
  registry.emit_sync("agent:start", { n: 2 });
  registry.emit_sync("agent:start", { n: 3 });
  announce(home, { url: dashboard.url, token: "second" });
  await until(() => dashboard.taken.length === 3, "the others");
  assert.deepEqual(dashboard.numbers(), [1, 2, 3]);
});

test("a token that is refused waits for the next reading of the file, without asking again and again", async (t) => {
  const { home, registry, start, logged } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  dashboard.token = "second";
  announce(home, { url: dashboard.url, token: "test-token" });
  const forwarder = start();
  for (let n = 0; n < 3; n++) registry.emit_sync("agent:start", { n });
  await until(() => logged.length === 1, "the complaint");
  assert.match(logged[0]!, /does not accept the token \(401\)/);
  assert.doesNotMatch(logged[0]!, /test-token/);
  assert.equal(forwarder?.waiting, 3);
  announce(home, { url: dashboard.url, token: "second" });
  await until(() => dashboard.taken.length === 3, "the events");
  assert.deepEqual(dashboard.numbers(), [0, 1, 2]);
  assert.ok(dashboard.refusals <= 2, `${dashboard.refusals} refusals`);
});

test("of two dashboards the one whose file is newer gets the events", async (t) => {
  const { home, registry, start } = fixture(t);
  const [older, newer] = [await FakeDashboard.start(t), await FakeDashboard.start(t)];
  announce(home, older);
  start();
  registry.emit_sync("agent:start", { n: 1 });
  await until(() => older.taken.length === 1, "the first event");
  announce(home, { url: newer.url, token: "other" });
  newer.token = "other";
  await until(() => newer.healthChecks > 0, "the new dashboard is asked");
  registry.emit_sync("agent:start", { n: 2 });
  await until(() => newer.taken.length === 1, "the second event");
  assert.deepEqual([older.numbers(), newer.numbers()], [[1], [2]]);
});

test("a file that must not be used is warned about once, by name, and used when it is mended", async (t) => {
  const { home, registry, start, warnings } = fixture(t);
  const file = join(home, "dashboard.json");
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  chmodSync(file, 0o644);
  assert.equal(start(), null);
  assert.equal(start(), null);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, new RegExp(`^${file} is ignored: it contains a token, but other users have access`));
  assert.deepEqual(hears(registry), []);
  writeFileSync(file, "{");
  chmodSync(file, 0o600);
  await until(() => warnings.length === 2, "the second problem");
  assert.match(warnings[1]!, /is incomplete or not JSON/);
  announce(home, dashboard);
  await until(is_active, "attached");
  chmodSync(file, 0o644);
  await until(() => !is_active(), "detached");
  assert.equal(warnings.length, 2);
});

test("a file in the place of a good one detaches: truncated, a directory, elsewhere", async (t) => {
  const { home, start, warnings } = fixture(t);
  const file = join(home, "dashboard.json");
  const dashboard = await FakeDashboard.start(t);
  const spoil: (() => void)[] = [
    () => writeFileSync(file, readFileSync(file, "utf8").slice(0, 30)),
    () => {
      rmSync(file);
      mkdirSync(file);
    },
    () => announce(home, { url: "http://192.0.2.1:9119" }),
  ];
  for (const [index, spoiling] of spoil.entries()) {
    rmSync(file, { recursive: true, force: true });
    announce(home, dashboard);
    start();
    await until(is_active, "attached");
    spoiling();
    await until(() => !is_active(), "detached");
    assert.equal(warnings.length, index + 1);
  }
});

test("a home that is taken away and made again is watched again by the probe", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { home, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  rmSync(home, { recursive: true });
  assert.equal(start(), null);
  mkdirSync(home);
  announce(home, dashboard);
  t.mock.timers.tick(29_999);
  assert.equal(is_active(), false);
  t.mock.timers.tick(1);
  assert.equal(is_active(), true);
  renameSync(home, `${home}.gone`);
  t.after(() => rmSync(`${home}.gone`, { recursive: true, force: true }));
  t.mock.timers.tick(30_000);
  assert.equal(is_active(), false);
});

test("a wall clock that jumps changes nothing", async (t) => {
  const { home, registry, start, logged } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  start();
  const real = Date.now;
  for (const [n, jump] of [0, 3.6e6, -8.64e7, 1e12].entries()) {
    t.mock.method(Date, "now", () => real() + jump);
    registry.emit_sync("agent:start", { n });
    await until(() => dashboard.taken.length === n + 1, `event ${n}`);
  }
  assert.deepEqual(logged, []);
});

test("an address beyond this machine is sent to only when it is trusted", async (t) => {
  const own = Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry?.family === "IPv4" && !entry.internal);
  if (own === undefined) return t.skip("this machine has no address of its own");
  const { home, registry, start, warnings } = fixture(t);
  const dashboard = await FakeDashboard.start(t, { host: own.address });
  announce(home, dashboard);
  assert.equal(start(), null);
  assert.match(warnings[0]!, /Set HERMES_DASHBOARD_TRUST_REMOTE=1 to allow that/);
  await stop();
  assert.ok(start({ env: { HERMES_DASHBOARD_TRUST_REMOTE: "1" } }) !== null);
  registry.emit_sync("agent:start", { n: 1 });
  await until(() => dashboard.taken.length === 1, "the event");
});

test("a program that is busy when it ends still sends its events to a dashboard it has not asked yet", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  start();
  for (let n = 0; n < 16; n++) registry.emit_sync("tui:message.delta", { n });
  const ended = stop();
  for (const began = performance.now(); performance.now() - began < 700;);
  await ended;
  assert.equal(dashboard.taken.length, 16);
});

test("a dashboard that answers, but slowly, gets the last events", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const forwarder = start()!;
  dashboard.ingest = async (request) => {
    if (request.number === 0) await sleep(700);
    return acceptAll(request);
  };
  registry.emit_sync("agent:start", { n: 0 });
  await until(() => dashboard.requests.length === 1, "the slow request");
  registry.emit_sync("agent:end", { n: 1 });
  await stop();
  assert.deepEqual(dashboard.numbers(), [0, 1]);
  assert.equal(forwarder.dropped, 0);
});

test("what waits at the end is sent, for two seconds at most", async (t) => {
  const { home, registry, start, logged } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const forwarder = start()!;
  for (let n = 0; n < 1000; n++) registry.emit_sync("tui:message.delta", { n });
  await stop();
  // On a machine that is slow enough the two seconds may cut one batch off after it was taken.
  assert.ok(dashboard.taken.length > 0 && dashboard.taken.length + forwarder.dropped >= 1000);
  assert.deepEqual(
    dashboard.numbers(),
    Array.from({ length: dashboard.taken.length }, (_, n) => n),
  );

  dashboard.ingest = () => false;
  const stuck = start()!;
  for (let n = 0; n < 1000; n++) registry.emit_sync("tui:message.delta", { n });
  await until(() => !dashboard.requests.at(-1)!.response.writableEnded, "a request that hangs");
  await stop();
  assert.deepEqual([stuck.waiting, stuck.dropped], [0, 1000]);
  assert.match(logged.at(-1)!, /1000 of them had not arrived when it ended$/);
});

test("a token that is refused at the very end brings nothing back", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  const forwarder = start()!;
  await until(() => dashboard.healthChecks === 1, "attached");
  dashboard.token = "second";
  registry.emit_sync("agent:start", { n: 1 });
  await stop();
  assert.equal(dashboard.refusals, 1);
  assert.deepEqual(registry.loaded_hooks, []);
  assert.deepEqual([forwarder.waiting, forwarder.dropped], [0, 1]);
});

test("a program that has nothing more to do does not wait for a dashboard that hangs", async (t) => {
  const { home } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  dashboard.ingest = () => false;
  announce(home, dashboard);
  const [forwarder, registry] = ["forwarder", "registry"].map((name) => join(ROOT, `core/${name}.ts`));
  const script = `
    const { start_if_dashboard_available } = await import(${JSON.stringify(forwarder)});
    const { HookRegistry } = await import(${JSON.stringify(registry)});
    const registry = new HookRegistry();
    start_if_dashboard_available(registry, { src: "test", home: ${JSON.stringify(home)} });
    registry.emit_sync("agent:start", {});
    // What it has to do lasts until the test has seen the request.
    process.stdin.resume();
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await until(() => dashboard.requests.length > 0, "a request that hangs");
  child.stdin.end();
  // The dashboard hangs for ever: that the program ends shows that it does not wait for it.
  assert.equal(await ended, 0);
});

test("a secret that a model writes in pieces does not leave, and no piece is lost at the end", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  start({ env: { SOME_TOKEN: "correct horse battery" } });
  const pieces = ["it is cor", "rect horse", " batt", "ery and the year is 20", "26"];
  for (const text of pieces) registry.emit_sync("tui:message.delta", { session_id: "s", payload: { text } });
  await stop();
  const sent = dashboard.taken.map(({ context }) => (context["payload"] as { text: string }).text);
  assert.equal(sent.length, pieces.length);
  assert.equal(sent.join(""), "it is [redacted] and the year is 2026");
});

test("events that nobody can take are dropped at the end, too, at once", async (t) => {
  const { home, registry, start, logged } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  await dashboard.stop();
  const forwarder = start()!;
  registry.emit_sync("agent:start", { n: 1 });
  await until(() => logged.length > 0, "the complaint");
  await stop();
  assert.equal(forwarder.dropped, 1);
  assert.ok(existsSync(join(home, "dashboard.json")), "the file is not ours to remove");
});

test("an event that changes after it was emitted is sent as it is then: who emits must hand it over", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  announce(home, dashboard);
  start();
  const context = { n: 1, state: "emitted" };
  registry.emit_sync("agent:start", context);
  context.state = "changed";
  await until(() => dashboard.taken.length === 1, "the event");
  assert.equal(dashboard.taken[0]!.context["state"], "changed");
});

test("a burst is sent in batches of at most 256 frames and 1 MiB, in order", async (t) => {
  const { home, registry, start } = fixture(t);
  const dashboard = await FakeDashboard.start(t);
  dashboard.ingest = acceptAll;
  announce(home, dashboard);
  const forwarder = start()!;
  for (let n = 0; n < 600; n++) registry.emit_sync("agent:step", { n, text: "語".repeat(n % 10 === 0 ? 20_000 : 10) });
  await until(() => forwarder.waiting === 0, "all are sent");
  assert.deepEqual(
    dashboard.numbers(),
    Array.from({ length: 600 }, (_, n) => n),
  );
  assert.ok(dashboard.requests.every(({ frames, bytes }) => frames.length <= 256 && bytes <= 1024 * 1024));
  assert.ok(dashboard.requests.length < 20, `${dashboard.requests.length} requests`);
  assert.equal(dashboard.connections.size, 1);
});
