/** The examples of docs/approvals.md. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { Home } from "../helpers/hermes.ts";
import { noPty } from "../helpers/pty.ts";

const PAGE = "docs/approvals.md";
const commands = examplesOf(PAGE, "sh");
const plugins = examplesOf(PAGE, "ts");

test("every block of the page is an example with a name of its own", () => {
  assert.equal(countBlocks(PAGE, "sh"), commands.size);
  assert.equal(countBlocks(PAGE, "ts"), plugins.size);
});

test("the commands of the page enable the plugin, list the rules and remove one", async (t) => {
  const newcomer = new Newcomer(t);
  const home = join(newcomer.home, ".hermes");
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const rules = join(home, "approvals.json");
  writeFileSync(rules, '{"rules":[{"words":["git","status"]}]}', { mode: 0o600 });
  assert.match((await newcomer.run(commands.get("approvals-enable")!)).stdout, /"approvals" is enabled/);
  const { stdout } = await newcomer.run(commands.get("approvals-rules")!);
  assert.match(stdout, /^git status …\s+Removed: git status …\n$/);
  assert.deepEqual(JSON.parse(readFileSync(rules, "utf8")), { rules: [] });
});

test("the plugin with an answer of its own asks, and keeps quiet once it was given", { skip: noPty }, async (t) => {
  const home = new Home(t);
  home.plugin("deploys", plugins.get("approvals-choices")!);
  home.write("config.yaml", "model: { provider: offline }\nplugins: { enabled: [deploys] }\n");
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type("!echo deploy o''ne\r");
  await pty.see("d      run it, and don't ask about deploys for an hour");
  await pty.see("[y/a/d/N]");
  pty.type("d\r");
  await pty.see(/\ndeploy one/);
  await pty.see("›");
  pty.type("!echo deploy t''wo\r");
  await pty.see(/\ndeploy two/);
  await pty.see("›");
  pty.type("\u0004");
  assert.equal(await pty.exited, 0);
});
