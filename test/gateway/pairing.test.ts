/** Pairing's bounds, by a clock that the test sets. */
import assert from "node:assert/strict";
import test from "node:test";
import type { DatabaseSync } from "node:sqlite";
import { openMemoryDatabase } from "#core/home/database";
import { Pairing } from "#gateway/pairing";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse("2026-11-21T12:00:00Z");

function createPairing(database: DatabaseSync = openMemoryDatabase()) {
  const clock = { now: START };
  const pairing = new Pairing(database, () => clock.now);
  return {
    clock,
    database,
    pairing,
    async code(user_id = "7", platform = "telegram"): Promise<string> {
      const request = await pairing.request(platform, user_id);
      assert.ok(request.kind === "code", request.kind);
      return request.code;
    },
    async kind(user_id = "7", platform = "telegram"): Promise<string> {
      return (await pairing.request(platform, user_id)).kind;
    },
    fails: (code: string, error: string) => assert.rejects(pairing.approve(code), { code: error }),
  };
}

test("codes have 8 characters, none of which looks like another, and are all different", async () => {
  const { code } = createPairing();
  const codes: string[] = [];
  for (let index = 0; index < 20; index++) codes.push(await code("7", `p${index}`));
  for (const one of codes) assert.match(one, /^[ABCDEFGHJKLMNPQRSTUVWXYZ23456789]{8}$/);
  assert.equal(new Set(codes).size, 20);
});

test("a code is good once, however it is typed", async () => {
  const { pairing, code, fails } = createPairing();
  const given = await code();
  assert.equal(pairing.isPaired("telegram", "7"), false);
  const user = await pairing.approve(` ${given.slice(0, 4).toLowerCase()}-${given.slice(4)} `);
  assert.deepEqual(user, { platform: "telegram", user_id: "7", approved_at: new Date(START).toISOString() });
  assert.equal(pairing.isPaired("telegram", "7"), true);
  assert.equal(pairing.isPaired("discord", "7"), false);
  assert.equal(pairing.isPaired("telegram", ""), false);
  await fails(given, "HERMES_PAIRING_UNKNOWN");
});

test("two who approve one code at the same moment pair one user once", async () => {
  const { pairing, code } = createPairing();
  const given = await code();
  const outcomes = await Promise.allSettled([pairing.approve(given), pairing.approve(given)]);
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
});

test("a code lives for one hour", async () => {
  const { pairing, clock, code, fails } = createPairing();
  const given = await code();
  clock.now = START + HOUR;
  await fails(given, "HERMES_PAIRING_EXPIRED");
  assert.deepEqual(pairing.list().pending, []);
  clock.now = START + HOUR - 1;
  assert.equal((await pairing.approve(given)).user_id, "7");
});

test("an expired code is distinguished from an unknown one for another hour, and is not counted as wrong", async () => {
  const { pairing, clock, code, fails, kind } = createPairing();
  const given = await code();
  clock.now = START + HOUR + 1;
  for (let index = 0; index < 6; index++) await fails(given, "HERMES_PAIRING_EXPIRED");
  assert.equal(pairing.list().locked_until, null);
  clock.now = START + 2 * HOUR + 1;
  await kind("8");
  await fails(given, "HERMES_PAIRING_UNKNOWN");
});

test("one request a user in ten minutes; a new code takes the place of the old one", async () => {
  const { clock, code, kind, fails, pairing } = createPairing();
  const first = await code();
  assert.equal(await kind(), "recent");
  clock.now = START + 10 * MINUTE - 1;
  assert.equal(await kind(), "recent");
  clock.now = START + 10 * MINUTE;
  const second = await code();
  await fails(first, "HERMES_PAIRING_UNKNOWN");
  assert.equal((await pairing.approve(second)).user_id, "7");
});

