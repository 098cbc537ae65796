/** A home that changes while a program runs: what is taken over, what stays, and that no event meets both or neither. */
import test from "node:test";
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Home } from "../helpers/hermes.ts";
import { startHost as start } from "../helpers/hosts.ts";
import { until } from "../helpers/poll.ts";

/** A plugin that records each event with the version of its helper, at its begin and, a little later, at its end. */
function recorder(home: Home): void {
  home.plugin(
    "recorder",
    `import { appendFileSync } from "node:fs";
     import { version } from "./version.ts";
     const note = (file: string, text: string) => appendFileSync(${JSON.stringify(home.path)} + "/" + file, text + "\\n");
     export function register(ctx: any) {
       note("loads", String(version) + " " + String(ctx.settings.save));
       ctx.register_hook("post_tool_call", async ({ task_id }: any) => {
         note("begun", task_id + " " + version);
         await new Promise((wake) => setTimeout(wake, 20));
         note("ended", task_id + " " + version);
       });
       ctx.on_unload(() => note("unloads", String(version)));
     }`,
  );
  version(home, 1);
}

const version = (home: Home, number: number | string) =>
  home.write("plugins/recorder/version.ts", `export const version = ${number};\n`);

const records = (home: Home, file: string) =>
  home.has(file)
    ? home
        .read(file)
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(" ").map(Number))
    : [];

/** Every event once, and never an older version after a newer one. */
function assertComplete(home: Home, fired: number): void {
  const begun = records(home, "begun");
  assert.deepEqual(
    begun.map(([event]) => event),
    Array.from({ length: fired }, (_, event) => event),
    "each event was seen once, in order",
  );
  const versions = begun.map(([, number]) => number!);
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
    "no older version after a newer one",
  );
  const byEvent = (a: number[], b: number[]) => a[0]! - b[0]!;
  assert.deepEqual(records(home, "ended").toSorted(byEvent), begun, "each ended on the version that it began with");
}

test("under a stream of events a plugin's helper is saved again and again: none is missed, none is seen twice", async (t) => {
  const home = new Home(t);
  recorder(home);
  home.write("config.yaml", "plugins: { enabled: [recorder] }\n");
  const program = await start(t, home, ["--watch"]);
  for (const number of [2, 3, 4]) {
    version(home, number);
    await until(() => records(home, "begun").at(-1)?.[1] === number, `version ${number} runs`);
  }
  const fired = await program.end();
  assertComplete(home, fired);
  assert.deepEqual(records(home, "unloads").flat(), [1, 2, 3, 4]);
  assert.equal(program.stderr, "");
});

test("a half-written helper keeps the last good version and says so once; mended it is taken over", async (t) => {
  const home = new Home(t);
  recorder(home);
  home.write("config.yaml", "plugins: { enabled: [recorder] }\n");
  const program = await start(t, home, ["--watch"]);
  version(home, "2 +");
  await until(() => program.stderr.includes("last valid version keeps running"), "it is said");
  const before = records(home, "begun").length;
  // A change elsewhere: the broken plugin is not said again.
  home.write("config.yaml", "plugins: { enabled: [recorder] }\nagent: { max_iterations: 7 }\n");
  await until(() => program.lines().some(({ reloaded }) => reloaded === 7), "the configuration is taken over");
  await until(() => records(home, "begun").length > before, "events go on");
  assert.equal(records(home, "begun").at(-1)![1], 1);
  version(home, 3);
  await until(() => records(home, "begun").at(-1)?.[1] === 3, "the mended version runs");
  assertComplete(home, await program.end());
  // On a busy machine, hermes may also warn that a callback was slow.
  const said = program.stderr.split("\n").filter((line) => line !== "" && !line.includes("blocked the whole program"));
  assert.equal(said.length, 1, program.stderr);
  assert.match(said[0]!, /plugins\/recorder\/version\.ts:\d+: /);
});

