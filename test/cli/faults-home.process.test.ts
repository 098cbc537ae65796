/** Homes that take no writes, hold a damaged or a newer file, or a configuration that is wrong. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { mountDisk, type Disk } from "../helpers/disk.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, type Ended } from "../helpers/hermes.ts";

const TURN = ["chat", "-q", "run `echo still-here`"];

function assertOneWarning({ code, stdout, stderr }: Ended, warning: RegExp): void {
  assert.equal(code, 0, stderr);
  assert.match(stdout, /still-here/);
  const warnings = stderr.split("\n").filter((line) => !line.startsWith("·") && line !== "");
  // Each log that cannot be written has a warning of its own.
  const logs = warnings.filter((line) => /^warning: \S+\/logs\/\S+ cannot be written: /.test(line));
  assert.equal(new Set(logs).size, logs.length, stderr);
  const others = warnings.filter((line) => !logs.includes(line));
  assert.equal(others.length, 1, stderr);
  assert.match(others[0]!, warning);
}

test("a full disk: a configuration that does not fit any more stays as it was", async (t) => {
  const disk = mountDisk(t);
  if (disk === undefined) return;
  const config = `# ${"x".repeat(12_000)}\nplugins:\n  enabled: []\n`;
  writeFileSync(join(disk.path, "config.yaml"), config, { mode: 0o600 });
  mkdirSync(join(disk.path, "plugins", "demo"), { recursive: true });
  writeFileSync(join(disk.path, "plugins", "demo", "plugin.yaml"), "name: demo\n");
  writeFileSync(join(disk.path, "plugins", "demo", "index.ts"), "export function register() {}\n");
  disk.fill();
  // Room for the first page of the new file, not for all of it.
  truncateSync(join(disk.path, "filler"), statSync(join(disk.path, "filler")).size - 4096);
  const { code, stderr } = await disk.run(["plugins", "enable", "demo"]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /config\.yaml/);
  assert.equal(readFileSync(join(disk.path, "config.yaml"), "utf8"), config);
});

test("a full disk: the conversation continues with one warning, even if it started earlier", async (t) => {
  const disk = mountDisk(t);
  if (disk === undefined) return;
  await disk.run(["chat", "-q", "remember 7"]);
  disk.fill();
  assertOneWarning(await disk.run(TURN), /^warning: This session will not be saved: .*state\.db cannot be used/);
  assertOneWarning(
    await disk.run(["chat", "-c", "-q", "run `echo still-here`"]),
    /^warning: This session will not be saved/,
  );
  assert.match((await disk.run(["sessions", "show", "latest"])).stdout, /remember 7/);
});

test("a disk that fills up in the middle: one warning, and the turn completes", async (t) => {
  const disk = mountDisk(t);
  if (disk === undefined) return;
  const filler = join(disk.path, "filler");
  // Neither the sandbox nor the guard lets a command write into the home; without the sandbox, a script can.
  writeFileSync(join(disk.path, "config.yaml"), "sandbox: { tools: off }\n");
  const script = join(dirname(disk.path), "fill.sh");
  writeFileSync(script, `head -c 4000000 /dev/zero > ${filler}\n`);
  const fill = `@terminal ${JSON.stringify({ command: `sh ${script}` })}`;
  const ended = await disk.run(["chat", "-q", `${fill}\nand now\n@terminal {"command":"echo still-here"}`]);
  assertOneWarning(ended, /^warning: New messages will not be saved: .*state\.db cannot be written/);
});

test("a read-only home: one warning for each file, the hooks that were asked for run, and what is there can be read", async (t) => {
  const disk = mountDisk(t);
  if (disk === undefined) return;
  await disk.run(["chat", "-q", "remember 7"]);
  writeFileSync(
    join(disk.path, "config.yaml"),
    `hooks: { pre_llm_call: [{ command: "echo '{\\"context\\":\\"from-the-hook\\"}'" }] }\n`,
  );
  disk.freeze();
  const args = ["--accept-hooks", "chat", "-c", "-q", "still-here, and"];
  const ended = await disk.run(args);
  assertOneWarning(ended, /^warning: This session will not be saved: .*EROFS/);
  assert.match(ended.stdout, /still-here, and\n\nfrom-the-hook/);
  assert.match((await disk.run(["sessions", "show", "latest"])).stdout, /remember 7/);
  for (const command of [
    ["plugins", "new", "mine"],
    ["hooks", "allow", "--all"],
    ["sessions", "delete", await latest(disk), "--yes"],
  ]) {
    const { code, stderr } = await disk.run(command);
    assert.equal(code, 1, command.join(" "));
    assert.match(stderr, /^hermes: \/.* cannot be (written|used): .*\n$/i, command.join(" "));
  }
});

async function latest({ run }: Disk): Promise<string> {
  const { stdout } = await run(["sessions", "list", "--json"]);
  return (JSON.parse(stdout) as { sessions: { id: string }[] }).sessions[0]?.id ?? "";
}

test("a state.db that is a folder: one warning; commands for sessions end with 1", async (t) => {
  const home = new Home(t);
  mkdirSync(join(home.path, "state.db"));
  assertOneWarning(await home.run(TURN), /^warning: This session will not be saved: .*state\.db cannot be used: /);
  const { code, stderr } = await runInProcess(home, ["sessions", "list"]);
  assert.equal(code, 1);
  assert.match(stderr, /^hermes: .*state\.db cannot be used: .*\n$/);
});

test("a state.db of a newer program ends the start with a sentence and is not touched", async (t) => {
  const home = new Home(t);
  const database = new DatabaseSync(join(home.path, "state.db"));
  database.exec("CREATE TABLE future (x); PRAGMA user_version = 99");
  database.close();
  const before = readFileSync(join(home.path, "state.db"));
  for (const args of [TURN, ["sessions", "list"]]) {
    const { code, stdout, stderr } = await home.run(args);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^hermes: .*newer hermes \(schema 99; this version supports up to \d+\)\. Update hermes, or .*\n$/,
    );
  }
  assert.deepEqual(readFileSync(join(home.path, "state.db")), before);
  assert.equal((await runInProcess(home, ["hooks", "list"])).code, 0);
});

const LEVELS = "abcdefghi".split("").map(
  (name, index, names) =>
    `${name}: &${name} [${Array(9)
      .fill(index === 0 ? "x" : `*${names[index - 1]}`)
      .join()}]`,
);

for (const [name, text, problem] of [
  ["tabs", "model:\n\tprovider: offline\n", /config\.yaml:2: not valid YAML: Tabs are not allowed/],
  ["bad YAML", "model: {provider: [offline\n", /config\.yaml:\d: not valid YAML: /],
  ["a key twice", "model: {}\nmodel: {}\n", /config\.yaml:2: not valid YAML: /],
  ["an alias bomb", LEVELS.join("\n"), /config\.yaml: not valid YAML: .*alias/],
  ["a list", "- model\n", /config\.yaml:1: expected a mapping of sections/],
  [
    "a wrong type",
    "plugins:\n  enabled: yes please\n",
    /config\.yaml:2: plugins\.enabled: expected a list, found "yes/,
  ],
  ["a number too small", "agent: { max_iterations: 0 }\n", /agent\.max_iterations: expected at least 1, found 0/],
  ["an unknown provider", "model: { provider: opnai }\n", /model\.provider: expected one of offline, openai,/],
  ["a variable that is not set", "model: { base_url: '${NOT_SET}' }\n", /model\.base_url: .*NOT_SET is not set/],
] as const) {
  test(`a configuration with ${name} is 2, in one sentence and the line, and nothing starts`, async (t) => {
    const home = new Home(t);
    home.write("config.yaml", text);
    const { code, stdout, stderr } = await home.run(TURN);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, problem);
    assert.match(stderr, /^hermes: .*\n(?: +\d* \| .*\n)*$/);
    assert.ok(!home.has("state.db"));
  });
}

test("unknown keys and hooks of the wrong shape cause warnings, and the conversation continues", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "modle: {}\nmodel: { provder: x }\nhooks: { pre_tool_call: { command: x }, post: [] }\n");
  const { code, stdout, stderr } = await home.run(TURN);
  assert.equal(code, 0);
  assert.match(stdout, /still-here/);
  assert.match(stderr, /config\.yaml:1: unknown key "modle", ignored\. Did you mean "model"\?/);
  assert.match(stderr, /config\.yaml:2: unknown key "model\.provder", ignored\. Did you mean "provider"\?/);
  assert.match(stderr, /hooks\.pre_tool_call: expected a list of entries, found a mapping; ignored/);
});
