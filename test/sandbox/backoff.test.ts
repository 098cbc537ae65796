import assert from "node:assert/strict";
import test from "node:test";
import { Backoff } from "#sandbox/shell/backoff";

test("two failures cost nothing, further ones wait twice as long each, at most a minute", () => {
  let now = 0;
  const backoff = new Backoff(() => now);
  for (let failure = 0; failure < 2; failure++) {
    backoff.failed();
    assert.equal(backoff.refusal(), null);
  }
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    backoff.failed();
    assert.match(backoff.refusal() ?? "", new RegExp(`times in a row, and is not started again for ${seconds} s$`));
    now += seconds * 1000 - 1;
    assert.notEqual(backoff.refusal(), null);
    now += 1;
    assert.equal(backoff.refusal(), null);
  }
  backoff.reset();
  backoff.failed();
  assert.equal(backoff.refusal(), null);
});