test("a configuration saved 200 times in 2 s: few reloads, and the last one wins", async (t) => {
  const home = new Home(t);
  recorder(home);
  const save = (number: number) => {
    // As many editors do it: a temporary file, then a rename.
    home.write(
      ".config.yaml.swp",
      `plugins: { enabled: [recorder], entries: { recorder: { settings: { save: ${number} } } } }\nagent: { max_iterations: ${1000 + number} }\n`,
    );
    renameSync(join(home.path, ".config.yaml.swp"), join(home.path, "config.yaml"));
  };
  save(0);
  const program = await start(t, home, ["--watch"]);
  for (let number = 1; number <= 200; number++) {
    save(number);
    await new Promise((wake) => setTimeout(wake, 10));
  }
  await until(() => program.lines().at(-1)?.reloaded === 1200, "the last one counts");
  await until(() => records(home, "loads").at(-1)?.[1] === 200, "for the plugin, too");
  assertComplete(home, await program.end());
  const loads = records(home, "loads").length;
  assert.ok(loads <= 40, `${loads} loads`);
  assert.equal(program.stderr, "");
});

const count = (home: Home, file: string) => (home.has(file) ? home.read(file).split("\n").length - 1 : 0);

test("shell hooks come, change and go with the configuration; a bad one keeps what was, with file and line", async (t) => {
  const home = new Home(t);
  for (const name of ["first", "second"]) {
    home.script(`${name}.sh`, `cat >/dev/null; echo x >> ${home.path}/${name}\n`);
  }
  const script = (name: string) => `{ command: "${home.path}/agent-hooks/${name}.sh" }`;
  home.write("config.yaml", `hooks: { on_session_end: [${script("first")}] }\nhooks_auto_accept: true\n`);
  const program = await start(t, home, ["--watch"]);
  await until(() => count(home, "first") > 0, "the first one runs");
  home.write("config.yaml", `hooks: { on_session_end: [${script("second")}] }\nhooks_auto_accept: true\n`);
  await until(() => count(home, "second") > 0, "the second one runs");
  const first = count(home, "first");
  home.write("config.yaml", "model: { provider: offline }\nagent:\n  max_iterations: many\n");
  await until(() => program.stderr.includes("config.yaml:3: agent.max_iterations"), "the mistake is said");
  const second = count(home, "second");
  await until(() => count(home, "second") > second, "the last good one goes on");
  home.write("config.yaml", "hooks: {\n");
  await until(() => program.stderr.includes("not valid YAML"), "another mistake is said");
  home.write("config.yaml", "model: { provider: openai-compatible }\n");
  await until(() => program.stderr.includes("model.base_url is missing"), "a model that cannot answer is said");
  home.write("config.yaml", 'gateway: { platforms: { telegram: { enabled: true, token: "${HERMES_TEST_UNSET}" } } }\n');
  await until(() => program.stderr.includes("HERMES_TEST_UNSET is not set"), "an unset variable is said");
  home.write("config.yaml", "");
  await until(() => program.stderr.includes("it is empty"), "a file that is emptied is said");
  rmSync(join(home.path, "config.yaml"));
  await until(() => program.stderr.includes("it was removed"), "a file that is gone is said");
  const kept = count(home, "second");
  await until(() => count(home, "second") > kept, "the last good one still goes on");
  home.write("config.yaml", "agent: { max_iterations: 5 }\n");
  await until(() => program.lines().at(-1)?.reloaded === 5, "a good one is taken over");
  const last = count(home, "second");
  await program.end();
  assert.ok(count(home, "second") - last <= 1, "at most the one that was under way");
  assert.equal(count(home, "first"), first);
  assert.equal(program.stderr.match(/stays active/g)?.length, 6, program.stderr);
});

