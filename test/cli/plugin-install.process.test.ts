/** `hermes plugins install`, `update` and `remove`, from a folder, a git repository and a registry. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, type Ended, type StartOptions } from "../helpers/hermes.ts";
import { startPackageRegistry } from "../helpers/package-registry.ts";
import { noPty } from "../helpers/pty.ts";

const MANIFEST = `name: weather
version: 1.0.0
description: tells the weather
provides_hooks: [pre_tool_call]
requires_env: [WEATHER_KEY]
`;
const ENTRY = `import { word } from "./lib/word.ts";
export const register = (ctx) => ctx.register_command({ name: "weather", description: "", handler: () => word });
`;
const FILES = { "plugin.yaml": MANIFEST, "index.ts": ENTRY, "lib/word.ts": 'export const word: string = "sunny";\n' };

interface Installed {
  readonly name: string;
  readonly directory: string;
  readonly version: string | null;
  readonly source: string;
  readonly ref: string | null;
  readonly resolved: string | null;
}

test("a folder: it is shown and copied, nothing is enabled, and a change is noticed until the update", async (t) => {
  const home = new Home(t);
  const folder = source(home, { ...FILES, ".git/config": "", "data/a.json": "{}" });
  const { code, stdout, stderr } = await runInProcess(home, ["plugins", "install", "./source", "--yes"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Installed .*plugins\/weather\n$/);
  assert.match(stderr, /weather 1\.0\.0: tells the weather\n +from +\/.*source\n +provides +pre_tool_call\n/);
  assert.match(stderr, /needs +WEATHER_KEY in the environment \(not set\)/);
  assert.match(stderr, /hermes plugins enable weather/);
  assert.deepEqual(readdirSync(join(home.path, "plugins")).toSorted(), [".installed.json", "weather"]);
  assert.equal(home.has("plugins/weather/.git"), false);
  assert.equal(home.has("config.yaml"), false);
  assert.equal(statSync(join(home.path, "plugins/.installed.json")).mode & 0o777, 0o600);
  assert.deepEqual((await listed(home)).plugins[0]?.installed, {
    source: folder,
    version: "1.0.0",
    resolved: null,
    changed: [],
  });

  await runInProcess(home, ["plugins", "enable", "weather"]);
  assert.match((await home.run(["chat", "-q", "/weather"], { env: { WEATHER_KEY: "x" } })).stdout, /sunny/);

  home.write("plugins/weather/lib/word.ts", 'export const word = "rainy";\n');
  home.write("plugins/weather/more.js", "");
  home.write("plugins/weather/cache.db", "data of the plugin");
  rmSync(join(home.path, "plugins/weather/data/a.json"));
  const changed = ["data/a.json is missing", "lib/word.ts is changed", "more.js is new"];
  const found = await listed(home);
  assert.deepEqual(found.plugins[0]?.installed?.["changed"], changed);
  assert.match(found.stderr, /plugin "weather" is not as it was installed: data\/a\.json is missing, lib/);
  const doctor = await runInProcess(home, ["hooks", "doctor"]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.stdout, /problem: plugin "weather" is not as it was installed/);

  const updated = await runInProcess(home, ["plugins", "update", "weather", "--yes"]);
  assert.equal(updated.code, 0, updated.stderr);
  assert.match(updated.stderr, /These changes .* will be lost: .*more\.js is new/);
  assert.deepEqual((await listed(home)).plugins[0]?.installed?.["changed"], []);
  assert.match((await runInProcess(home, ["plugins", "update", "--yes"])).stdout, /^weather is up to date\.\n$/);

  home.write(
    "config.yaml",
    "# mine\nplugins:\n  enabled: [other, weather]\n  entries: { weather: { on_error: block } }\n",
  );
  const removed = await runInProcess(home, ["plugins", "remove", "weather", "--yes", "--json"]);
  assert.deepEqual(JSON.parse(removed.stdout), { removed: { name: "weather", directory: "weather" } });
  assert.deepEqual(readdirSync(join(home.path, "plugins")), [".installed.json"]);
  assert.equal(
    home.read("config.yaml"),
    "# mine\nplugins:\n  enabled: [ other ]\n  entries: { weather: { on_error: block } }\n",
  );
});

test("git: the commit is recorded, update follows the branch, and a tag stays where it is", async (t) => {
  const home = new Home(t);
  const repository = source(home, FILES);
  const git = (...words: readonly string[]) =>
    execFileSync("git", ["-C", repository, ...IDENTITY, ...words])
      .toString()
      .trim();
  const commit = (text: string) => {
    writeFileSync(join(repository, "lib/word.ts"), `export const word = "${text}";\n`);
    git("add", "-A");
    git("commit", "-qm", text);
    return git("rev-parse", "HEAD");
  };
  git("init", "-q", "-b", "main");
  const first = commit("first");
  git("tag", "v1");
  const second = commit("second");
  // As in a hook of git, where hermes may be started.
  const env = { GIT_DIR: join(home.work, "nothing"), GIT_WORK_TREE: home.work };

  const tagged = await install(home, ["git:./source", "--ref", "v1"], { env });
  assert.deepEqual([tagged.ref, tagged.resolved, tagged.source], ["v1", first, `git:${repository}`]);
  assert.equal(home.has("plugins/weather/.git"), false);
  assert.deepEqual(await update(home, ["weather"]), { updated: [], unchanged: ["weather"], failed: [] });
  const moved = await update(home, ["weather", "--ref", "main"]);
  assert.deepEqual([moved.updated[0]?.ref, moved.updated[0]?.resolved], ["main", second]);
  const third = commit("third");
  assert.equal((await update(home, [])).updated[0]?.resolved, third);
  assert.match(home.read("plugins/weather/lib/word.ts"), /third/);

  await runInProcess(home, ["plugins", "remove", "weather", "--yes"]);
  const short = await install(home, [`git:file://${repository}`, "--ref", first.slice(0, 10)]);
  assert.equal(short.resolved, first);

  const before = home.read("plugins/.installed.json");
  writeFileSync(join(repository, "plugin.yaml"), "name: [\n");
  commit("broken");
  const broken = await runInProcess(home, ["plugins", "update", "weather", "--ref", "main", "--yes", "--json"]);
  assert.equal(broken.code, 1);
  assert.match((JSON.parse(broken.stdout) as Updates).failed[0]!.problem, /plugin\.yaml:\d.*not valid YAML/);
  assert.equal(home.read("plugins/.installed.json"), before);
  assert.match(home.read("plugins/weather/lib/word.ts"), /first/);
});

test("npm: packages come along, no script runs, and what was tampered with is refused", async (t) => {
  const home = new Home(t);
  const registry = await startPackageRegistry(t);
  const { env } = registry;
  const ran = join(home.work, "ran");
  const scripts = Object.fromEntries(
    ["preinstall", "install", "postinstall", "prepare", "prepack"].map((name) => [name, `touch ${ran}`]),
  );
  registry.publish(
    { name: "word-of-mouth", version: "2.0.0", type: "module", main: "index.js", scripts },
    {
      "index.js": 'export const word = "cloudy";\n',
    },
  );
  const manifest = {
    name: "@fair/weather",
    type: "module",
    scripts,
    dependencies: { "word-of-mouth": "^2.0.0", "hermes-hooks": "*" },
    devDependencies: { "not-published": "1.0.0" },
    peerDependencies: { "hermes-hooks": "*" },
  };
  const files = { ...FILES, "lib/word.ts": 'export { word } from "word-of-mouth";\n' };
  registry.publish({ ...manifest, version: "1.0.0" }, files);
  registry.publish({ ...manifest, version: "1.1.0" }, files);

  const old = await install(home, ["npm:@fair/weather@1.0.0"], { env });
  assert.match(old.resolved ?? "", /^1\.0\.0 sha512-[\w+/=]{88}$/);
  assert.deepEqual([old.source, old.ref], ["npm:@fair/weather", "1.0.0"]);
  await runInProcess(home, ["plugins", "enable", "weather"]);
  assert.match((await home.run(["chat", "-q", "/weather"], { env: { WEATHER_KEY: "x" } })).stdout, /cloudy/);
  home.write("plugins/weather/node_modules/word-of-mouth/index.js", 'export const word = "poison";\n');
  assert.deepEqual((await listed(home)).plugins[0]?.installed?.["changed"], ["node_modules is changed"]);
  const newest = await update(home, ["weather", "--ref", "latest"], { env });
  assert.match(newest.updated[0]?.resolved ?? "", /^1\.1\.0 sha512-/);
  assert.equal(existsSync(ran), false, "a script ran");

  registry.publish({ ...manifest, version: "1.2.0" }, files);
  registry.tamper("@fair/weather", "1.2.0");
  const tampered = await runInProcess(home, ["plugins", "update", "--yes"], { env });
  assert.equal(tampered.code, 1);
  assert.match(tampered.stderr, /weather: .* cannot be installed: npm: .*EINTEGRITY/);
  const missing = await runInProcess(home, ["plugins", "install", "npm:not-published", "--yes"], { env });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /npm:not-published cannot be installed: npm: .*404/);
  assert.deepEqual(readdirSync(join(home.path, "plugins")).toSorted(), [".installed.json", "weather"]);
});

test("what is no plugin, is taken or would load unseen is refused, and nothing is left", async (t) => {
  const home = new Home(t);
  const attempts: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    ["empty", { "index.ts": "" }, /cannot be installed: it has no plugin\.yaml/],
    ["unnamed", { "plugin.yaml": "version: 1\n", "index.ts": "" }, /plugin\.yaml.*expected the plugin's name/],
    ["packages", { ...FILES, "package.json": "{" }, /cannot be installed: .*JSON/],
  ];
  for (const [name, files, problem] of attempts) {
    source(home, files, name);
    const { code, stdout, stderr } = await runInProcess(home, ["plugins", "install", name, "--yes"]);
    assert.deepEqual([code, stdout], [1, ""], name);
    assert.match(stderr, problem);
  }
  const linked = source(home, FILES, "linked");
  symlinkSync("/etc/hostname", join(linked, "host.ts"));
  assert.match(
    (await runInProcess(home, ["plugins", "install", "linked", "--yes"])).stderr,
    /host\.ts is a link that leads out/,
  );
  const git = await runInProcess(home, ["plugins", "install", `git:${join(home.work, "nowhere")}`, "--yes"]);
  assert.equal(git.code, 1);
  assert.match(git.stderr, /git:.*nowhere cannot be installed: git: /);
  assert.equal(home.has("plugins"), false);

  source(home, FILES);
  home.write("config.yaml", "plugins: { enabled: [weather] }\n");
  assert.match(
    (await runInProcess(home, ["plugins", "install", "source", "--yes"])).stderr,
    /config\.yaml enables "weather" already/,
  );
  home.write("config.yaml", "plugins: {}\n");
  home.plugin("mine", "", { manifest: "name: weather\n" });
  assert.match(
    (await runInProcess(home, ["plugins", "install", "source", "--yes"])).stderr,
    /a plugin "weather" already, in .*mine/,
  );
  home.plugin("weather", "", { manifest: "name: other\n" });
  assert.match(
    (await runInProcess(home, ["plugins", "install", "source", "--yes"])).stderr,
    /already exists; nothing was written/,
  );
  assert.deepEqual(readdirSync(join(home.path, "plugins")).toSorted(), ["mine", "weather"]);
  const own = await runInProcess(home, ["plugins", "remove", "weather", "--yes"]);
  assert.equal(own.code, 3);
  assert.equal(home.has("plugins/weather/index.ts"), true);
});

test("wrong words, and nobody to ask, are wrong usage before anything is fetched", async (t) => {
  const home = new Home(t);
  source(home, FILES);
  for (const [words, problem] of [
    [["install", "source"], /Nobody can be asked here\. Add --yes/],
    [["install", "source", "--json"], /Add --yes/],
    [["install", "nowhere", "--yes"], /there is no such folder/],
    [["install", "https://example.org/x.git", "--yes"], /write git:https:\/\/example\.org\/x\.git/],
    [["install", "npm:../evil", "--yes"], /not the name of an npm package/],
    [["install", "npm:a@file:/etc", "--yes"], /not a version/],
    [["install", "git:--upload-pack=x", "--yes"], /expected an address/],
    [["install", "git:./source", "--ref", "--exec=x", "--yes"], /not a branch/],
    [["install", "source", "--ref", "v1", "--yes"], /--ref is for npm: and git:/],
    [["update", "--ref", "v1", "--yes"], /--ref needs the name/],
  ] as const) {
    const { code, stderr } = await runInProcess(home, ["plugins", ...words]);
    assert.equal(code, 2, `${words.join(" ")}: ${stderr}`);
    assert.match(stderr, problem);
  }
  assert.equal(home.has("plugins"), false);
  home.write("plugins/.installed.json", "{");
  const damaged = await runInProcess(home, ["plugins", "install", "source", "--yes"]);
  assert.equal(damaged.code, 1);
  assert.match(damaged.stderr, /\.installed\.json does not say which plugins were installed/);
  assert.match((await runInProcess(home, ["plugins", "list"])).stderr, /does not say which plugins were installed/);
});

test("on a terminal it asks, and the default is no", { skip: noPty }, async (t) => {
  const home = new Home(t);
  source(home, FILES);
  for (const answer of ["", "y"]) {
    const pty = home.terminal(["plugins", "install", "./source"]);
    t.after(() => pty.kill());
    await pty.see("Nothing of it has run yet.");
    await pty.see("Install it? [y/N] ");
    pty.type(`${answer}\r`);
    assert.equal(await pty.exited, answer === "y" ? 0 : 1);
    assert.equal(home.has("plugins/weather/index.ts"), answer === "y");
  }
});

test("Ctrl+C while something is fetched leaves nothing, and what a killed process left is removed", async (t) => {
  const home = new Home(t);
  const registry = await startPackageRegistry(t);
  const running = home.start(["plugins", "install", "npm:silent", "--yes"], { env: registry.env });
  await registry.asked;
  running.kill("SIGINT");
  assert.equal((await running.ended).code, 130);
  assert.equal(home.has("plugins"), false);

  const { pid } = spawnSync("true");
  home.write(`plugins/.install-${pid}-0a1b2c/new/plugin/index.ts`, "");
  home.write(`plugins/.install-${process.pid}-0a1b2c/new/plugin/index.ts`, "");
  source(home, FILES);
  await install(home, ["./source"]);
  assert.deepEqual(
    readdirSync(join(home.path, "plugins")).filter((name) => name.startsWith(".install-")),
    [`.install-${process.pid}-0a1b2c`],
  );
});

test("completion offers installed plugins to update and remove", async (t) => {
  const home = new Home(t);
  source(home, FILES);
  await install(home, ["./source"]);
  for (const command of ["update", "remove"]) {
    const { stdout } = await home.run(["complete", "--", "plugins", command, ""]);
    assert.match(stdout, /^weather\t\/.*source$/m);
  }
});

const IDENTITY = ["-c", "user.name=Jane", "-c", "user.email=jane@example.org"];

interface Listing {
  readonly plugins: readonly { readonly installed?: Readonly<Record<string, unknown>> }[];
  readonly stderr: string;
}

interface Updates {
  readonly updated: readonly Installed[];
  readonly unchanged: readonly string[];
  readonly failed: readonly { readonly name: string; readonly problem: string }[];
}

/** Writes the files of a plugin into a folder of the working folder, and gives its path. */
function source(home: Home, files: Readonly<Record<string, string>>, name = "source"): string {
  for (const [path, text] of Object.entries(files)) {
    const file = join(home.work, name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return join(home.work, name);
}

async function install(home: Home, words: readonly string[], options: StartOptions = {}): Promise<Installed> {
  const ended = await succeed(runInProcess(home, ["plugins", "install", ...words, "--yes", "--json"], options));
  return (JSON.parse(ended.stdout) as { installed: Installed }).installed;
}

async function update(home: Home, words: readonly string[], options: StartOptions = {}): Promise<Updates> {
  const ended = await succeed(runInProcess(home, ["plugins", "update", ...words, "--yes", "--json"], options));
  return JSON.parse(ended.stdout) as Updates;
}

async function listed(home: Home): Promise<Listing> {
  const { stdout, stderr } = await succeed(
    runInProcess(home, ["plugins", "list", "--json"], { env: { WEATHER_KEY: "x" } }),
  );
  return { ...(JSON.parse(stdout) as { plugins: Listing["plugins"] }), stderr };
}

async function succeed(run: Promise<Ended>): Promise<Ended> {
  const ended = await run;
  assert.equal(ended.code, 0, ended.stderr);
  return ended;
}
