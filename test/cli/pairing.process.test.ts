/** `hermes pairing`, as it is typed; the gateway's side of pairing is in test/gateway/pairing.test.ts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { openDatabase } from "#core/home/database";
import { Pairing } from "#gateway/pairing";
import { examplesOf, Newcomer } from "../helpers/examples.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { Home } from "../helpers/hermes.ts";

/** What the gateway does when a stranger writes. */
async function askIn(file: string, user_id: string, at = Date.now()): Promise<string> {
  const database = openDatabase(file);
  const request = await new Pairing(database, () => at).request("telegram", user_id);
  database.close();
  assert.ok(request.kind === "code");
  return request.code;
}

function createHome(t: TestContext) {
  const home = new Home(t);
  const file = join(home.path, "state.db");
  return {
    home,
    ask: (user_id: string, at?: number) => askIn(file, user_id, at),
    pairing: (...args: readonly string[]) => runInProcess(home, ["pairing", ...args]),
  };
}

test("a code is listed without itself, approved, and the user revoked", async (t) => {
  const { ask, pairing } = createHome(t);
  const code = await ask("12345678");
  const asked = await pairing("list", "--json");
  const { pending, paired, locked_until } = JSON.parse(asked.stdout) as Record<string, Record<string, string>[]>;
  assert.equal(asked.code, 0);
  assert.deepEqual([pending![0]!["platform"], pending![0]!["user_id"], pending!.length], ["telegram", "12345678", 1]);
  assert.deepEqual([paired, locked_until], [[], null]);
  assert.ok(!asked.stdout.includes(code));

  const approved = await pairing("approve", code.toLowerCase(), "--json");
  const { approved: user } = JSON.parse(approved.stdout) as { approved: Record<string, string> };
  assert.deepEqual([user["platform"], user["user_id"]], ["telegram", "12345678"]);
  assert.match((await pairing("list")).stdout, /^paired {2}telegram {2}12345678 {2}since 20/);

  const revoked = await pairing("revoke", "telegram", "12345678");
  assert.deepEqual([revoked.code, revoked.stdout], [0, "The user 12345678 of telegram no longer has access.\n"]);
  assert.equal((await pairing("list")).stdout, "No paired users and no pending codes.\n");
});

test("the platform may be named before the code, which is then good for no other", async (t) => {
  const { ask, pairing } = createHome(t);
  const code = await ask("4711");
  assert.equal((await pairing("approve", "discord", code)).code, 3);
  assert.equal((await pairing("approve", "telegram", code)).code, 0);
});

test("an unknown code and an unknown user exit with 3; an expired code and a lockout have their own messages", async (t) => {
  const { ask, pairing } = createHome(t);
  const unknown = await pairing("revoke", "telegram", "5");
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /The user 5 of telegram is not paired\./);
  const old = await ask("7", Date.now() - 3_600_001);
  const expired = await pairing("approve", old);
  assert.equal(expired.code, 1);
  assert.match(expired.stderr, /This code has expired; codes are valid for one hour\./);
  const good = await ask("8");
  for (const left of [4, 3, 2, 1]) {
    const wrong = await pairing("approve", "AAAAAAAA");
    assert.equal(wrong.code, 3);
    assert.match(wrong.stderr, new RegExp(`${left} more wrong codes? locks? pairing for an hour`));
  }
  assert.match((await pairing("approve", "nonsense!")).stderr, /Pairing is now locked for an hour/);
  const locked = await pairing("approve", good);
  assert.equal(locked.code, 1);
  assert.match(locked.stderr, /Pairing is locked until 20\d\d-.*Z after too many wrong codes/);
  const { stdout, stderr } = await pairing("list");
  assert.match(stdout, /^pending {2}telegram {2}8 {2}code valid until 20/);
  assert.match(stderr, /Pairing is locked until/);
});

test("asking a home without a state.db makes none; help has examples; a missing word is 2", async (t) => {
  const { home, pairing } = createHome(t);
  assert.equal((await pairing("list", "--json")).code, 0);
  assert.equal((await pairing("revoke", "telegram", "5")).code, 3);
  assert.ok(!home.has("state.db"));
  assert.match((await pairing("--help")).stdout, /Examples:\n {2}hermes pairing list /);
  assert.equal((await pairing("approve")).code, 2);
  assert.equal((await pairing("aprove", "x")).code, 2);
});

test("docs/gateway.md: the commands of pairing", async (t) => {
  const newcomer = new Newcomer(t);
  const code = await askIn(join(newcomer.home, ".hermes/state.db"), "12345678");
  const block = examplesOf("docs/gateway.md", "sh").get("gateway-pairing");
  assert.ok(block !== undefined && block.includes("ABCD2345"));
  const { code: exit, stdout, stderr } = await newcomer.run(block.replace("ABCD2345", code));
  assert.deepEqual([exit, stderr], [0, ""]);
  assert.match(
    stdout,
    /^pending .*\nThe user 12345678 of telegram now has access\.\nThe user 12345678 .* no longer has access\.\n$/,
  );
});
