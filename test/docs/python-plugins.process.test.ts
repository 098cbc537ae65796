/** The example of docs/python-plugins.md in a home of Hermes Agent, as docs/from-hermes-agent.md has it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { countBlocks, examplesOf } from "../helpers/examples.ts";
import { Home, ROOT } from "../helpers/hermes.ts";

const PAGE = "docs/python-plugins.md";
const manifests = examplesOf(PAGE, "yaml");
const code = examplesOf(PAGE, "python");

test("no-force refuses a force push in a home of Hermes Agent", async (t) => {
  assert.deepEqual([...manifests.keys(), ...code.keys()], ["no-force", "no-force"]);
  assert.deepEqual([countBlocks(PAGE, "yaml"), countBlocks(PAGE, "python")], [1, 1]);
  const home = new Home(t);
  const config = readFileSync(join(ROOT, "test/fixtures/hermes-agent-home/config.yaml"), "utf8");
  home.write("config.yaml", config.replace('provider: "auto"', "provider: offline"));
  home.write("plugins/guard/plugin.yaml", manifests.get("no-force") ?? "");
  home.write("plugins/guard/__init__.py", code.get("no-force") ?? "");
  const database = new DatabaseSync(join(home.path, "state.db"));
  database.exec("CREATE TABLE schema_version (version INTEGER); CREATE TABLE sessions (id TEXT PRIMARY KEY)");
  database.close();
  const ended = await home.run(["chat", "-q", "run `git push --force`"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /Force pushes are not allowed\./);
  assert.doesNotMatch(ended.stderr, /unknown key|state\.db/);
  assert.ok(home.has("hermes-hooks.db"));
  assert.match(home.read("logs/hermes.log"), /"plugin":"no-force","msg":"refused git push --force"/);
  const { stdout } = await home.run(["hooks", "list", "--json"], { env: { PATH: home.work } });
  const { hooks } = JSON.parse(stdout) as { hooks: readonly { source: string; state?: string; reason?: string }[] };
  const listed = hooks.find(({ source }) => source === "python");
  assert.equal(listed?.state, "skipped");
  assert.match(listed?.reason ?? "", /there is no python3 on PATH/);
  assert.match(home.read("logs/hooks.jsonl"), /"source":"python","name":"no-force".*"outcome":"block"/);
});