test("a hook that comes with a reload asks nobody: it lies dormant until it is approved", async (t) => {
  const home = new Home(t);
  const command = home.script("new.sh", `cat >/dev/null; echo x >> ${home.path}/ran\n`);
  home.write("config.yaml", "{}\n");
  const program = await start(t, home, ["--watch"]);
  home.write("config.yaml", `hooks: { on_session_end: [{ command: "${command}" }] }\n`);
  await until(() => program.stderr.includes("1 shell hook is not approved"), "it is said");
  assert.match(program.stderr, /--accept-hooks.*HERMES_ACCEPT_HOOKS=1.*hooks_auto_accept/);
  assert.equal(home.has("ran"), false);
  assert.equal((await home.run(["hooks", "allow", "on_session_end", command])).code, 0);
  await until(() => home.has("ran"), "it runs once it is approved");
  await program.end();
});

test("what appears late, is deleted and made again, is a link or a circle of links is watched", async (t) => {
  const home = new Home(t);
  const away = join(home.work, "away");
  mkdirSync(away);
  writeFileSync(join(away, "settings.yaml"), "plugins: { enabled: [recorder] }\n");
  symlinkSync(join(away, "settings.yaml"), join(home.path, "config.yaml"));
  mkdirSync(join(home.path, "hooks"));
  symlinkSync("..", join(home.path, "hooks", "circle"));
  const program = await start(t, home, ["--watch"]);
  assert.match(program.stderr, /there is no plugin "recorder"/);
  recorder(home);
  await until(() => records(home, "begun").length > 0, "the folder plugins/ appeared");
  const early = records(home, "begun")[0]![0]!;
  version(home, 2);
  await until(() => records(home, "begun").at(-1)?.[1] === 2, "a plugin that came late is watched whole");
  rmSync(join(home.path, "plugins"), { recursive: true });
  await until(() => records(home, "unloads").length === 2, "the folder is gone, and the plugin with it");
  recorder(home);
  version(home, 3);
  await until(() => records(home, "begun").at(-1)?.[1] === 3, "the folder was made again");
  // A plugin that is a link, and a configuration behind a link.
  renameSync(join(home.path, "plugins/recorder"), join(away, "recorder"));
  symlinkSync(join(away, "recorder"), join(home.path, "plugins/recorder"));
  writeFileSync(join(away, "recorder/version.ts"), "export const version = 4;\n");
  await until(() => records(home, "begun").at(-1)?.[1] === 4, "code behind a link is watched");
  const reloads = program.lines().length;
  rmSync(join(home.path, "hooks"), { recursive: true });
  await until(() => program.lines().length > reloads, "the folder hooks/ is gone");
  writeFileSync(join(away, "settings.yaml"), "plugins: { enabled: [recorder] }\nagent: { max_iterations: 9 }\n");
  await until(() => program.lines().at(-1)?.reloaded === 9, "a configuration behind a link is watched");
  await program.end();
  const events = records(home, "begun").map(([event]) => event!);
  assert.equal(new Set(events).size, events.length, "no event was seen twice");
  assert.ok(early >= 0);
});

