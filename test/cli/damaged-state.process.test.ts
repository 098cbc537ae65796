/** A damaged `state.db` is moved away by whatever command finds it, with its path named, and never changed. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type TestContext } from "node:test";
import type { Home } from "../helpers/hermes.ts";
import { taskHome } from "../helpers/tasks.ts";

/** Overwrites parts of a good file. */
type Damage = (content: Buffer, rootOf: (table: string) => number, pageSize: number) => Buffer;

/** Found when the file is opened: the command goes on with a new one. */
const AT_ONCE: Readonly<Record<string, Damage>> = {
  "no database at all": () => Buffer.from("this is no database. ".repeat(500)),
  "a damaged header": (content) => content.fill(0x55, 0, 100),
  "a damaged schema": (content) => content.fill(0x55, 100, 4096),
};
/** Found when it is used: the command ends, the next one has a new file. */
const IN_USE: Readonly<Record<string, Damage>> = {
  "damaged pages": (content, rootOf, size) => {
    for (const table of ["tasks", "deliveries", "sessions", "messages", "pairings"]) {
      const root = rootOf(table);
      if (root > 0) content.fill(0x55, (root - 1) * size, root * size);
    }
    return content;
  },
};
const COMMANDS = [
  ["tasks", "list"],
  ["run", "--background", "hello"],
  ["run", "hello"],
  ["webhooks", "deliveries"],
  ["sessions", "list"],
  ["pairing", "list"],
  ["chat", "-q", "hello"],
] as const;

/** A good file with a task, and where its tables are. The same one is damaged in every home. */
async function createGoodFile(t: TestContext): Promise<{ whole: Buffer; roots: Map<string, number>; size: number }> {
  const home = taskHome(t);
  assert.equal((await home.run(["run", "hello"])).code, 0);
  const file = join(home.path, "state.db");
  const database = new DatabaseSync(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const size = Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
  const root = database.prepare("SELECT rootpage FROM sqlite_master WHERE name = ?");
  const roots = new Map(
    ["tasks", "deliveries", "sessions", "messages"].map((name) => [name, Number(root.get(name)?.["rootpage"])]),
  );
  database.close();
  return { whole: readFileSync(file), roots, size };
}

let good: ReturnType<typeof createGoodFile> | undefined;

async function damagedHome(t: TestContext, damage: Damage): Promise<{ home: Home; content: Buffer }> {
  const { whole, roots, size } = await (good ??= createGoodFile(t));
  const home = taskHome(t);
  const content = damage(Buffer.from(whole), (table) => roots.get(table) ?? 0, size);
  writeFileSync(join(home.path, "state.db"), content, { mode: 0o600 });
  return { home, content };
}

/** The file that was moved away, unchanged, private, and named in what was said. */
function assertSetAside(home: Home, content: Buffer, said: string): void {
  const names = readdirSync(join(home.path, "damaged")).filter((name) => name.endsWith("state.db"));
  assert.equal(names.length, 1, names.join(" "));
  const path = join(home.path, "damaged", names[0]!);
  assert.ok(said.includes(path), said);
  assert.ok(readFileSync(path).equals(content), "it is as it was");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(home.path, "damaged")).mode & 0o777, 0o700);
}

for (const [name, damage] of Object.entries(AT_ONCE)) {
  test(`${name}: it is moved away, and each command goes on with a new file`, async (t) => {
    for (const words of name === "no database at all" ? COMMANDS : COMMANDS.slice(0, 1)) {
      const { home, content } = await damagedHome(t, damage);
      const { code, stderr } = await home.run(words);
      assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
      assertSetAside(home, content, stderr);
      assert.equal((await home.run(["tasks", "list"])).stderr, "");
    }
  });
}

for (const [name, damage] of Object.entries(IN_USE)) {
  test(`${name}: the command that finds them names the file, and the next one has a new file`, async (t) => {
    for (const words of COMMANDS.filter(([command]) => command !== "pairing")) {
      const { home, content } = await damagedHome(t, damage);
      const { code, stderr } = await home.run(words);
      // A conversation continues without being saved.
      assert.equal(code, words[0] === "chat" ? 0 : 1, `${words.join(" ")}: ${stderr}`);
      assert.match(stderr, /state\.db is damaged \(.*\) and was moved to \S+\. Run the command again/, words.join(" "));
      assertSetAside(home, content, stderr);
      const { code: again, stderr: silent } = await home.run(words);
      assert.deepEqual([again, silent.replaceAll(/^·.*\n/gm, "")], [0, ""], words.join(" "));
    }
  });
}

test("a file that ends too early is moved away, too", async (t) => {
  const { home, content } = await damagedHome(t, (whole) => whole.subarray(0, 4096 * 3));
  let said = "";
  for (let round = 0; round < 3; round++) said += (await home.run(["tasks", "list"])).stderr;
  assertSetAside(home, content, said);
  assert.equal((await home.run(["tasks", "list"])).stderr, "");
});

test("several processes that find the damage move one file, and none the new one", async (t) => {
  const { home, content } = await damagedHome(t, AT_ONCE["no database at all"]!);
  const ended = await Promise.all(Array.from({ length: 6 }, (_, number) => home.run(["run", `!echo ${number}`])));
  for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
  assertSetAside(home, content, ended.map(({ stderr }) => stderr).join(""));
  const { stdout } = await home.run(["tasks", "list", "--json"]);
  assert.equal((JSON.parse(stdout) as { tasks: unknown[] }).tasks.length, 6);
});
