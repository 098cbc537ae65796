/** The HTTP server of metrics and health checks. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import test, { type TestContext } from "node:test";
import type { MonitoringSettings } from "#core/home/monitoring-settings";
import { startMonitoring } from "#daemon/monitoring/server";
import { noteLog } from "../../helpers/inbox.ts";
import { freePort } from "../../helpers/ports.ts";

const SNAPSHOT = {
  counts: [],
  tasks: { active: 2, queued: 1 },
  webhooks: { pending: 0, oldestSeconds: 0 },
  inbox: {},
  version: "1.2.3",
  known: { tools: [], endpoints: [] },
};

async function start(t: TestContext, settings: MonitoringSettings, problem: () => string | null = () => null) {
  const { log, lines } = noteLog();
  const monitoring = await startMonitoring({
    settings,
    snapshot: async () => SNAPSHOT,
    probe: { problem: async () => problem() },
    activeTasks: async () => 2,
    log,
  });
  t.after(() => monitoring[Symbol.asyncDispose]());
  const url = (name: string) => monitoring.addresses.find((one) => one.name === name)!.url;
  return { monitoring, url, lines };
}

const free = { enabled: true, port: 0 };

test("metrics, health and the two probes answer what their callers expect", async (t) => {
  const { monitoring, url } = await start(t, { prometheus: free, health: free });
  const metrics = await fetch(url("prometheus"));
  assert.equal(metrics.status, 200);
  assert.match(metrics.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  assert.match(await metrics.text(), /^hermes_tasks_active 2$/m);
  const health = await fetch(url("health"));
  assert.equal(health.status, 200);
  const { status, uptime, active_tasks, memory_mb, ...rest } = (await health.json()) as Record<string, unknown>;
  assert.deepEqual([status, active_tasks, rest], ["healthy", 2, {}]);
  assert.ok(Number.isInteger(uptime) && Number.isInteger(memory_mb) && Number(memory_mb) > 10);
  const readiness = new URL("/readyz", url("health"));
  assert.equal((await fetch(readiness)).status, 503, "not everything has started");
  monitoring.begin();
  for (const path of ["/livez", "/readyz"]) assert.equal((await fetch(new URL(path, url("health")))).status, 200, path);
});

test("nothing but GET and HEAD of what there is", async (t) => {
  const { url } = await start(t, { prometheus: { ...free, path: "/prom" }, health: free });
  assert.match(url("prometheus"), /\/prom$/);
  const posted = await fetch(url("prometheus"), { method: "POST", body: "x" });
  assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD"]);
  assert.equal((await fetch(url("health"), { method: "HEAD" })).status, 200);
  assert.equal((await fetch(new URL("/health", url("prometheus")))).status, 404, "each port has its own paths");
});

test("while it drains, and while the database takes no writes, health and readiness are 503", async (t) => {
  let problem: string | null = "disk full at /secret/place";
  const { monitoring, url, lines } = await start(t, { health: free }, () => problem);
  const ask = async (path: string) => {
    const response = await fetch(new URL(path, url("health")));
    return { status: response.status, text: await response.text() };
  };
  const ill = await ask("/health");
  assert.deepEqual([ill.status, JSON.parse(ill.text).status], [503, "unhealthy"]);
  assert.doesNotMatch(ill.text, /secret/);
  assert.match(JSON.stringify(lines), /disk full/);
  assert.equal((await ask("/readyz")).status, 503);
  assert.equal((await ask("/livez")).status, 200);
  monitoring.begin();
  assert.equal((await ask("/readyz")).status, 503);
  problem = null;
  assert.equal((await ask("/health")).status, 200);
  monitoring.drain();
  assert.deepEqual([(await ask("/health")).status, (await ask("/readyz")).status], [503, 503]);
  assert.equal((await ask("/livez")).status, 200);
});

test("both may share a port; a port that is taken is named with its key, and nothing is left listening", async (t) => {
  const port = await freePort();
  const { url } = await start(t, { prometheus: { enabled: true, port }, health: { enabled: true, port } });
  assert.equal(new URL(url("prometheus")).port, new URL(url("health")).port);
  assert.equal((await fetch(url("prometheus"))).status, 200);
  assert.equal((await fetch(url("health"))).status, 200);
  const other = await freePort();
  const settings = { prometheus: { enabled: true, port: other }, health: { enabled: true, port } };
  await assert.rejects(start(t, settings), {
    code: "HERMES_MONITORING_PORT",
    message: /^monitoring\.health cannot .*in use/,
  });
  await assert.rejects(fetch(`http://127.0.0.1:${other}/metrics`), "the metrics' port is free again");
});

test("a client that sends nothing keeps nobody from being answered", async (t) => {
  const { url } = await start(t, { health: free });
  const slow = connect(Number(new URL(url("health")).port), "127.0.0.1");
  slow.on("error", () => slow.destroy());
  await once(slow, "connect");
  slow.write("GET /health HTTP/1.1\r\nhost: x\r\n");
  assert.equal((await fetch(url("health"))).status, 200);
  slow.destroy();
});