test("data that hooks and plugins write in their folders, packages and temporary files cause no reload", async (t) => {
  const home = new Home(t);
  recorder(home);
  home.write("hooks/watch/HOOK.yaml", "name: watch\nevents: [agent:end]\n");
  home.write("config.yaml", "plugins: { enabled: [recorder] }\n");
  const program = await start(t, home, ["--watch", "--quiet"]);
  const reloaded = () => program.lines().filter((line) => line.reloaded !== undefined).length;
  await until(() => reloaded() > 0, "the first look is over");
  const before = reloaded();
  for (let round = 0; round < 10; round++) {
    home.write("hooks/watch/activity.log", `${round}\n`);
    home.write("plugins/recorder/state.json", `${round}\n`);
    home.write("plugins/recorder/node_modules/x/index.js", `${round}\n`);
    home.write("plugins/recorder/.git/index.js", `${round}\n`);
    home.write("plugins/recorder/.version.ts.swp", `${round}\n`);
    home.write("plugins/other/index.ts", `${round}\n`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
  const marked = before + 1;
  home.write("hooks/watch/HOOK.yaml", "name: watch\nevents: [agent:start]\n");
  await until(() => reloaded() >= marked, "the manifest of a hook counts");
  home.write("config.yaml", "plugins: { enabled: [recorder] }\nagent: { max_iterations: 77 }\n");
  await until(
    () => program.lines().at(-1)?.reloaded === 77,
    "the configuration counts, and comes after all that was written",
  );
  // New folders (node_modules, .git's plugin, plugins/other) may each be looked at once.
  assert.ok(reloaded() <= marked + 3, `${reloaded() - before} reloads`);
  assert.equal(records(home, "loads").length, 1);
  await program.end();
});

test("JSON that code imports is watched, also when the file or the import comes later", async (t) => {
  const home = new Home(t);
  const entry = (file: string) => `import { appendFileSync, existsSync } from "node:fs";
    import data from "./${file}" with { type: "json" };
    appendFileSync(${JSON.stringify(home.path)} + "/loads", data.n + " 0\\n");
    export const register = () => undefined;`;
  home.plugin("data", entry("first.json"));
  const write = (file: string, n: number) => home.write(`plugins/data/${file}`, JSON.stringify({ n }));
  const loaded = (n: number) => until(() => records(home, "loads").at(-1)?.[0] === n, `it is loaded with ${n}`);
  write("second.json", 20);
  home.write("config.yaml", "plugins: { enabled: [data] }\n");
  const program = await start(t, home, ["--watch", "--quiet"]);
  assert.match(program.stderr, /first\.json/, "its data is missing");
  write("first.json", 10);
  await loaded(10);
  write("first.json", 11);
  await loaded(11);
  home.write("plugins/data/index.ts", entry("second.json"));
  await loaded(20);
  write("second.json", 21);
  await loaded(21);
  await program.end();
});

test("10,000 folders: one warning, and what is watched goes on", async (t) => {
  const home = new Home(t);
  for (let number = 0; number < 10_000; number++) mkdirSync(join(home.path, `hooks/h${number}`), { recursive: true });
  home.write("config.yaml", "{}\n");
  const program = await start(t, home, ["--watch"]);
  assert.match(program.stderr, /only 5000 files and folders .* are watched/);
  home.write("config.yaml", "agent: { max_iterations: 11 }\n");
  await until(() => program.lines().at(-1)?.reloaded === 11, "the configuration is watched");
  await program.end();
  assert.equal(program.stderr.split("\n").filter(Boolean).length, 1, program.stderr);
});

const reloadNow = async (home: Home) => {
  const { code, stdout, stderr } = await home.run(["hooks", "reload", "--json"]);
  const { processes } = JSON.parse(stdout) as {
    processes: { pid: number; command: string; ok: boolean; changes: string[]; problems: string[] }[];
  };
  return { code, processes, stderr };
};

test("hooks reload asks every process now and says what each took over, and what it could not", async (t) => {
  const home = new Home(t);
  recorder(home);
  home.write("config.yaml", "plugins: { enabled: [recorder] }\n");
  const [one, two] = [await start(t, home, ["--quiet"]), await start(t, home, ["--quiet"])];
  const live = JSON.parse((await home.run(["hooks", "list", "--live", "--json"])).stdout) as {
    processes: { hooks: { name: string; source: string }[] }[];
  };
  assert.deepEqual(
    live.processes.map(({ hooks }) => hooks.map(({ source, name }) => `${source} ${name}`)),
    Array.from({ length: 2 }, () => ["plugin recorder", "worker folder"]),
  );

  const nothing = await reloadNow(home);
  assert.equal(nothing.code, 0);
  assert.deepEqual(
    nothing.processes.map(({ pid, ok, changes, problems }) => ({ pid, ok, changes, problems })),
    [one.child.pid!, two.child.pid!]
      .toSorted((a, b) => a - b)
      .map((pid) => ({ pid, ok: true, changes: [], problems: [] })),
  );

  version(home, 2);
  home.write("config.yaml", "plugins: { enabled: [recorder] }\npython: python9\n");
  const changed = await reloadNow(home);
  assert.equal(changed.code, 0, JSON.stringify(changed));
  for (const { changes } of changed.processes) {
    assert.deepEqual(changes, ["configuration: python", "plugins reloaded: recorder", "python is python9"]);
  }

  home.write("config.yaml", "plugins: [\n");
  const bad = await reloadNow(home);
  assert.equal(bad.code, 1);
  for (const { ok, problems } of bad.processes) {
    assert.equal(ok, false);
    assert.match(problems.join(), /config\.yaml:\d+: not valid YAML.*stays active/);
  }
  home.write("config.yaml", "plugins: { enabled: [recorder] }\npython: fails\n");
  const failed = await reloadNow(home);
  assert.deepEqual([failed.code, failed.processes[0]?.problems], [1, ["this part cannot take it over"]]);
  const text = await home.run(["hooks", "reload"]);
  assert.match(
    text.stdout,
    new RegExp(`^${Math.min(one.child.pid!, two.child.pid!)} hermes .*: not everything was applied`),
  );

  await one.end();
  await two.end();
  const none = await reloadNow(home);
  assert.deepEqual([none.code, none.processes], [4, []]);
  assert.match(none.stderr, /No hermes process is running hooks/);
  assert.deepEqual([home.has(`run/${one.child.pid}.json`), home.has(`run/${two.child.pid}.json`)], [false, false]);
});

test("a process that hangs does not answer: 1, and nothing is left lying", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "{}\n");
  const program = await start(t, home, ["--quiet"]);
  await until(() => home.has(`run/${program.child.pid}.json`), "it is known");
  program.child.kill("SIGSTOP");
  const { code, processes } = await reloadNow(home);
  assert.equal(code, 1);
  assert.deepEqual(processes[0]?.problems, ["It did not answer within 10 s."]);
  program.child.kill("SIGCONT");
  await program.end();
  assert.deepEqual(
    readdirSync(join(home.path, "run")).filter((name) => name.includes("reload")),
    [],
  );
});

