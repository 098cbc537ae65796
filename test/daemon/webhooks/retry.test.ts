import assert from "node:assert/strict";
import test from "node:test";
import { CircuitBreaker } from "#daemon/webhooks/breaker";
import { parseRetryAfter } from "#core/retry-after";
import { nextDelay, nextStep, verdictOn } from "#daemon/webhooks/retry";

const RETRY = { enabled: true, max_attempts: 6, backoff: "exponential", initial_delay: 1000 } as const;
const middle = { random: () => 0.5 };

test("the delays are those of the configured kind, and end with the last attempt", () => {
  const delays = (retry: typeof RETRY | object) =>
    [1, 2, 3, 4, 5, 6].map((attempts) => nextDelay({ ...RETRY, ...retry }, attempts, middle));
  assert.deepEqual(delays({}), [1000, 2000, 4000, 8000, 16_000, null]);
  assert.deepEqual(delays({ backoff: "linear" }), [1000, 2000, 3000, 4000, 5000, null]);
  assert.deepEqual(delays({ backoff: "fixed", max_attempts: 2 }), [1000, null, null, null, null, null]);
  assert.deepEqual(delays({ enabled: false }), Array(6).fill(null));
});

test("a delay varies by a tenth and is an hour at most, whatever is asked for", () => {
  const delay = (random: number) => nextDelay(RETRY, 1, { random: () => random });
  assert.deepEqual([delay(0), delay(1)], [900, 1100]);
  assert.equal(nextDelay({ ...RETRY, max_attempts: 100 }, 60, middle), 3_600_000);
  assert.equal(nextDelay(RETRY, 1, { retryAfterMs: 30_000 }), 30_000);
  assert.equal(nextDelay(RETRY, 1, { retryAfterMs: 1, ...middle }), 1000);
  assert.equal(nextDelay(RETRY, 1, { retryAfterMs: 86_400_000 }), 3_600_000);
});

test("Retry-After is seconds or a date; anything else asks for nothing", () => {
  const now = Date.parse("2026-11-29T12:00:00Z");
  assert.equal(parseRetryAfter("120", now), 120_000);
  assert.equal(parseRetryAfter("Sun, 29 Nov 2026 12:01:00 GMT", now), 60_000);
  assert.equal(parseRetryAfter("Sun, 29 Nov 2026 11:00:00 GMT", now), 0);
  for (const header of [undefined, "soon", "-5", ["1", "2"]]) assert.equal(parseRetryAfter(header, now), 0);
});

test("only what may pass by itself is tried again", () => {
  const verdict = (status: number | null) => verdictOn({ status, error: "" });
  for (const status of [null, 408, 425, 429, 500, 502, 503, 599]) assert.equal(verdict(status), "again", `${status}`);
  for (const status of [301, 307, 400, 401, 403, 404, 422]) assert.equal(verdict(status), "failed", `${status}`);
  assert.equal(verdict(410), "gone");
  assert.equal(verdictOn({ status: 204, error: null }), "delivered");
});

test("an attempt that does not count is never the last one", () => {
  const result = { status: 503, error: "answered 503", retryAfterMs: 0 };
  assert.deepEqual(nextStep(RETRY, result, { attempts: 6 }), { kind: "failed" });
  const probed = nextStep(RETRY, result, { attempts: 6, counts: false, restMs: 60_000 });
  assert.deepEqual(probed, { kind: "again", inMs: 60_000, counts: false });
});

test("an endpoint rests after five failures in a row, longer each time, until it answers", () => {
  let now = 0;
  const breaker = new CircuitBreaker(() => now);
  const fail = (times: number) => {
    for (let time = 0; time < times; time++) breaker.failed();
  };
  fail(4);
  breaker.succeeded();
  fail(4);
  assert.deepEqual([breaker.restMs, breaker.isProbing], [0, false]);
  // The others were sent at the same time; they do not make the rest longer.
  fail(8);
  assert.deepEqual([breaker.restMs, breaker.isProbing], [30_000, true]);
  for (const rest of [60_000, 120_000, 240_000, 480_000, 600_000, 600_000]) {
    now += breaker.restMs;
    assert.equal(breaker.restMs, 0);
    fail(1);
    assert.equal(breaker.restMs, rest);
  }
  now += breaker.restMs;
  breaker.succeeded();
  assert.deepEqual([breaker.restMs, breaker.isProbing], [0, false]);
});
