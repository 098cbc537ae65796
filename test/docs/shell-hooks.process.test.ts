/** The examples of docs/shell-hooks.md and docs/consent.md, run as they stand there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Home, ROOT } from "../helpers/hermes.ts";

const page = (name: string) => readFileSync(join(ROOT, "docs", name), "utf8");
const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(([, block]) => block ?? "");

const text = page("shell-hooks.md");
const scripts = ["bash", "python", "js"].flatMap((language) =>
  blocks(text, language).map((script) => ({
    script,
    name: /^(?:#|\/\/) ~\/\.hermes\/agent-hooks\/(.+)$/m.exec(script)?.[1] ?? "",
  })),
);
const missing = ["jq", "git", "python3"].filter((program) => spawnSync(program, ["--version"]).error !== undefined);
const skip = missing.length > 0 && `there is no ${missing.join(", ")} here`;

interface Result {
  readonly exit_code: number | null;
  readonly error: string | null;
  readonly answer: unknown;
  readonly stderr: string;
}

function withExamples(context: TestContext, { coprocess = false } = {}): Home {
  const home = new Home(context);
  for (const { name, script } of scripts) home.script(name, script);
  const some = blocks(text, "yaml").filter((block) => block.includes("coprocess: true") === coprocess);
  home.write("config.yaml", `hooks:\n${some.map((block) => block.replace(/^hooks:\n/, "")).join("")}`);
  return home;
}

async function fire(home: Home, event: string, payload: object): Promise<readonly Result[]> {
  const args = ["hooks", "test", event, "--payload-file", "-", "--json"];
  const { stdout, stderr } = await home.run(args, { input: JSON.stringify(payload) });
  const { results } = JSON.parse(stdout) as { results: readonly Result[] };
  if (results.length === 0) assert.match(stderr, /^No configured shell hook matches .*\n$/);
  else assert.equal(stderr, "");
  return results;
}

test("every example has its script and its entry", () => {
  assert.equal(scripts.length, 7);
  for (const { name } of scripts) assert.match(text, new RegExp(`command: "(?:\\w+ )?~/.hermes/agent-hooks/${name}"`));
});

test("the guard blocks rm -rf / and lets other commands through", { skip }, async (context) => {
  const home = withExamples(context);
  const blocked = await fire(home, "pre_tool_call", { args: { command: "rm -rf /" } });
  assert.deepEqual(blocked[0]?.answer, { action: "block", message: "blocked: rm -rf / is not permitted" });
  assert.deepEqual((await fire(home, "pre_tool_call", { args: { command: "ls" } }))[0]?.answer, null);
});

test("the formatter and the log run", { skip }, async (context) => {
  const home = withExamples(context);
  const [formatted] = await fire(home, "post_tool_call", { tool_name: "patch", args: { path: "a.txt" } });
  assert.deepEqual([formatted?.exit_code, formatted?.error], [0, null]);
  assert.deepEqual(await fire(home, "post_tool_call", { tool_name: "read_file" }), []);
  const [logged] = await fire(home, "subagent_stop", { child_status: "failed" });
  assert.deepEqual([logged?.exit_code, logged?.error], [0, null]);
  const line = JSON.parse(home.read("logs/orchestration.log")) as { parent: string; extra: { child_status: string } };
  assert.deepEqual([line.parent, line.extra.child_status], ["sess_sample", "failed"]);
});

test("the coprocesses in Bash, Python and Node answer", { skip }, async (context) => {
  const home = withExamples(context, { coprocess: true });
  const [blocked] = await fire(home, "pre_tool_call", { args: { command: "rm -rf / " } });
  assert.deepEqual([blocked?.exit_code, blocked?.error], [null, null]);
  assert.deepEqual(blocked?.answer, { action: "block", message: "rm -r / is not allowed" });
  const [allowed] = await fire(home, "pre_tool_call", { args: { command: "ls" } });
  assert.deepEqual([allowed?.answer, allowed?.error], [null, null]);
  const [masked] = await fire(home, "transform_tool_result", { result: "the key is sk-0123456789abcdefghij" });
  assert.deepEqual(masked?.answer, { text: "the key is [masked]" });
  const [counted] = await fire(home, "post_tool_call", { tool_name: "patch" });
  assert.deepEqual([counted?.error, counted?.stderr], [null, "patch: 1\n"]);
});

test("git's status becomes context", { skip }, async (context) => {
  const home = withExamples(context);
  assert.equal((await fire(home, "pre_llm_call", {}))[0]?.answer, null);
  spawnSync("git", ["init", "-q"], { cwd: home.work });
  writeFileSync(join(home.work, "new.txt"), "");
  const [result] = await fire(home, "pre_llm_call", {});
  assert.deepEqual(result?.answer, { context: "Uncommitted changes in cwd:\n?? new.txt" });
});

test("the payload on the page is what a script gets", { skip }, async (context) => {
  const home = new Home(context);
  const [shown] = blocks(text, "json").map((block) => JSON.parse(block) as object);
  home.write("config.yaml", `hooks: { pre_tool_call: [{ command: "cp /dev/stdin payload.json" }] }\n`);
  await fire(home, "pre_tool_call", {});
  const got = JSON.parse(readFileSync(join(home.work, "payload.json"), "utf8")) as object;
  assert.deepEqual(Object.keys(got), Object.keys(shown ?? {}));
  assert.deepEqual({ ...got, cwd: "" }, { ...shown, cwd: "" });
});

test("the commands of the consent page work, and its file is valid", async (context) => {
  const home = new Home(context);
  const [file] = blocks(page("consent.md"), "json");
  home.write("config.yaml", 'hooks: { pre_tool_call: [{ command: "echo {}" }] }\n');
  home.write("shell-hooks-allowlist.json", file ?? "", 0o600);
  const listed = JSON.parse((await home.run(["hooks", "list", "--json"])).stdout) as { hooks: { allowed: boolean }[] };
  assert.equal(listed.hooks[0]?.allowed, true);
  for (const line of (blocks(page("consent.md"), "console")[0] ?? "").trim().split("\n")) {
    const bin = `"${process.execPath}" "${join(ROOT, "cli/bin.js")}"`;
    const { status, stderr } = spawnSync("sh", ["-c", line.replace("$ hermes", bin)], {
      env: home.env(),
      encoding: "utf8",
    });
    assert.equal(status, 0, `${line}: ${stderr}`);
  }
});
