import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { parseWhen } from "#daemon/schedules/when";

const NOW = new Date(2026, 5, 1, 12, 0, 30);
const next = (when: string) => parseWhen(when).next(NOW)?.getTime() ?? null;
const local = (...parts: [number, number, number, number?, number?, number?]) => new Date(...parts).getTime();

for (const [when, expected] of [
  ["in 10s", NOW.getTime() + 10_000],
  ["in 10m", NOW.getTime() + 600_000],
  ["In 2h", NOW.getTime() + 7_200_000],
  [" in 3 d ", NOW.getTime() + 3 * 86_400_000],
  ["* * * * *", local(2026, 5, 1, 12, 1)],
  ["0 9 * * 1-5", local(2026, 5, 2, 9)],
  ["0 9 * * MON", local(2026, 5, 8, 9)],
  ["30 14 1 1 *", local(2027, 0, 1, 14, 30)],
  ["2026-06-01T13:00", local(2026, 5, 1, 13)],
  ["2026-06-01 13:00:05", local(2026, 5, 1, 13, 0, 5)],
  ["2026-06-02", local(2026, 5, 2)],
  ["2026-06-03T00:00:00Z", Date.UTC(2026, 5, 3)],
  ["2026-06-03T00:00+02:00", Date.UTC(2026, 5, 2, 22)],
  ["2026-05-31T00:00", null],
  ["0 0 30 2 *", null],
] as const) {
  test(`${when} is next at ${expected === null ? "no time" : new Date(expected).toISOString()}`, () => {
    assert.equal(next(when), expected);
  });
}

const BAD = ["", "tomorrow", "in 10", "in -5m", "in 1y", "* * * *", "* * * * * *", "61 * * * *", "* 25 * * *"];
for (const when of [...BAD, "@daily", "a b c d e", "2026-02-30", "2026-13-01T00:00", "2026-06-01T25:00", "in 99999d"]) {
  test(`"${when}" is refused, with the forms there are`, () => {
    assert.throws(() => parseWhen(when), { code: "HERMES_SCHEDULE_TIME" });
  });
}

/** The next times in a zone, which a process has from its start. */
function timesIn(zone: string, when: string, from: string, count: number): string[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `const { parseWhen } = await import("#daemon/schedules/when");
       const time = parseWhen(${JSON.stringify(when)});
       let at = new Date(${JSON.stringify(from)});
       for (let index = 0; index < ${count}; index++) console.log((at = time.next(at)).toISOString());`,
    ],
    { env: { ...process.env, TZ: zone }, encoding: "utf8" },
  );
  assert.equal(stderr, "");
  return stdout.trim().split("\n");
}

test("a time that a change of the clock leaves out comes after the gap, one that it repeats comes once", () => {
  // Clocks go from 2:00 to 3:00 on 2027-03-28, and from 3:00 back to 2:00 on 2026-10-25.
  assert.deepEqual(timesIn("Europe/Berlin", "30 2 * * *", "2027-03-27T00:00:00Z", 3), [
    "2027-03-27T01:30:00.000Z",
    "2027-03-28T01:00:00.000Z",
    "2027-03-29T00:30:00.000Z",
  ]);
  assert.deepEqual(timesIn("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", 2), [
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
});
