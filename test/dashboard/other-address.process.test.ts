/** A dashboard that is not on loopback, and a sender that trusts it (CONTRACT §9). */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { test } from "node:test";
import { start_if_dashboard_available, stop } from "#core/forwarder";
import { HookRegistry } from "#core/registry";
import { TestDashboard } from "../helpers/dashboard.ts";
import { until } from "../helpers/poll.ts";

test("a dashboard on another address of this machine, however it is written, gets the events of a trusting sender", async (t) => {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = all.filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0);
  const spellings = own.flatMap(({ address, family }) =>
    family === "IPv4" ? [address, `::ffff:${address}`] : [address],
  );
  if (spellings.length === 0) return t.skip("this machine has no other address");
  for (const host of [...spellings, "0", "::"]) {
    const dashboard = await TestDashboard.start(t, { host });
    const registry = new HookRegistry();
    const env = { HERMES_DASHBOARD_TRUST_REMOTE: "1" };
    const home = dirname(dashboard.discovery);
    assert.ok(start_if_dashboard_available(registry, { src: "cli", home, env }), host);
    registry.emit_sync("agent:start", { host });
    await until(async () => (await dashboard.history()).length === 1, `the event at ${host}`);
    await stop();
  }
});
