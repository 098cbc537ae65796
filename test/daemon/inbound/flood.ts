/** Inbound webhooks that get many requests at once. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Agent, request as httpRequest } from "node:http";
import test, { type TestContext } from "node:test";
import { startInbound, type InboundBench } from "../../helpers/inbound.ts";

const SECRET = "s3cret";

/** Tests with this many requests each. */
export function testFloods(count: number): void {
  test(`${count} requests over 50 connections never run more than 4 scripts, and each 200 is one message`, async (t) => {
    let running = 0;
    let most = 0;
    const bench = await startInbound(t, {
      hooks: [{ concurrency: 4, queue: 20 }],
      wrap: (run) => async (script) => {
        most = Math.max(most, ++running);
        try {
          return await run(script);
        } finally {
          running--;
        }
      },
    });
    const bodies = Array.from({ length: count }, (_, index) => `message ${index}`);
    const statuses = await postAll(t, bench, bodies);
    assert.ok(most <= 4, String(most));
    assert.deepEqual(new Set(statuses), new Set([200, 429]));
    const accepted = bodies.filter((_body, index) => statuses[index] === 200);
    assert.deepEqual(bench.inbox.texts().toSorted(), accepted.toSorted());
  });

  test(`${count} forged requests over 50 connections start no process, and a signed one is answered meanwhile`, async (t) => {
    let started = 0;
    const bench = await startInbound(t, {
      hooks: [{ verify: "github", secret: SECRET }],
      wrap: (run) => (script) => {
        started++;
        return run(script);
      },
    });
    const signature = createHmac("sha256", SECRET).update("genuine").digest("hex");
    const signed = { body: "genuine", headers: { "x-hub-signature-256": `sha256=${signature}` } };
    const forged = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
    const bodies = Array.from({ length: count }, (_, index) => `message ${index}`);
    const flood = postAll(t, bench, bodies, forged);
    assert.equal((await bench.send("/", signed)).status, 200);
    assert.deepEqual(new Set(await flood), new Set([401]));
    assert.equal(started, 1);
    assert.deepEqual(bench.inbox.texts(), ["genuine"]);
    // Nor do strangers fill the log: a refusal is a line at most once a minute.
    const refused = bench.records.filter(({ status }) => status === 401);
    assert.ok(refused.length < 10 && bench.logged.length < 10, `${refused.length}, ${bench.logged.length}`);
  });
}

/** Posts the bodies over 50 connections; gives the statuses in their order. */
async function postAll(
  t: TestContext,
  bench: InboundBench,
  bodies: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  t.after(() => agent.destroy());
  const post = (body: string) =>
    new Promise<number>((resolve, reject) => {
      const request = httpRequest(bench.url, { method: "POST", agent, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      request.on("error", reject);
      request.end(body);
    });
  return Promise.all(bodies.map(post));
}
