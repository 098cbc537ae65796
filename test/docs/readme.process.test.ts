/** What the README, docs/config.md and docs/cli.md tell people to type, typed as it stands there by a new user. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { countBlocks, examplesOf, Newcomer } from "../helpers/examples.ts";
import { framesOf, ROOT } from "../helpers/hermes.ts";

const readme = examplesOf("README.md", "sh");
const config = { sh: examplesOf("docs/config.md", "sh"), yaml: examplesOf("docs/config.md", "yaml") };
const cli = examplesOf("docs/cli.md", "sh");

test("every block of the pages is an example with a name of its own", () => {
  // The README's first block is the two commands, which install and test everything: a fresh clone tries those.
  // Two more install hermes, as test/house/pack.process.test.ts does.
  assert.equal(countBlocks("README.md", "sh"), readme.size + 3);
  assert.equal(countBlocks("docs/config.md", "sh"), config.sh.size);
  assert.equal(countBlocks("docs/config.md", "yaml"), config.yaml.size);
  assert.equal(countBlocks("docs/cli.md", "sh"), cli.size);
});

test("the README's five minutes, one after the other", async (t) => {
  const newcomer = new Newcomer(t);
  const seen: string[] = [];
  const promises: Record<string, (stdout: string, stderr: string) => void> = {
    "readme-talk": (stdout, stderr) => {
      assert.match(stdout, /terminal returned .*"output":"hello\\n"/);
      assert.match(stdout, /offline model/);
      assert.match(stderr, /terminal .*echo hello/);
    },
    "readme-guard": (stdout, stderr) => {
      assert.match(stdout, /no-rm\.sh/);
      assert.match(stdout, /rm -rf is not allowed/);
      assert.match(stderr, /blocked pre_tool_call: rm -rf is not allowed/);
      assert.match(readFileSync(join(newcomer.home, ".hermes/shell-hooks-allowlist.json"), "utf8"), /no-rm\.sh/);
    },
    "readme-plugin": (stdout, stderr) => {
      assert.match(stdout, /my-plugin +enabled/);
      assert.match(stdout, /hello/);
      assert.doesNotMatch(stderr, /error|warning/);
      assert.ok(existsSync(join(newcomer.home, ".hermes/plugins/my-plugin/index.ts")));
    },
    "readme-gateway": (stdout) => {
      assert.match(stdout, /"object":"chat\.completion".*hello from curl/);
      assert.match(
        readFileSync(join(newcomer.home, ".hermes/logs/hermes.log"), "utf8"),
        /agent:end: hello from curl -> /,
      );
    },
    "readme-task": (stdout) => {
      assert.match(stdout, /TASK.*STATUS.*\n\w+ .*(queued|running)/);
      assert.match(stdout, /terminal returned .*"output":"done\\n"/);
    },
  };
  for (const [name, block] of readme) {
    const { code, stdout, stderr } = await newcomer.run(block, { cwd: ROOT });
    assert.equal(code, 0, `${name}: ${stdout}\n${stderr}`);
    promises[name]?.(stdout, stderr);
    seen.push(name);
  }
  assert.deepEqual(seen, Object.keys(promises));
});

test("docs/config.md: the example with everything passes the check, which an editor's schema goes with", async (t) => {
  const newcomer = new Newcomer(t);
  const home = join(newcomer.home, ".hermes");
  mkdirSync(home);
  writeFileSync(join(home, "config.yaml"), config.yaml.get("config-full")!);
  const env = { MY_KEY: "a-key" };
  const { code, stdout, stderr } = await newcomer.run(config.sh.get("config-check")!, { env });
  assert.deepEqual([code, stderr], [0, ""], stdout);
  assert.doesNotMatch(stdout, /a-key/);
  const schema = JSON.parse(readFileSync(join(home, "config.schema.json"), "utf8")) as { properties: object };
  for (const [, section = ""] of config.yaml.get("config-full")!.matchAll(/^(\w+):/gm))
    assert.ok(section in schema.properties, section);
  const unset = await newcomer.run("hermes config check");
  assert.equal(unset.code, 2);
  assert.match(unset.stderr, /config\.yaml:5: model\.api_key: .*MY_KEY/);
});

test("docs/cli.md: the ways to chat", async (t) => {
  const newcomer = new Newcomer(t);
  const { code, stdout, stderr } = await newcomer.run(`git init -q .\n${cli.get("cli-chat")!}`);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /terminal returned[^]*\nhello[^]*\nexplain\n\n.*On branch[^]*and now\?/);
  const listed = await newcomer.run("hermes sessions list --json");
  const { sessions } = JSON.parse(listed.stdout) as { sessions: { message_count: number }[] };
  assert.deepEqual(
    sessions.map(({ message_count }) => message_count),
    [4, 2, 4, 2],
    "the last command went on with the fourth session",
  );
});

test("docs/cli.md: completion is set up in bash", async (t) => {
  const newcomer = new Newcomer(t);
  const { code, stdout, stderr } = await newcomer.run(`${cli.get("cli-complete")!}\ncomplete -p hermes`);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^complete .*hermes$/m);
});

test("docs/cli.md: the types of stream-json are those that are printed, with the keys that the table names", async (t) => {
  const newcomer = new Newcomer(t);
  const table = new Map(
    [...readFileSync(join(ROOT, "docs/cli.md"), "utf8").matchAll(/^\| `(\w+)`(?: \([^)]*\))? +\| (.*?) +\|$/gm)].map(
      ([, type, keys]) => [type!, [...keys!.split(/: |, and /)[0]!.matchAll(/`(\w+)`/g)].map((key) => key[1]!)],
    ),
  );
  assert.equal(table.size, 12);
  const home = join(newcomer.home, ".hermes");
  mkdirSync(join(home, "plugins/p"), { recursive: true });
  writeFileSync(join(home, "plugins/p/plugin.yaml"), "name: p\n");
  writeFileSync(
    join(home, "plugins/p/index.js"),
    'export const register = (ctx) => ctx.register_hook("pre_llm_call", () => ({ context: "more" }));\n',
  );
  writeFileSync(join(home, "config.yaml"), "plugins: { enabled: [p] }\n");
  const ended = await newcomer.run("hermes chat -q 'run `ls`' --output-format stream-json");
  const types = new Set<string>();
  for (const frame of framesOf(ended)) {
    const type = String(frame["type"]);
    types.add(type);
    for (const key of table.get(type) ?? [`nothing about ${type} in the table`])
      assert.ok(key in frame, `${type}.${key}`);
  }
  assert.ok(types.size >= 8, [...types].join(" "));
});
