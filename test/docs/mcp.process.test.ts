/** What docs/mcp.md shows, as it stands there: only `npx`, the URL and the folder are those of the test. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { FILES_SERVER } from "../helpers/mcp.ts";

const PAGE = "docs/mcp.md";
const yaml = examplesOf(PAGE, "yaml");
const sh = examplesOf(PAGE, "sh");
const bash = examplesOf(PAGE, "bash");

test("the page's servers are listed and tried; its guard asks, and where nobody can be asked it blocks", async (t) => {
  assert.deepEqual([...yaml.keys()], ["mcp-config", "mcp-guard-config"]);
  assert.deepEqual([...sh.keys(), ...bash.keys()], ["mcp-try", "mcp-guard"]);
  for (const [language, count] of Object.entries({ yaml: 2, sh: 1, bash: 1 })) {
    assert.equal(countBlocks(PAGE, language), count);
  }
  const newcomer = new Newcomer(t);
  const home = join(newcomer.home, ".hermes");
  mkdirSync(join(home, "agent-hooks"), { recursive: true });
  mkdirSync(join(newcomer.home, "notes"));
  writeFileSync(join(home, "agent-hooks/ask-first.sh"), bash.get("mcp-guard")!, { mode: 0o755 });
  const servers = yaml
    .get("mcp-config")!
    .replace("command: npx", `command: ${process.execPath}`)
    .replace('-y, "@modelcontextprotocol/server-filesystem"', FILES_SERVER);
  writeFileSync(join(home, "config.yaml"), servers + yaml.get("mcp-guard-config")!);

  const tried = await newcomer.run(sh.get("mcp-try")!, { env: { TRACKER_TOKEN: "hunter2hunter2" } });
  assert.equal(tried.code, 0, tried.stderr);
  assert.match(tried.stdout, /^files +enabled/m);
  assert.match(tried.stdout, /^tracker +enabled +all +https:\/\/mcp\.example\.com\/mcp$/m);
  assert.match(tried.stdout, /^mcp_files_list_directory /m);
  assert.doesNotMatch(tried.stdout + tried.stderr, /hunter2/);

  const call = `hermes --accept-hooks chat -Q -q '@mcp_files_list_directory {"path": "."}'`;
  const asked = await newcomer.run(call);
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /nobody can be asked here: mcp_files_list_directory is a tool of an MCP server/);
  // The other server's variable is not set, which is its problem alone.
  assert.match(asked.stderr, /the MCP server "tracker" is not started: .*TRACKER_TOKEN is not set/);
});
