import assert from "node:assert/strict";
import test from "node:test";
import { searchSessions } from "#agent/session-search";
import { SqliteSessions } from "#agent/sessions";
import { openMemoryDatabase } from "#core/home/database";

function createStore(t: Parameters<NonNullable<Parameters<typeof test>[0]>>[0]) {
  t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2026-11-21T12:00:00Z") });
  const database = openMemoryDatabase();
  const store = new SqliteSessions(database, assert.ifError);
  function hold(title: string | null, ...texts: string[]): string {
    t.mock.timers.tick(1000);
    const { id } = store.create({ platform: "cli", source: "chat", title });
    for (const content of texts) store.append(id, { role: "user", content });
    return id;
  }
  const found = (text: string, limit = 20) => Array.fromAsync(searchSessions(database, { text, limit }));
  return { database, store, hold, found };
}

test("all words of a message count, in any order and case, last used first; the newest match is shown", async (t) => {
  const { hold, found } = createStore(t);
  const first = hold("a", "The disk of the server is full", "hello", "Is the server's DISK still full?");
  hold("b", "the disk");
  const third = hold("c", "a full disk, once more");
  assert.deepEqual(
    (await found("full disk")).map(({ session_id: id, snippet, matches, role }) => ({ id, snippet, matches, role })),
    [
      { id: third, snippet: "a full disk, once more", matches: 1, role: "user" },
      { id: first, snippet: "Is the server's DISK still full?", matches: 2, role: "user" },
    ],
  );
  assert.deepEqual(
    (await found("full disk", 1)).map(({ session_id: id }) => id),
    [third],
  );
  assert.deepEqual(await found(" "), []);
});

test("a title is found when no message has the words, and the arguments of calls are", async (t) => {
  const { store, hold, found } = createStore(t);
  const id = hold("Move to the new mail server", "hello");
  assert.deepEqual(
    (await found("mail")).map(({ session_id, role, snippet }) => [session_id, role, snippet]),
    [[id, "title", "Move to the new mail server"]],
  );
  store.append(id, {
    role: "assistant",
    content: null,
    tool_calls: [
      { id: "1", type: "function", function: { name: "terminal", arguments: '{"command":"rsync -a x y"}' } },
    ],
  });
  assert.deepEqual(
    (await found("rsync")).map(({ role, snippet }) => [role, snippet]),
    [["assistant", 'terminal {"command":"rsync -a x y"}']],
  );
});

test("letters beyond ASCII, and characters that JSON and LIKE treat specially, are found as written", async (t) => {
  const { hold, found } = createStore(t);
  const id = hold(null, 'GRÜSSE, 100% of a_b in "C:\\temp" and a tab:\there');
  for (const text of ["grüsse", "100%", "a_b", '"c:\\temp"', "tab: here"])
    assert.equal((await found(text))[0]?.session_id, id, text);
  for (const text of ["a-b", "1000", "a%b", "content", "role"]) assert.deepEqual(await found(text), [], text);
});

test("a snippet is one line around the first word", async (t) => {
  const { hold, found } = createStore(t);
  hold(null, `${"before ".repeat(50)}\nneedle\n${"after ".repeat(50)}`);
  const [hit] = await found("needle");
  assert.match(hit?.snippet ?? "", /^….{20,45} needle after .*…$/);
  assert.ok((hit?.snippet.length ?? 999) <= 162);
});

test("a search lets other work run and others write, finds the same after each pause, and ends when it is told to", async (t) => {
  const { database, hold, found } = createStore(t);
  const ids = [hold(null, "needle"), hold(null, "hay")];
  database
    .prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
       INSERT INTO messages (session_id, position, message, created_at)
       SELECT ?, i, json_object('role', 'user', 'content', printf('%.*c', 1000, 'x') || iif(i % 100, '', ' needle')), '' FROM n`,
    )
    .run(ids[1]!);
  let turns = 0;
  let beat: NodeJS.Immediate;
  const loop = () => {
    turns++;
    database.exec("UPDATE sessions SET title = NULL");
    beat = setImmediate(loop);
  };
  beat = setImmediate(loop);
  const hits = await found("needle");
  clearImmediate(beat!);
  assert.deepEqual(
    hits.map(({ session_id: id, matches }) => [id, matches]),
    [
      [ids[1], 200],
      [ids[0], 1],
    ],
  );
  assert.ok(turns > 2, `${turns} turns of the event loop`);

  const end = new AbortController();
  const rest: string[] = [];
  for await (const { session_id: id } of searchSessions(database, { text: "needle", limit: 9, signal: end.signal })) {
    rest.push(id);
    end.abort();
  }
  assert.deepEqual(rest, [ids[1]]);
});
