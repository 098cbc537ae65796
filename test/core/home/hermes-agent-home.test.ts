/** A home of Hermes Agent, the Python program, used as it is. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type TestContext } from "node:test";
import { describeModel } from "#agent/models/select";
import { loadConfig, parseConfig } from "#core/home/config";
import { openDatabase } from "#core/home/database";
import { homePaths } from "#core/home/paths";

const CONFIG = join(import.meta.dirname, "../../fixtures/hermes-agent-home/config.yaml");

function makeHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), "hermes-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

test("its configuration is read without warnings; config check can name what means nothing here", async (t) => {
  const home = makeHome(t);
  writeFileSync(join(home, "config.yaml"), readFileSync(CONFIG));
  chmodSync(join(home, "config.yaml"), 0o600);
  const config = await loadConfig(homePaths(home), {});
  assert.deepEqual(config.warnings, []);
  assert.deepEqual(config.values.plugins.enabled, ["guard"]);
  assert.deepEqual(config.values.plugins.entries["guard"]?.settings, { level: "high" });
  for (const key of ["_config_version", "terminal", "agent.max_turns", "gateway.room_link_url"]) {
    assert.ok(config.unusedKeys.includes(key), key);
  }
});

test("what looks like a mistake is a warning there, too", async () => {
  const text = "display: {skin: mono}\nhooks_auto_acept: true\nagent: {max_iteration: 3, max_turns: 9}\n";
  const { warnings, unusedKeys } = await parseConfig(text, "/home/config.yaml", {});
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /unknown key "hooks_auto_acept".*Did you mean "hooks_auto_accept"/);
  assert.match(warnings[1] ?? "", /unknown key "agent\.max_iteration".*Did you mean/);
  assert.deepEqual(unusedKeys, ["display", "agent.max_turns"]);
});

test("a model as a text is its ID, and the provider auto is none", async () => {
  const short = await parseConfig("model: anthropic/claude-opus-4.6\n", "/home/config.yaml", {});
  assert.equal(short.values.model.default, "anthropic/claude-opus-4.6");
  const key = { OPENROUTER_API_KEY: "a key" };
  assert.equal(describeModel(short.values.model, key).provider, "openrouter");
  assert.equal(describeModel({ provider: "auto" }, {}).provider, "offline");
  const address = { provider: "auto", base_url: "https://openrouter.ai/api/v1/", default: "m" };
  assert.equal(describeModel(address, key).provider, "openrouter");
  assert.throws(() => describeModel(address, {}), /Set OPENROUTER_API_KEY/);
  assert.throws(() => describeModel({ provider: "opnai" }, {}), /"opnai" is not known.*Did you mean "openai"/);
});

test("its database stays as it is, and ours lies beside it", (t) => {
  const home = makeHome(t);
  const theirs = join(home, "state.db");
  const database = new DatabaseSync(theirs);
  database.exec("CREATE TABLE schema_version (version INTEGER); CREATE TABLE sessions (id TEXT PRIMARY KEY)");
  database.close();
  const before = readFileSync(theirs);
  const { state } = homePaths(home);
  assert.equal(state, join(home, "hermes-hooks.db"));
  openDatabase(state).close();
  assert.equal(homePaths(home).state, state);
  assert.deepEqual(readFileSync(theirs), before);
});

test("a database of ours is used, new or not, as is an empty file and one that is no database", (t) => {
  const home = makeHome(t);
  const file = join(home, "state.db");
  const isUsed = () => homePaths(home).state === file;
  assert.ok(isUsed(), "no file");
  writeFileSync(file, "");
  assert.ok(isUsed(), "an empty file");
  const empty = new DatabaseSync(file);
  empty.exec("PRAGMA journal_mode = WAL");
  empty.close();
  assert.ok(isUsed(), "a database without tables, as between its creation and the first migration");
  openDatabase(file).close();
  assert.ok(isUsed(), "a database of ours");
  writeFileSync(file, "not a database ".repeat(50));
  assert.ok(isUsed(), "damage is reported, not avoided");
});
