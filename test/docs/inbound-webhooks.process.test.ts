/** What docs/inbound-webhooks.md and docs/from-octomind.md show, with payloads as their senders make them. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";

const PAGE = "docs/inbound-webhooks.md";
const LANGUAGES = ["bash", "yaml", "sh", "python", "js", "ruby", "go"];
const blocks = new Map(LANGUAGES.map((language) => [language, examplesOf(PAGE, language)]));
const block = (language: string, name: string) => blocks.get(language)!.get(name)!;
const SECRETS = { GITHUB_WEBHOOK_SECRET: "s3cret", SLACK_SIGNING_SECRET: "s1gn" };

const PUSH = {
  ref: "refs/heads/main",
  repository: { full_name: "octo/repo" },
  pusher: { name: "eve" },
  commits: [{ id: "1" }, { id: "2" }],
};

interface Report {
  readonly status: number;
  readonly body: string;
  readonly injected: string | null;
}

/** A newcomer with a hook's script and configuration. */
function withHook(t: TestContext, config: string, file: string, script: string): Newcomer {
  const newcomer = new Newcomer(t);
  const folder = join(newcomer.home, ".hermes/agent-hooks");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), script);
  chmodSync(join(folder, file), 0o755);
  writeFileSync(join(newcomer.home, ".hermes/config.yaml"), config);
  return newcomer;
}

async function tryHook(newcomer: Newcomer, name: string, payload: object): Promise<Report> {
  writeFileSync(join(newcomer.home, "push.json"), JSON.stringify(payload));
  const command = `hermes inbound test ${name} --payload push.json --sign --json`;
  const { code, stdout, stderr } = await newcomer.run(command, { env: SECRETS });
  assert.equal(code, 0, stdout + stderr);
  return JSON.parse(stdout) as Report;
}

test("every block of the pages is an example that is tried here", () => {
  for (const language of LANGUAGES) assert.equal(countBlocks(PAGE, language), blocks.get(language)!.size, language);
});

test("the CI watcher: its script, its configuration, and its commands", async (t) => {
  const hook = withHook(t, block("yaml", "inbound-config"), "github-push.sh", block("bash", "inbound-bash"));
  writeFileSync(join(hook.home, "push.json"), JSON.stringify(PUSH));
  const tried = await hook.run(block("sh", "inbound-test"), { env: SECRETS });
  assert.equal(tried.code, 0, tried.stderr);
  assert.match(tried.stdout, /New push to octo\/repo \(main\) by eve: 2 commit\(s\)\. Please review the changes\./);
  assert.match(tried.stdout, /untrusted/);
  const [allow = "", start = ""] = block("sh", "inbound-start").split("\n");
  assert.equal((await hook.run(allow, { env: SECRETS })).code, 0);
  const ran = await hook.run(`timeout -s TERM 5 ${start} < /dev/null`, { env: SECRETS });
  assert.match(ran.stderr, /The daemon "ci-watcher" is running/);
});

const PULL = { action: "opened", number: 7, repository: { full_name: "octo/repo" }, pull_request: { title: "Fix it" } };
const SCRIPTS: readonly (readonly [language: string, program: string, file: string, payload: object, said: RegExp])[] =
  [
    ["python", "python3", "hook.py", PULL, /Review pull request #7 of octo\/repo: Fix it/],
    ["js", "node", "hook.mjs", { object_kind: "pipeline", project: { name: "site" } }, /A pipeline of site has ended/],
    ["ruby", "ruby", "hook.rb", { type: "charge.failed", data: { object: { amount: 12 } } }, /A payment of 12 failed/],
  ];
for (const [language, program, file, payload, said] of SCRIPTS) {
  const isThere = spawnSync(program, ["--version"]).status === 0;
  if (!isThere) continue;
  test(`the script in ${language}`, async (t) => {
    const script = block(language, `inbound-${language === "js" ? "node" : language}`);
    const config = `inbound: [{ name: one, bind: "127.0.0.1:9", script: ~/.hermes/agent-hooks/${file} }]\n`;
    const { status, injected } = await tryHook(withHook(t, config, file, script), "one", payload);
    assert.equal(status, 200);
    assert.match(injected ?? "", said);
  });
}

test("the script in Go compiles, where there is a compiler", async (t) => {
  const source = block("go", "inbound-go");
  assert.match(source, /^package main/);
  if (spawnSync("go", ["version"]).status !== 0) return;
  const { home } = new Newcomer(t);
  writeFileSync(join(home, "hook.go"), source);
  assert.equal(spawnSync("go", ["build", "-o", join(home, "hook"), join(home, "hook.go")]).status, 0);
});

test("the Slack bot answers the challenge, and feeds the session", async (t) => {
  const bot = withHook(t, block("yaml", "inbound-slack-config"), "slack-event.py", block("python", "inbound-slack"));
  const asked = await tryHook(bot, "slack-event", { type: "url_verification", challenge: "3eZbrw1aB" });
  assert.deepEqual([asked.status, asked.body, asked.injected], [200, "3eZbrw1aB", null]);
  const told = await tryHook(bot, "slack-event", { type: "event_callback", event: { text: "is it green?" } });
  assert.equal(told.status, 200);
  assert.match(told.injected ?? "", /In Slack: is it green\?/);
});

test("the block from Octomind's configuration is valid", async (t) => {
  const newcomer = new Newcomer(t);
  mkdirSync(join(newcomer.home, ".hermes"));
  writeFileSync(
    join(newcomer.home, ".hermes/config.yaml"),
    examplesOf("docs/from-octomind.md", "yaml").get("octomind-config")!,
  );
  const { code, stderr } = await newcomer.run("hermes config check", { env: SECRETS });
  assert.deepEqual([code, stderr], [0, ""]);
});