test("a chat takes over what has changed in the midst of a turn", async (t) => {
  const home = new Home(t);
  recorder(home);
  home.plugin(
    "guard",
    `import { word } from "./word.ts";
     export function register(ctx) {
       ctx.register_hook("pre_tool_call", ({ args }) => args.command === "echo two" ? { action: "block", message: word } : null);
     }`,
  );
  home.write("plugins/guard/word.ts", 'export const word = "the old guard";\n');
  home.write("config.yaml", "plugins: { enabled: [guard] }\n");
  const gate = join(home.work, "go");
  const running = home.start([
    "chat",
    "-q",
    `run \`echo waiting; while [ ! -e ${gate} ]; do sleep 0.05; done\` then run \`echo two\``,
    "--output-format",
    "stream-json",
  ]);
  t.after(() => running.kill("SIGKILL"));
  await running.sees('"tool_use"');
  await until(() => home.has(`run/${running.pid}.json`), "the chat is known");
  home.write("plugins/guard/word.ts", 'export const word = "the new guard";\n');
  const { code, processes } = await reloadNow(home);
  assert.deepEqual([code, processes.map(({ changes }) => changes)], [0, [["plugins reloaded: guard"]]]);
  assert.match(processes[0]!.command, /^hermes chat -q /);
  appendFileSync(gate, "");
  const { stdout, code: ended } = await running.ended;
  assert.equal(ended, 0);
  assert.match(stdout, /the new guard/);
  assert.doesNotMatch(stdout, /the old guard/);
  assert.doesNotMatch(readFileSync(join(home.path, "logs/hermes.log"), "utf8"), /"level":50/);
});
