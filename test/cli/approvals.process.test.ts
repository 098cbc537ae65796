/** The built-in plugin `approvals` and `hermes approvals`, through the whole program. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { framesOf, Home, ROOT } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { noPty } from "../helpers/pty.ts";

const ENTER = "\r";
const HERMES = `"${process.execPath}" "${join(ROOT, "cli/bin.js")}"`;

interface Listed {
  readonly rules: readonly { text: string; words: string[]; exact: boolean; added_at: string }[];
}

function withApprovals(t: TestContext, more = ""): Home {
  const home = new Home(t);
  home.write("config.yaml", `model: { provider: offline }\nplugins: { enabled: [approvals]${more} }\n`);
  return home;
}

async function rulesOf(home: Home): Promise<Listed["rules"]> {
  const { code, stdout, stderr } = await runInProcess(home, ["approvals", "list", "--json"]);
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as Listed).rules;
}

async function resultsOf(home: Home, query: string): Promise<readonly string[]> {
  const frames = framesOf(await home.run(["chat", "-q", query, "--output-format", "stream-json"]));
  const results = frames.filter(({ type }) => type === "tool_result");
  // Calls of one step end in any order.
  const calls = frames.filter(({ type }) => type === "tool_use");
  return calls.map((call) => String(results.find((result) => result["tool_id"] === call["tool_id"])?.["content"]));
}

test("off until it is enabled, and listed; then nothing that changes something runs without an answer", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\n");
  const listed = async () => {
    const { stdout } = await home.run(["plugins", "list", "--json"]);
    const { plugins } = JSON.parse(stdout) as { plugins: { name: string; state: string }[] };
    return plugins.find(({ name }) => name === "approvals")?.state;
  };
  assert.equal(await listed(), "not_enabled");
  assert.match((await resultsOf(home, "run `echo ran`"))[0]!, /ran/);
  assert.equal((await home.run(["plugins", "enable", "approvals"])).code, 0);
  assert.equal(await listed(), "enabled");
  const calls = ["terminal", "write_file", "patch", "read_file"].map((tool) => {
    const path = "note.txt";
    const args = { terminal: { command: "echo ran" }, write_file: { path, content: "x" } }[tool];
    return `@${tool} ${JSON.stringify(args ?? { path, ...(tool === "patch" ? { old_string: "a", new_string: "b" } : {}) })}`;
  });
  const results = await resultsOf(home, [...calls, "@mcp_any_tool {}"].join("\n"));
  assert.deepEqual(
    results.map((content) => content.includes("approvals wants your approval")),
    [true, true, true, false, true],
  );
});

test("p remembers a prefix, which then runs without a question, in pipes too", { skip: noPty }, async (t) => {
  const home = withApprovals(t);
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`!echo o''ne${ENTER}`);
  await pty.see("from now on always: echo …");
  await pty.see("[y/a/p/N]");
  pty.type(`p${ENTER}`);
  await pty.see(/\none/);
  await pty.see("›");
  pty.type(`!echo t''wo && echo th''ree${ENTER}`);
  await pty.see(/\ntwo/);
  await pty.see("›");
  // A part that is not allowed, and words that only the shell knows.
  pty.type(`!echo four; touch five${ENTER}`);
  await pty.see("always: touch five");
  pty.type(`n${ENTER}`);
  await pty.see("You declined this call.");
  await pty.see("›");
  pty.type(`!echo $(touch six)${ENTER}`);
  await pty.see("[y/a/N]");
  pty.type(`n${ENTER}`);
  await pty.see("You declined this call.");
  await pty.see("›");
  pty.type("\u0004");
  assert.equal(await pty.exited, 0);
  assert.equal(statSync(join(home.path, "approvals.json")).mode & 0o777, 0o600);
  assert.match((await resultsOf(home, "run `echo seven`"))[0]!, /seven/);
  assert.deepEqual(
    (await rulesOf(home)).map(({ text, words, exact }) => ({ text, words, exact })),
    [{ text: "echo …", words: ["echo"], exact: false }],
  );
});

test("rules are listed and removed; one that is not there is 3", async (t) => {
  const home = withApprovals(t);
  assert.match((await home.run(["approvals", "list"])).stdout, /^No command rules/);
  const rules = [
    { words: ["git", "status"], exact: false, added_at: "2026-11-29T00:00:00.000Z" },
    { words: ["rm", "a b"], exact: true },
  ];
  home.write("approvals.json", JSON.stringify({ rules }), 0o600);
  assert.match(
    (await home.run(["approvals", "list"])).stdout,
    /^git status … +since 2026-11-29T00:00:00.000Z\nrm 'a b' *\n$/,
  );
  const unknown = await home.run(["approvals", "remove", "git statsu"]);
  assert.deepEqual([unknown.code, unknown.stdout], [3, ""]);
  assert.match(unknown.stderr, /There is no command rule "git statsu"\. Did you mean "git status …"\?/);
  const removed = await home.run(["approvals", "remove", "git status", "--json"]);
  assert.equal((JSON.parse(removed.stdout) as { removed: { text: string }[] }).removed[0]?.text, "git status …");
  assert.equal((await home.run(["approvals", "remove", "rm 'a b'"])).stdout, "Removed: rm 'a b'\n");
  assert.deepEqual(await rulesOf(home), []);
});

test("the agent can neither read nor write the rules, nor remove one, nor answer for the user", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline }\nsandbox: { tools: off }\n");
  const file = home.write("approvals.json", '{"rules":[{"words":["echo"]}]}', 0o600);
  const before = home.read("approvals.json");
  const calls = [
    `@write_file ${JSON.stringify({ path: file, content: "{}" })}`,
    `@patch ${JSON.stringify({ path: file, old_string: "echo", new_string: "rm" })}`,
    `@read_file ${JSON.stringify({ path: file })}`,
    `@terminal ${JSON.stringify({ command: `echo '{}' > '${file}'` })}`,
    `@terminal ${JSON.stringify({ command: `cp /dev/null "$HERMES_HOME/approvals.json"` })}`,
    `@terminal ${JSON.stringify({ command: `${HERMES} approvals remove echo` })}`,
  ];
  const results = await resultsOf(home, calls.join("\n"));
  assert.equal(results.length, calls.length);
  for (const [index, content] of results.slice(0, 5).entries())
    assert.match(content, /^\{"error"/, `${index}: ${content}`);
  assert.match(results[5]!, /started by a tool of an agent|inside|agent/);
  assert.equal(home.read("approvals.json"), before);
});

test("a hermes that the agent starts in a terminal of its own asks nobody", { skip: noPty }, async (t) => {
  const home = withApprovals(t);
  home.write("approvals.json", JSON.stringify({ rules: [{ words: ["script"] }] }), 0o600);
  const inner = `${HERMES} chat -q '!touch made'`.replaceAll('"', "");
  const command = `script -qfec "${inner}" /dev/null`;
  const [content] = await resultsOf(home, `@terminal ${JSON.stringify({ command })}`);
  assert.match(content!, /nobody can be asked here/);
});

test("its settings choose other tools; wrong ones block instead of letting everything through", async (t) => {
  const other = withApprovals(t, ", entries: { approvals: { settings: { tools: [read_file] } } }");
  const results = await resultsOf(other, '@terminal {"command":"echo ran"}\n@read_file {"path":"x"}');
  assert.deepEqual(
    results.map((content) => content.includes("wants your approval")),
    [false, true],
  );
  const wrong = withApprovals(t, ", entries: { approvals: { settings: { tools: terminal } } }");
  assert.match(
    (await resultsOf(wrong, '@terminal {"command":"echo ran"}'))[0]!,
    /its setting \\"tools\\" must be a list/,
  );
});
