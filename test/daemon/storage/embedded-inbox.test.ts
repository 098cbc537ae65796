/** What only the inbox of a home by itself promises. */
import assert from "node:assert/strict";
import test from "node:test";
import { openMemoryDatabase } from "#core/home/database";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";

test("counting them does not read the messages that are over", async (t) => {
  const database = openMemoryDatabase();
  const plans: string[] = [];
  const prepare = database.prepare.bind(database);
  t.mock.method(database, "prepare", (sql: string) => {
    plans.push(
      ...prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail)),
    );
    return prepare(sql);
  });
  await new EmbeddedInbox(database).waiting();
  assert.ok(
    plans.some((detail) => detail.includes("inbox_messages")),
    plans.join("\n"),
  );
  for (const detail of plans) assert.doesNotMatch(detail, /SCAN inbox_messages/, plans.join("\n"));
});
