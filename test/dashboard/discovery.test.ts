import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isLocalBind, reachableUrl } from "#dashboard/addresses";
import { readDiscovery } from "#core/forward/discovery";
import { until } from "../helpers/poll.ts";
import { temporaryFolder, TestDashboard } from "../helpers/dashboard.ts";

test("the file says where the dashboard is and what opens it, for its owner alone", async (t) => {
  const home = join(temporaryFolder(t), "new", ".hermes");
  const { dashboard, discovery } = await TestDashboard.start(t, { folder: home });
  const { url, hooks_ingest_token, pid, started_at, ...rest } = JSON.parse(readFileSync(discovery, "utf8")) as Record<
    string,
    unknown
  >;
  assert.equal(url, dashboard.url);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(hooks_ingest_token, dashboard.token);
  assert.match(dashboard.token, /^[\w-]{43}$/);
  assert.equal(pid, process.pid);
  assert.match(String(started_at), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(rest, {});
  assert.equal(statSync(discovery).mode & 0o777, 0o600);
  assert.equal(statSync(home).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(home), ["dashboard.json"]);
  assert.equal(readDiscovery(discovery, { env: {} }).dashboard?.token, dashboard.token);
});

test("each start has its own token, and a stop removes the file", async (t) => {
  const folder = temporaryFolder(t);
  const first = await TestDashboard.start(t, { folder });
  await first.dashboard.stop();
  assert.ok(!existsSync(first.discovery));
  await first.dashboard.stop();
  const second = await TestDashboard.start(t, { folder });
  assert.notEqual(second.dashboard.token, first.dashboard.token);
  assert.equal((await second.ingest({ event_type: "a:b" }, first.bearer)).status, 401);
});

test("of two dashboards the newer is found, each serves its own, and the older leaves the newer's file alone", async (t) => {
  const folder = temporaryFolder(t);
  const older = await TestDashboard.start(t, { folder });
  const newer = await TestDashboard.start(t, { folder });
  const named = () =>
    (JSON.parse(readFileSync(newer.discovery, "utf8")) as { hooks_ingest_token: string }).hooks_ingest_token;
  assert.equal(named(), newer.dashboard.token);
  for (const dashboard of [older, newer]) assert.equal((await dashboard.ingest({ event_type: "a:b" })).status, 200);
  assert.equal((await newer.ingest({ event_type: "a:b" }, older.bearer)).status, 401);
  await older.dashboard.stop();
  assert.equal(named(), newer.dashboard.token);
  await newer.dashboard.stop();
  assert.ok(!existsSync(newer.discovery));
});

test("a dashboard whose newer one is gone is found again", async (t) => {
  const folder = temporaryFolder(t);
  const older = await TestDashboard.start(t, { folder });
  const newer = await TestDashboard.start(t, { folder });
  await newer.dashboard.stop();
  await until(() => existsSync(older.discovery), "the file is written again");
  assert.equal(readDiscovery(older.discovery, { env: {} }).dashboard?.token, older.dashboard.token);
  assert.equal(statSync(older.discovery).mode & 0o777, 0o600);
});

test("whatever lies in the file's place is replaced, and a link's target stays untouched", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "dashboard.json");
  const target = join(folder, "precious");
  writeFileSync(target, "precious");
  const places = [
    () => writeFileSync(file, '{"url":"http://127.0.0.1:1","hooks_ingest_token":"stale","pid":1}', { mode: 0o644 }),
    () => writeFileSync(file, "x".repeat(1024 * 1024)),
    () => symlinkSync(target, file),
  ];
  for (const place of places) {
    place();
    const { dashboard, discovery } = await TestDashboard.start(t, { folder });
    assert.equal(readDiscovery(discovery, { env: {} }).dashboard?.token, dashboard.token);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await dashboard.stop();
  }
  assert.equal(readFileSync(target, "utf8"), "precious");
});

test("a file that cannot be written is a warning, and the page works", async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "dashboard.json"));
  const dashboard = await TestDashboard.start(t, { folder });
  assert.match(dashboard.warnings.join("\n"), /^Other processes will not find the dashboard: .*dashboard\.json/);
  assert.equal((await dashboard.get("/api/hooks/health")).status, 200);
  assert.deepEqual(readdirSync(folder), ["dashboard.json"]);
  await dashboard.dashboard.stop();
  assert.ok(existsSync(dashboard.discovery));
});

test("a stop does not mind that the file is gone", async (t) => {
  const { dashboard, discovery } = await TestDashboard.start(t);
  unlinkSync(discovery);
  await dashboard.stop();
});

test("a bind to every address is found on loopback, and its token opens it as well", async (t) => {
  for (const host of ["0.0.0.0", "::"]) {
    const dashboard = await TestDashboard.start(t, { host });
    assert.match(dashboard.url, /^http:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
    assert.deepEqual(dashboard.warnings, []);
    assert.equal((await dashboard.ingest({ event_type: "agent:start" })).status, 200);
    assert.equal((await dashboard.ingest({ event_type: "agent:start" }, {})).status, 401);
  }
});

test("loopback addresses, and the address of a bind from this machine", () => {
  for (const host of ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]"])
    assert.ok(isLocalBind(host), host);
  for (const host of ["0.0.0.0", "::", "192.168.1.2", "localhost.example", "127.example", "128.0.0.1", ""]) {
    assert.ok(!isLocalBind(host), host);
  }
  assert.equal(reachableUrl("0.0.0.0", 1), "http://127.0.0.1:1");
  assert.equal(reachableUrl("::", 1), "http://[::1]:1");
  assert.equal(reachableUrl("192.168.1.2", 1), "http://192.168.1.2:1");
  assert.equal(reachableUrl("fd00::1", 1), "http://[fd00::1]:1");
  assert.equal(reachableUrl("0", 1), "http://127.0.0.1:1");
  assert.equal(reachableUrl("192.168.258", 1), "http://192.168.1.2:1");
  assert.equal(reachableUrl("::ffff:192.168.1.2", 1), "http://192.168.1.2:1");
  assert.equal(reachableUrl("fd00:0:0::1", 1), "http://[fd00::1]:1");
});
