/** The built-in plugin boot-md: the checklist that runs when the gateway has started. */
import test from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";
import { startHost, type RunningHost } from "../helpers/hosts.ts";

const ARGS = ["--startup", "--quiet"];
const delivered = (host: RunningHost) => host.lines().filter((line) => line.delivered !== undefined);
const log = (home: Home) => (home.has("logs/hermes.log") ? home.read("logs/hermes.log") : "");

async function sessions(home: Home): Promise<{ source: string; platform: string }[]> {
  const { stdout } = await home.run(["sessions", "list", "--json"]);
  return (JSON.parse(stdout) as { sessions: { source: string; platform: string }[] }).sessions;
}

test("BOOT.md runs in its own session without delaying the start; its answer goes to the home channel and the log", async (t) => {
  const home = new Home(t);
  const gate = join(home.work, "go");
  home.write("BOOT.md", `1. run \`while [ ! -e ${gate} ]; do sleep 0.05; done; echo all-$((40 + 2))\`\n`);
  // Ready is said behind the startup event: the turn waits for us, the start does not wait for the turn.
  const host = await startHost(t, home, ARGS);
  await until(() => host.stderr.includes("boot-md: "), "it says that it runs");
  assert.equal(host.stderr, `boot-md: ${home.path}/BOOT.md runs now, in a session of its own.\n`);
  assert.deepEqual(delivered(host), []);
  writeFileSync(gate, "");
  await until(() => delivered(host).length > 0, "the answer is delivered");
  assert.match(delivered(host)[0]!.delivered!, /all-42/);
  await host.end();
  assert.deepEqual(
    (await sessions(home)).map(({ source, platform }) => [source, platform]),
    [["plugin:boot-md", "gateway"]],
  );
  assert.match(log(home), /BOOT\.md runs now/);
  assert.match(log(home), /the answer to [^\n]*all-42/);
});

test("observers get the start of the checklist's session before its turn, and its end", async (t) => {
  const home = new Home(t);
  home.plugin(
    "watcher",
    `import { appendFileSync } from "node:fs";
     const seen = process.env.HERMES_HOME + "/seen";
     const note = (event, { session_id }) => appendFileSync(seen, event + " " + session_id + "\\n");
     export function register(ctx) {
       for (const event of ["tui:session.info", "tui:message.start", "session:*"]) ctx.on(event, note);
       ctx.register_hook("on_session_finalize", (payload) => note("on_session_finalize", payload));
     }`,
  );
  home.write("config.yaml", "plugins: { enabled: [watcher] }\n");
  home.write("BOOT.md", "look around\n");
  const host = await startHost(t, home, ARGS);
  await until(() => delivered(host).length > 0, "the answer is delivered");
  await host.end();
  const seen = home
    .read("seen")
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  assert.deepEqual(
    seen.map(([event]) => event),
    ["tui:session.info", "session:start", "tui:message.start", "session:end", "on_session_finalize"],
  );
  assert.equal(new Set(seen.map(([, id]) => id)).size, 1);
});

for (const answer of ["[SILENT]", "  **[silent]**.\n", "`[SILENT]`"]) {
  test(`an answer ${JSON.stringify(answer)} is nobody's message`, async (t) => {
    const home = new Home(t);
    home.plugin(
      "answers",
      `export const register = (ctx) => ctx.register_hook("transform_llm_output", () => ${JSON.stringify(answer)});`,
    );
    home.write("config.yaml", "plugins: { enabled: [answers] }\n");
    home.write("BOOT.md", "look around\n");
    const host = await startHost(t, home, ARGS);
    await until(() => log(home).includes("the answer to"), "it has answered");
    await host.end();
    assert.deepEqual(delivered(host), []);
  });
}

test("an answer that speaks of [SILENT] is delivered, one without a home channel is in the log with a note", async (t) => {
  const home = new Home(t);
  home.write("BOOT.md", "$ echo 'not [SILENT] at all'\n");
  const host = await startHost(t, home, ARGS);
  await until(() => delivered(host).length > 0, "the answer is delivered");
  await host.end();
  const alone = await startHost(t, home, [...ARGS, "--no-channel"]);
  await until(() => alone.stderr.includes("is in the log only: "), "it is said");
  await alone.end();
  assert.match(log(home), /the answer to [^\n]*at all/);
});

for (const [what, prepare] of [
  ["no file", () => undefined],
  ["an empty file", (home: Home) => home.write("BOOT.md", "")],
  ["a blank file", (home: Home) => home.write("BOOT.md", " \n\t\n")],
  [
    "a disabled plugin",
    (home: Home) => {
      home.write("BOOT.md", "$ echo never\n");
      home.write("config.yaml", "plugins: { disabled: [boot-md] }\n");
    },
  ],
] as const) {
  test(`${what}: nothing runs, nothing is said`, async (t) => {
    const home = new Home(t);
    prepare(home);
    const host = await startHost(t, home, ARGS);
    await host.end();
    assert.equal(host.stderr, "");
    assert.deepEqual([delivered(host), await sessions(home)], [[], []]);
  });
}

test("what cannot be run is said: a folder, far too much text, a turn that does not end well", async (t) => {
  const home = new Home(t);
  mkdirSync(join(home.path, "BOOT.md"));
  const folder = await startHost(t, home, ARGS);
  await until(() => folder.stderr.includes("was not run: it is not a file"), "a folder");
  await folder.end();
  const other = new Home(t);
  other.write("BOOT.md", "x".repeat(300_000));
  const large = await startHost(t, other, ARGS);
  await until(() => large.stderr.includes("was not run: it is larger than 256 KiB"), "too much");
  await large.end();
  other.write("BOOT.md", "$ echo one\n$ echo two\n$ echo three\n");
  other.write("config.yaml", "agent: { max_iterations: 1 }\n");
  const limited = await startHost(t, other, ARGS);
  await until(() => limited.stderr.includes("was not worked through to its end"), "the limit");
  await limited.end();
  assert.deepEqual(delivered(limited), []);
  assert.match(log(other), /limit of 1 model requests/);
});

test("plugins list shows it; a user's plugin of the same name replaces it; it can be disabled and enabled", async (t) => {
  const home = new Home(t);
  const listed = async () => {
    const { stdout } = await home.run(["plugins", "list", "--json"]);
    const { plugins } = JSON.parse(stdout) as {
      plugins: { name: string; directory: string; state: string; error?: string }[];
    };
    const named = plugins.filter(({ name }) => name === "boot-md");
    return named.map(({ directory, state, error }) => [directory, state, error]);
  };
  assert.deepEqual(await listed(), [["builtin", "enabled", undefined]]);
  assert.equal((await home.run(["plugins", "disable", "boot-md"])).code, 0);
  assert.deepEqual(await listed(), [["builtin", "disabled", undefined]]);
  assert.equal((await home.run(["hooks", "doctor"])).code, 0);
  assert.equal((await home.run(["plugins", "enable", "boot-md"])).code, 0);
  assert.deepEqual(await listed(), [["builtin", "enabled", undefined]]);
  home.plugin("mine", "export function register() {}", { manifest: "name: boot-md\n" });
  home.write("config.yaml", "plugins: { enabled: [mine] }\n");
  home.write("BOOT.md", "$ echo never\n");
  assert.deepEqual(await listed(), [
    ["mine", "enabled", undefined],
    ["builtin", "disabled", "plugins/mine replaces it."],
  ]);
  const host = await startHost(t, home, ARGS);
  await host.end();
  assert.deepEqual([host.stderr, delivered(host)], ["", []]);
});
