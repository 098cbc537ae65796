/** What docs/claude-code-hooks.md shows, as it stands there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { parse } from "yaml";
import { countBlocks, examplesOf, Newcomer, readPage } from "../helpers/examples.ts";

const PAGE = "docs/claude-code-hooks.md";
const yaml = examplesOf(PAGE, "yaml");
const bash = examplesOf(PAGE, "bash");
const sh = examplesOf(PAGE, "sh");
const skip = spawnSync("jq", ["--version"]).error !== undefined && "there is no jq here";

interface Entry {
  readonly matcher: string;
  readonly command: string;
}
const entryOf = (name: string) =>
  (parse(yaml.get(name) ?? "") as { hooks: { pre_tool_call: [Entry] } }).hooks.pre_tool_call[0];

/** A newcomer with one entry of the page and its script, which says itself where it lies. */
function withExample(t: TestContext, entry: string, script: string): Newcomer {
  const newcomer = new Newcomer(t);
  const text = bash.get(script) ?? "";
  const file = join(newcomer.home, /^# (\.claude\/\S+)$/m.exec(text)?.[1] ?? "");
  for (const folder of [dirname(file), join(newcomer.home, ".hermes")]) mkdirSync(folder, { recursive: true });
  writeFileSync(file, text, { mode: 0o755 });
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), yaml.get(entry) ?? "");
  return newcomer;
}

test("every block of the page is an example that is tried here", () => {
  assert.deepEqual([...yaml.keys()], ["claude-entry", "claude-ask-entry"]);
  assert.deepEqual([...bash.keys()], ["claude-guard", "claude-ask"]);
  assert.deepEqual([...sh.keys()], ["claude-try"]);
  for (const [language, count] of Object.entries({ yaml: 2, bash: 2, sh: 1, json: 1, console: 0 })) {
    assert.equal(countBlocks(PAGE, language), count, language);
  }
});

test("the entry is that of settings.json", () => {
  const [, text = ""] = /```json\n([^]*?)```/.exec(readPage(PAGE)) ?? [];
  const settings = JSON.parse(text) as {
    hooks: { PreToolUse: [{ matcher: string; hooks: [{ command: string }] }] };
  };
  const [{ matcher, hooks }] = settings.hooks.PreToolUse;
  assert.deepEqual([entryOf("claude-entry").matcher, entryOf("claude-entry").command], [matcher, hooks[0].command]);
});

test("the guard blocks when it is tried", { skip }, async (t) => {
  const newcomer = withExample(t, "claude-entry", "claude-guard");
  const { stdout, stderr, code } = await newcomer.run(sh.get("claude-try") ?? "");
  assert.equal(code, 0, stderr);
  const json = stdout.slice(0, stdout.indexOf("\n}\n") + 2);
  const [result] = (JSON.parse(json) as { results: { protocol: string; answer: unknown }[] }).results;
  assert.equal(result?.protocol, "claude");
  const message = `Blocked: ${newcomer.home}/.env matches protected pattern '.env'`;
  assert.deepEqual(result.answer, { action: "block", message });
  assert.match(stdout.slice(json.length), /protect-files\.sh +claude \(runs through sh -c\) +Edit\|Write/);
});

test("the force push is asked about, and blocked where no one can be asked", { skip }, async (t) => {
  const newcomer = withExample(t, "claude-ask-entry", "claude-ask");
  const push = `hermes --accept-hooks chat -q '@terminal {"command":"echo git push --force"}' -Q`;
  const blocked = await newcomer.run(push);
  assert.match(blocked.stderr, /nobody can be asked here: A force push rewrites history for everyone/);
  const plain = await newcomer.run(push.replace("--force", "origin"));
  assert.doesNotMatch(plain.stderr, /blocked/);
  assert.match(plain.stdout, /git push origin/);
});
