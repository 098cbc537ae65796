import assert from "node:assert/strict";
import { test } from "node:test";
import { Sources } from "#dashboard/sources";

test("the rate is that of the last ten seconds", () => {
  let now = 0;
  const sources = new Sources(() => now);
  const rate = () => sources.list()[0]?.rate_per_second;
  for (; now < 20_000; now += 100) sources.count("gateway", "t");
  assert.equal(rate(), 9, "nothing has come yet in the second that has just begun");
  now += 4000;
  assert.equal(rate(), 5);
  now += 100_000;
  assert.equal(rate(), 0);
  sources.count("gateway", "later");
  assert.deepEqual(sources.list(), [
    { src: "gateway", rate_per_second: 0.1, events: 201, dropped: 0, connected: null, last_at: "later" },
  ]);
});

test("a source is connected while one of its senders is", () => {
  const sources = new Sources();
  const connected = () => sources.list()[0]?.connected;
  const [one, two] = [{}, {}];
  sources.count("cli", "t");
  assert.equal(connected(), null, "this one does not report what it drops");
  sources.dropped("cli", one, 0);
  sources.dropped("cli", two, 0);
  sources.closed(one);
  assert.equal(connected(), true);
  sources.closed(two);
  assert.equal(connected(), false);
  sources.dropped("cli", {}, 0);
  assert.equal(connected(), true);
});

test("each sender is counted once, even if it reconnects", () => {
  const sources = new Sources();
  const dropped = () => sources.list()[0]?.dropped;
  const [one, two, three] = [{}, {}, {}];
  sources.dropped("cli", one, 10);
  sources.dropped("cli", two, 4);
  sources.dropped("cli", two, 5);
  assert.equal(dropped(), 15);
  sources.closed(one);
  sources.closed(two);
  // The one with 10 comes back; it cannot be the one with 5 any less, but the nearest is the likeliest.
  sources.dropped("cli", three, 12);
  assert.equal(dropped(), 17);
  // A process that has just begun.
  sources.dropped("cli", {}, 1);
  assert.equal(dropped(), 18);
});

test("thousands of senders and names are bounded, and those that are kept lose no counts", () => {
  const sources = new Sources();
  for (let count = 0; count < 1000; count++) {
    const connection = {};
    sources.dropped("cli", connection, 1000 - count);
    sources.closed(connection);
  }
  assert.equal(sources.list()[0]?.dropped, 500_500);
  for (let count = 0; count < 1000; count++) sources.count(`name ${count}`, String(count).padStart(4, "0"));
  const names = sources.list().map(({ src }) => src);
  assert.equal(names.length, 256);
  assert.ok(names.includes("name 999") && !names.includes("name 1"));
});
