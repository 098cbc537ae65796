/** What docs/claude-code-hooks.md shows, as it stands there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { parse } from "yaml";
import { READERS } from "#cli/import/readers";
import { parseHookEntries } from "#sandbox/shell/entries";
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
  assert.deepEqual([...yaml.keys()], ["claude-entry", "claude-env-entry", "claude-ask-entry", "cursor-entry"]);
  assert.deepEqual([...bash.keys()], ["claude-guard", "claude-env", "claude-ask"]);
  assert.deepEqual([...sh.keys()], ["claude-import", "claude-try"]);
  for (const [language, count] of Object.entries({ yaml: 4, bash: 3, sh: 2, json: 1, console: 0 })) {
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

test("the settings are imported, added once, and approved", async (t) => {
  const newcomer = new Newcomer(t);
  const project = join(newcomer.home, "project");
  mkdirSync(join(project, ".claude/hooks"), { recursive: true });
  mkdirSync(join(newcomer.home, ".hermes"));
  const [, settings = ""] = /```json\n([^]*?)```/.exec(readPage(PAGE)) ?? [];
  writeFileSync(join(project, ".claude/settings.json"), settings);
  writeFileSync(join(project, ".claude/hooks/protect-files.sh"), bash.get("claude-guard") ?? "", { mode: 0o755 });
  const { code, stderr } = await newcomer.run(sh.get("claude-import") ?? "", { cwd: project });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /1 hook added to .*config\.yaml/);
  const { hooks } = parse(readFileSync(join(newcomer.home, ".hermes/config.yaml"), "utf8")) as {
    hooks: { pre_tool_call: Entry[] };
  };
  const command = `"${project}"/.claude/hooks/protect-files.sh`;
  assert.deepEqual(hooks.pre_tool_call, [{ protocol: "claude", matcher: "Edit|Write", command }]);
  assert.match(readFileSync(join(newcomer.home, ".hermes/shell-hooks-allowlist.json"), "utf8"), /protect-files/);
});

test("the entry for Cursor is valid", () => {
  const { entries, warnings } = parseHookEntries((parse(yaml.get("cursor-entry") ?? "") as { hooks: unknown }).hooks);
  assert.deepEqual([entries[0]?.protocolEvent, warnings], ["beforeShellExecution", []]);
});

test("the page lists all events of the programs, and those that cannot be imported", () => {
  const page = readPage(PAGE);
  for (const { program, missing } of Object.values(READERS)) {
    const title = program.owner === "Claude Code" ? "Events" : program.owner;
    const [, section = ""] = page.slice(page.indexOf(`\n## ${title}\n`)).split("\n## ");
    // Copilot's second spelling follows from the first.
    const names = program.events
      .map(({ name }) => name)
      .filter((name) => title !== "GitHub Copilot CLI" || /^[a-z]/.test(name));
    const others = Object.keys(missing).filter((name) => title !== "GitHub Copilot CLI" || /^[a-z]/.test(name));
    for (const name of [...names, ...others]) assert.ok(section.includes(`\`${name}\``), `${title}: ${name}`);
  }
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
  assert.match(blocked.stderr, /asked for approval of a tool call \(A force push rewrites history for everyone\)/);
  assert.match(blocked.stdout, /nobody can be asked here: A force push rewrites history for everyone/);
  const plain = await newcomer.run(push.replace("--force", "origin"));
  assert.doesNotMatch(plain.stderr, /approval/);
  assert.match(plain.stdout, /git push origin/);
});

test("the variables of the set-up are those of the session's commands", async (t) => {
  const newcomer = withExample(t, "claude-env-entry", "claude-env");
  const command = JSON.stringify({ command: 'echo "$NODE_ENV ${PATH##*:}"' });
  const { stdout } = await newcomer.run(`hermes --accept-hooks chat -q '@terminal ${command}' -Q`);
  assert.match(stdout, /test \.\/node_modules\/\.bin/);
});

test("the page quotes what hermes says", () => {
  const source = ["program-answers", "program-delivery", "program-output", "unknown-verbs", "claude-verbs"]
    .map((name) => readPage(`sandbox/shell/protocols/${name}.ts`))
    .join("\n")
    .replaceAll("\\'", "'")
    .replaceAll("${owner}", "Claude Code");
  const [, table = ""] = /### What doesn't work\n([^]*?)\n## /.exec(readPage(PAGE)) ?? [];
  const rows = table
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2);
  assert.ok(rows.length >= 10);
  for (const row of rows) {
    const [, , said = ""] = row.split(/ +\| +|^\| +/);
    const parts = [...said.matchAll(/`([^`]+)`/g)].map(([, quoted = ""]) => quoted);
    assert.ok(parts.length > 0, row);
    for (const part of parts.flatMap((quoted) =>
      quoted.split(/"[^"]*"|…|pre_llm_call|post_llm_call|on_session_start|Stop|[{}:]/),
    )) {
      const words = part
        .trim()
        .replace(/[;,(]+$/, "")
        .trim();
      if (words.length > 3)
        assert.ok(source.includes(words) || readPage("sandbox/shell/output.ts").includes(words), words);
    }
  }
});