test("three wait at a time on a platform, many at once included", async () => {
  const { kind, clock, pairing } = createPairing();
  const kinds = await Promise.all(Array.from({ length: 10 }, (_, index) => kind(String(index))));
  assert.deepEqual(kinds, ["code", "code", "code", ...Array.from({ length: 7 }, () => "full")]);
  assert.equal(await kind("5", "discord"), "code");
  assert.equal(pairing.list().pending.length, 4);
  clock.now = START + HOUR;
  assert.equal(await kind("5"), "code");
});

test("five wrong codes in a row lock pairing for an hour: codes are neither accepted nor issued", async () => {
  const { pairing, clock, code, kind, fails } = createPairing();
  const given = await code();
  for (let index = 0; index < 5; index++) await fails("AAAAAAAA", "HERMES_PAIRING_UNKNOWN");
  await fails(given, "HERMES_PAIRING_LOCKED");
  await fails("AAAAAAAA", "HERMES_PAIRING_LOCKED");
  assert.equal(await kind("8"), "locked");
  assert.equal(pairing.list().locked_until, new Date(START + HOUR).toISOString());
  clock.now = START + HOUR - 1;
  await fails(given, "HERMES_PAIRING_LOCKED");
  clock.now = START + HOUR;
  assert.equal(pairing.list().locked_until, null);
  await fails(given, "HERMES_PAIRING_EXPIRED");
  assert.equal((await pairing.approve(await code("8"))).user_id, "8");
});

test("a right code forgives the wrong ones before it", async () => {
  const { pairing, code, fails } = createPairing();
  for (let index = 0; index < 4; index++) await fails("AAAAAAAA", "HERMES_PAIRING_UNKNOWN");
  await pairing.approve(await code());
  for (let index = 0; index < 4; index++) await fails("AAAAAAAA", "HERMES_PAIRING_UNKNOWN");
  assert.equal(pairing.list().locked_until, null);
});

test("a clock that is set back makes no code good again, and no lockout longer", async () => {
  const { pairing, clock, code, fails, kind } = createPairing();
  const given = await code();
  clock.now = START - 24 * HOUR;
  await fails(given, "HERMES_PAIRING_EXPIRED");
  assert.equal(await kind("8"), "code");
  clock.now = START;
  // The other request swept what came from the future: it stays void when the clock is right again.
  await fails(given, "HERMES_PAIRING_UNKNOWN");
  for (let index = 0; index < 4; index++) await fails("AAAAAAAA", "HERMES_PAIRING_UNKNOWN");
  assert.notEqual(pairing.list().locked_until, null);
  clock.now = START - 24 * HOUR;
  await fails(given, "HERMES_PAIRING_LOCKED");
  clock.now = START - 23 * HOUR;
  await fails("AAAAAAAA", "HERMES_PAIRING_UNKNOWN");
});

test("a clock that is set forward ends codes, it opens nothing", async () => {
  const { pairing, clock, code, fails } = createPairing();
  const given = await code();
  clock.now = START + 365 * 24 * HOUR;
  await fails(given, "HERMES_PAIRING_EXPIRED");
  assert.equal(pairing.isPaired("telegram", "7"), false);
});

test("codes are stored as salted hashes", async () => {
  const { database, code } = createPairing();
  const codes = [await code("7"), await code("8")];
  const rows = database.prepare("SELECT * FROM pairing_codes").all();
  for (const given of codes) assert.ok(!JSON.stringify(rows).includes(given));
  assert.equal(new Set(rows.map(({ salt }) => salt)).size, 2);
  assert.ok(rows.every(({ hash }) => String(hash).length === 64));
});

test("revoke takes access and waiting codes away, and says whether there was either", async () => {
  const { pairing, code, fails } = createPairing();
  assert.equal(pairing.revoke("telegram", "7"), false);
  const given = await code();
  assert.equal(pairing.revoke("telegram", "7"), true);
  await fails(given, "HERMES_PAIRING_UNKNOWN");
  await pairing.approve(await code());
  assert.equal(pairing.revoke("telegram", "7"), true);
  assert.equal(pairing.isPaired("telegram", "7"), false);
});
