/** What docs/daemon.md shows, as it stands there. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";

const PAGE = "docs/daemon.md";
const sh = examplesOf(PAGE, "sh");
const yaml = examplesOf(PAGE, "yaml");
const markdown = examplesOf(PAGE, "markdown");

/** Starts the daemon as the page does, in the background, and waits until it runs. */
const START = `
${sh.get("daemon-start")!.trim()} > out.jsonl 2> said & daemon=$!
for turn in $(seq 300); do grep -q 'is running' said && break; sleep 0.1; done
`;

function newcomer(t: TestContext): Newcomer {
  const made = new Newcomer(t);
  mkdirSync(join(made.home, ".hermes"), { mode: 0o700 });
  return made;
}

test("every block of the page is an example that is tried here", () => {
  assert.deepEqual([...sh.keys()], ["daemon-start", "daemon-send", "daemon-schedule"]);
  assert.deepEqual([...yaml.keys()], ["daemon-serve", "daemon-inbox"]);
  assert.deepEqual([...markdown.keys()], ["daemon-skill"]);
  for (const [language, count] of Object.entries({ sh: 3, yaml: 2, markdown: 1 })) {
    assert.equal(countBlocks(PAGE, language), count, language);
  }
});

test("the daemon is started, sent to, listed and stopped", async (t) => {
  const { code, stdout, stderr } = await newcomer(t).run(
    `${START}\n${sh.get("daemon-send")!}\nwait $daemon\ncat out.jsonl`,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^[a-z0-9]{16}\nwhat did you find\?/);
  assert.match(stdout, /NAME +SESSION[^]*ci-watcher +\S+ +\d+ +idle/);
  assert.match(stdout, /"type":"injected".*"content":"Check the build status"/);
});

test("schedules are stored and listed", async (t) => {
  const { code, stdout, stderr } = await newcomer(t).run(sh.get("daemon-schedule")!);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /(?:[a-z0-9]{16}\n){3}SCHEDULE[^]*in 10m[^]*0 9 \* \* 1-5[^]*2099-12-24T18:00/);
});

test("the configurations are valid, and the skill is one", async (t) => {
  for (const text of yaml.values()) {
    const user = newcomer(t);
    writeFileSync(join(user.home, ".hermes/config.yaml"), text);
    const { code, stdout, stderr } = await user.run("hermes config check");
    assert.equal(code, 0, stdout + stderr);
  }
  const user = newcomer(t);
  const folder = join(user.home, ".hermes/skills/notes");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "SKILL.md"), markdown.get("daemon-skill")!);
  const use = `hermes send --name ci-watcher --wait '@use_skill {"name": "release-notes"}'`;
  const { code, stdout, stderr } = await user.run(`${START}\n${use}\nkill $daemon\nwait $daemon\ncat out.jsonl`);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"source_kind":"skill","source_label":"release-notes".*Group the changes by what users notice/);
});
