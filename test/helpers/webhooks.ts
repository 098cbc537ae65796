/** Homes with webhooks: configured, asked about, and their senders killed. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { Home } from "./hermes.ts";
import { until } from "./poll.ts";
import { startReceiver } from "./receiver.ts";

interface Listed {
  readonly id: string;
  readonly event: string;
  readonly endpoint: string;
  readonly status: string;
  readonly attempts: number;
  readonly last_status: number | null;
  readonly last_error: string | null;
}

export const RETRY = { retry: { initial_delay: 50 } };

export function configureWebhooks(home: Home, webhooks: object): void {
  home.write("config.yaml", stringify({ model: { provider: "offline" }, webhooks }));
}

/** What `hermes webhooks deliveries` lists. */
export async function deliveriesOf(home: Home, ...flags: string[]): Promise<readonly Listed[]> {
  const { stdout, stderr, code } = await home.run(["webhooks", "deliveries", "--json", ...flags]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { deliveries: Listed[] }).deliveries;
}

/** Kills so many runs at random moments, and checks that everything that they stored arrives. */
export async function killWebhookSenders(t: TestContext, rounds: number): Promise<void> {
  const [home, receiver] = [new Home(t), await startReceiver(t)];
  configureWebhooks(home, { ...RETRY, endpoints: { "agent:*": { url: receiver.url } } });
  receiver.answer = (_request, response) => {
    setTimeout(() => response.end(), 20);
  };
  const began = performance.now();
  await home.run(["chat", "-q", "hello"]);
  // At any moment of a run, however long one takes here.
  const takes = performance.now() - began;
  for (let round = 0; round < rounds; round++) {
    const running = home.start(["chat", "-q", "hello"]);
    await pause(takes * (0.3 + 0.7 * Math.random()));
    running.kill("SIGKILL");
    await running.ended;
  }
  await until(async () => {
    await home.run(["chat", "-q", "!true"]);
    return (await deliveriesOf(home, "--pending")).length === 0;
  }, "everything was delivered");
  const stored = await deliveriesOf(home, "--limit", "1000");
  const arrived = new Set(receiver.received.map(({ headers }) => headers["webhook-id"]));
  assert.ok(stored.length > 0);
  assert.deepEqual(
    stored.filter(({ id, status }) => status !== "delivered" || !arrived.has(id)),
    [],
  );
}
