/** What a task prints on its way to the database. */
import assert from "node:assert/strict";
import test from "node:test";
import { OutputUpload, type OutputRows, type RowChange } from "#daemon/storage/postgres/output-upload";
import { until } from "../../helpers/poll.ts";

/** Rows in memory. `fails` says how many changes are refused first. */
function rowsOf({ fails = 0 } = {}) {
  const stored = new Map<number, string>();
  let last = 0;
  let refused = 0;
  const rows: OutputRows = {
    clear: async () => stored.clear(),
    async change({ add, set, remove }: RowChange) {
      if (refused++ < fails) throw new Error("away");
      const numbers = add.map((lines) => {
        stored.set(++last, lines);
        return last;
      });
      if (set !== undefined) stored.set(set.number, set.lines);
      for (const number of remove) stored.delete(number);
      return numbers;
    },
  };
  const lines = () => [...stored.values()].join("").split("\n").slice(0, -1);
  return { rows, lines };
}

test("every line arrives in its order, also after the database was away", async () => {
  const { rows, lines } = rowsOf({ fails: 2 });
  const upload = new OutputUpload(rows);
  upload.add("1");
  upload.add("2");
  upload.add("3");
  await upload.close();
  assert.deepEqual(lines(), ["1", "2", "3"]);
});

test("beyond the limits the middle is left out, with a frame that says how much", async () => {
  const { rows, lines } = rowsOf();
  const upload = new OutputUpload(rows, { beginning: 20, end: 16 });
  for (let number = 10; number < 17; number++) {
    upload.add(`line ${number}`);
    await until(() => lines().includes(`line ${number}`), "it is stored");
  }
  await upload.close();
  const [first, second, mark, ...rest] = lines();
  assert.deepEqual([first, second], ["line 10", "line 11"]);
  assert.deepEqual(rest, ["line 15", "line 16"]);
  assert.deepEqual(JSON.parse(mark!), { type: "truncated", bytes: 3 * 8 });
});

test("an attempt that is over stores nothing more", async () => {
  let changes = 0;
  const upload = new OutputUpload({
    clear: async () => undefined,
    async change() {
      changes++;
      return undefined;
    },
  });
  upload.add("1");
  await until(() => changes === 1, "it was tried");
  upload.add("2");
  await upload.close();
  assert.equal(changes, 1);
});
