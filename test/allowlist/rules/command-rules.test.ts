import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { plainCommands } from "#agent/guard/shell/plain-commands";
import { createCommandRules } from "#allowlist/rules/command-rules";
import { markAgentEnvironment } from "#core/agent-mark";
import { addRules, readRules, removeRules } from "#allowlist/rules/store";
import { suggestRule, textOfRule } from "#allowlist/rules/suggest";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

function rulesIn(t: TestContext, rules?: readonly object[]) {
  const file = join(temporaryFolder(t), "home", "approvals.json");
  const warnings: string[] = [];
  const options = { file, env: {}, read: async (line: string) => plainCommands(line) };
  const made = createCommandRules({ ...options, warn: (sentence) => void warnings.push(sentence) });
  return { ...made, file, warnings, write: async () => addRules(file, (rules ?? []) as never) };
}

const GIT_STATUS = { words: ["git", "status"], exact: false };

test("a prefix covers further words; every program of a line needs a rule", async (t) => {
  const rules = rulesIn(t, [GIT_STATUS, { words: ["ls"], exact: false }]);
  assert.equal(await rules.allows("git status"), false);
  await rules.write();
  for (const line of ["git status", "git status -s 'a b'", "git status && ls -la | ls", "(git status) 2>&1"]) {
    assert.equal(await rules.allows(line), true, line);
  }
  for (const line of [
    "git",
    "git push",
    "git statusx",
    "/tmp/git status",
    "./git status",
    "git -C / status",
    "git status; rm -rf /",
    "git status | sh",
    "git status & rm x",
    "git status\nrm x",
    "git status $(rm x)",
    "git status > ~/.bashrc",
    "GIT_EXTERNAL_DIFF=evil git status",
    "sudo git status",
    "ls; eval 'rm x'",
    "",
  ]) {
    assert.equal(await rules.allows(line), false, line);
  }
});

test("an exact rule covers its words alone", async (t) => {
  const rules = rulesIn(t, [{ words: ["rm", "-rf", "build"], exact: true }]);
  await rules.write();
  assert.equal(await rules.allows("rm -rf 'build'"), true);
  assert.equal(await rules.allows("rm -rf build /"), false);
  assert.equal(await rules.allows("rm -rf"), false);
});

const OFFERED: readonly (readonly [line: string, text: string | null])[] = [
  ["git status -s", "git status …"],
  ["git push origin main", "git push …"],
  ["git -C / status", "git -C / status"],
  ["git -c core.pager=x log", "git -c core.pager=x log"],
  ["npm run build -- --watch", "npm run build …"],
  ["npm exec evil", "npm exec evil"],
  ["docker run -v /:/x alpine", "docker run -v /:/x alpine"],
  ["ls -la /etc", "ls …"],
  ["sort -o x y", "sort -o x y"],
  ["rm -rf build", "rm -rf build"],
  ["python3 scripts/x.py --all", "python3 scripts/x.py …"],
  ["python3 -c 'print(1)'", "python3 -c 'print(1)'"],
  ["bash -c 'make test'", "bash -c 'make test'"],
  ["node -e 1", "node -e 1"],
  ["sudo apt update", "sudo apt update"],
  ["env X=1 git status", "env X=1 git status"],
  ["git add . && git commit -m x", "git add … and git commit …"],
  ["git status; git status", "git status …"],
  ["a; b; c; d", null],
  ["echo $HOME", null],
  [`rm ${"x".repeat(300)}`, null],
];

test("what is offered covers what it says, and nothing that a further word could turn into anything", async (t) => {
  const rules = rulesIn(t);
  for (const [line, text] of OFFERED) assert.equal((await rules.suggest(line))?.text ?? null, text, line);
});

test("what is remembered is allowed from then on, in a private file, once", async (t) => {
  const rules = rulesIn(t);
  for (let round = 0; round < 2; round++) await (await rules.suggest("git add . && ls"))?.remember();
  assert.equal(await rules.allows("git add -A && ls -l"), true);
  assert.equal(await rules.suggest("git add ."), null);
  assert.equal((await rules.suggest("git add . && pwd"))?.text, "pwd …");
  assert.equal(statSync(rules.file).mode & 0o777, 0o600);
  const { rules: stored } = JSON.parse(readFileSync(rules.file, "utf8")) as { rules: { words: string[] }[] };
  assert.deepEqual(
    stored.map(({ words }) => words),
    [["git", "add"], ["ls"]],
  );
  const removed = await removeRules(rules.file, (rule) => textOfRule(rule) === "ls …");
  assert.equal(removed.length, 1);
  assert.equal(await rules.allows("git add -A && ls -l"), false);
});

test("many writers at once lose no rule", async (t) => {
  const { file } = rulesIn(t);
  const words = Array.from({ length: 12 }, (_, index) => [`program${index}`]);
  await Promise.all(words.map((one) => addRules(file, [{ words: one, exact: true }])));
  assert.equal(readRules(file).rules.length, 12);
});

test("a file that others may write, a link, or nonsense allows nothing, and is not overwritten", async (t) => {
  const rules = rulesIn(t, [GIT_STATUS]);
  await rules.write();
  chmodSync(rules.file, 0o666);
  assert.equal(await rules.allows("git status"), false);
  assert.match(rules.warnings.at(-1)!, /writable by other users/);
  for (const text of ["nonsense", "[]", '{"rules":{}}']) {
    writeFileSync(rules.file, text);
    chmodSync(rules.file, 0o600);
    assert.equal(await rules.allows("git status"), false);
    await assert.rejects(addRules(rules.file, [GIT_STATUS]), { code: "HERMES_ALLOWLIST_UNUSABLE" });
    assert.equal(readFileSync(rules.file, "utf8"), text);
  }
  const linked = rulesIn(t);
  await linked.write();
  const link = join(temporaryFolder(t), "approvals.json");
  writeFileSync(rules.file, JSON.stringify({ rules: [GIT_STATUS] }));
  symlinkSync(rules.file, link);
  assert.match(readRules(link).unusable ?? "", /symbolic link/);
});

test("a bad entry is skipped with a warning, the others count", async (t) => {
  const rules = rulesIn(t);
  await addRules(rules.file, [GIT_STATUS]);
  writeFileSync(
    rules.file,
    JSON.stringify({
      rules: [{ words: [] }, { words: [""] }, { words: "git" }, { words: ["x"], exact: 1 }, GIT_STATUS],
    }),
  );
  assert.equal(await rules.allows("git status"), true);
  assert.equal(rules.warnings.length, 4);
});

test("inside an agent nothing is offered or remembered", async (t) => {
  const file = join(temporaryFolder(t), "approvals.json");
  const outside = { file, read: async (line: string) => plainCommands(line), warn: () => undefined };
  const inside = createCommandRules({ ...outside, env: markAgentEnvironment({}, "/home/x/.hermes") });
  const suggestion = await createCommandRules({ ...outside, env: {} }).suggest("git status");
  assert.ok(suggestion);
  assert.equal(await inside.suggest("git status"), null);
});

test("a rule is shown as it can be typed", () => {
  assert.equal(textOfRule(suggestRule(["echo", "a b"])), "echo …");
  assert.equal(textOfRule({ words: ["rm", "a b"], exact: true }), "rm 'a b'");
});
