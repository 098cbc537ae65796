/** A home that changes under the running gateway: hooks, plugins, configuration, and the checklist at its start. */
import test from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";

/** A gateway hook that records the messages of turns with its version, which stands in a helper. */
function recorder(home: Home, version: number): void {
  home.write("hooks/recorder/HOOK.yaml", 'name: recorder\nevents: ["agent:start"]\n');
  home.write(
    "hooks/recorder/handler.ts",
    `import { appendFileSync } from "node:fs";
     import { version } from "./version.ts";
     export function handle(_: string, context: Record<string, unknown>) {
       appendFileSync(${JSON.stringify(join(home.path, "worker"))}, context.message + " " + version + "\\n");
     }`,
  );
  home.write("hooks/recorder/version.ts", `export const version = ${version};\n`);
}

/** A plugin that does the same at `pre_llm_call`. */
function plugin(home: Home, version: number): void {
  home.plugin(
    "recorder",
    `import { appendFileSync } from "node:fs";
     export const register = (ctx: any) =>
       ctx.register_hook("pre_llm_call", ({ user_message }: any) =>
         appendFileSync(${JSON.stringify(join(home.path, "plugin"))}, user_message + " ${version}\\n"));`,
  );
}

/**
 * How many messages the hook may be behind. A new version begins when the old one has handled what came before it, and
 * the offline model answers faster than a busy gateway hands events on.
 */
const MOST_BEHIND = 32;

const seen = (home: Home, file: string) =>
  home.has(file)
    ? home
        .read(file)
        .trim()
        .split("\n")
        .map((line) => line.split(" "))
    : [];

test("while messages come, hooks and plugins are saved, deleted and made again: each message meets each of them once", async (t) => {
  const home = new Home(t);
  recorder(home, 1);
  plugin(home, 1);
  const config = `${API_SERVER}plugins: { enabled: [recorder] }\n`;
  const gateway = await startGateway(t, home, { config });
  let sent = 0;
  const enough = new AbortController();
  const shown = {
    seen: () =>
      [seen(home, "worker").slice(-4), home.read("logs/hermes.log").slice(-4000), gateway.stderr()].join("\n"),
  };
  const talks = ["anna", "ben", "carla"].map(async (name) => {
    while (!enough.signal.aborted) {
      await gateway.say(`message-${sent++}`, name);
      await until(() => sent - seen(home, "worker").length < MOST_BEHIND, "the hook keeps up", shown);
    }
  });
  const latest = (file: string) => seen(home, file).at(-1)?.[1];
  for (const version of [2, 3]) {
    recorder(home, version);
    plugin(home, version);
    await until(() => latest("worker") === String(version), `version ${version} of the hook runs`, shown);
    await until(() => latest("plugin") === String(version), `version ${version} of the plugin runs`, shown);
  }
  // Every save so far is taken over, and what is good now has run: that is the version which goes on.
  assert.equal((await home.run(["hooks", "reload"])).code, 0);
  const good = seen(home, "worker").length;
  await until(() => seen(home, "worker").length > good + 3, "it has run", shown);
  home.write("hooks/recorder/version.ts", "export const version = ;\n");
  await until(() => gateway.stderr().includes("recorder/version.ts:1: "), "the mistake is said", shown);
  const before = seen(home, "worker").length;
  await until(() => seen(home, "worker").length > before + 3, "the last good version goes on", shown);
  assert.equal(latest("worker"), "3");
  recorder(home, 4);
  await until(() => latest("worker") === "4", "it is mended", shown);
  enough.abort();
  await Promise.all(talks);
  await until(() => seen(home, "worker").length === sent, "all were handed on", shown);
  for (const file of ["worker", "plugin"]) {
    const messages = seen(home, file).map(([message]) => message);
    assert.deepEqual([messages.length, new Set(messages).size], [sent, sent], file);
  }

  // The folder goes, and comes again: what is sent meanwhile meets no hook, what comes later the new one.
  renameSync(join(home.path, "hooks"), join(home.work, "hooks"));
  const gone = async () =>
    (JSON.parse((await home.run(["hooks", "list", "--live", "--json"])).stdout) as Live).processes[0]!;
  await until(async () => (await gone()).hooks.every(({ source }) => source !== "worker"), "the hook is gone");
  mkdirSync(join(home.path, "hooks"));
  recorder(home, 5);
  await until(async () => (await gone()).hooks.some(({ source }) => source === "worker"), "the hook is back");
  await gateway.say("after-all", "anna");
  await until(() => seen(home, "worker").at(-1)?.join(" ") === "after-all 5", "the new one runs");
  rmSync(join(home.work, "hooks"), { recursive: true });
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});

test("an edit of a JSON file reaches the plugin and the gateway hooks of both tiers that import it", async (t) => {
  const home = new Home(t);
  const note = (file: string) => `appendFileSync(${JSON.stringify(join(home.path, file))}, words.version + "\\n")`;
  const extensions = {
    "plugins/plugin": {
      "plugin.yaml": "name: plugin\n",
      "index.ts": `import { appendFileSync } from "node:fs";
        import words from "./lib/words.json" with { type: "json" };
        export const register = (ctx: any) => ctx.register_hook("pre_llm_call", () => ${note("plugin")});`,
    },
    "hooks/worker": {
      "HOOK.yaml": "events: [agent:start]\n",
      "handler.ts": `import { appendFileSync } from "node:fs";
        import words from "./lib/words.json" with { type: "json" };
        export const handle = () => ${note("worker")};`,
    },
    "hooks/isolate": {
      "HOOK.yaml": "events: [agent:start]\nisolation: isolate\n",
      "handler.ts": `import words from "./lib/words.json" with { type: "json" };
        export const handle = (_: string, __: unknown, host: any) => host.log.info("version " + words.version + ".");`,
    },
  };
  const write = (version: string) => {
    for (const folder of Object.keys(extensions)) home.write(`${folder}/lib/words.json`, JSON.stringify({ version }));
  };
  for (const [folder, files] of Object.entries(extensions)) {
    for (const [name, text] of Object.entries(files)) home.write(`${folder}/${name}`, text);
  }
  write("one");
  const gateway = await startGateway(t, home, { config: `${API_SERVER}plugins: { enabled: [plugin] }\n` });
  let sent = 0;
  const runs = async (version: string) => {
    await until(
      async () => {
        await gateway.say(`message-${sent++}`, "anna");
        const latest = ["plugin", "worker"].map((file) => seen(home, file).at(-1)?.[0]);
        return latest.every((one) => one === version) && home.read("logs/hermes.log").includes(`version ${version}.`);
      },
      `all three have ${version}`,
      { seen: () => gateway.stderr() },
    );
  };
  await runs("one");
  write("two");
  await runs("two");
  // What is half-written keeps the last good version of each.
  for (const folder of Object.keys(extensions)) home.write(`${folder}/lib/words.json`, '{"version":');
  for (const folder of Object.keys(extensions)) {
    await until(() => gateway.stderr().includes(`${folder}/lib/words.json`), `the mistake in ${folder} is said`);
  }
  const last = seen(home, "worker").length;
  await until(async () => {
    await gateway.say(`message-${sent++}`, "anna");
    return seen(home, "worker").length > last;
  }, "it has run");
  assert.deepEqual([seen(home, "worker").at(-1), seen(home, "plugin").at(-1)], [["two"], ["two"]]);
  write("three");
  await runs("three");
});

interface Live {
  readonly processes: readonly { readonly hooks: readonly { readonly source: string }[] }[];
}

test("hooks reload reaches the gateway; an unset variable of a platform keeps what was", async (t) => {
  const home = new Home(t);
  const gateway = await startGateway(t, home, { config: API_SERVER });
  home.write("config.yaml", `${API_SERVER}agent: { max_iterations: 7 }\n`);
  const good = await home.run(["hooks", "reload"]);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, new RegExp(`^${gateway.pid} hermes gateway: (configuration: agent|no changes)\n$`));
  const bad = 'gateway: { platforms: { api_server: { enabled: true, port: 0, key: "${HERMES_TEST_UNSET}" } } }\n';
  home.write("config.yaml", bad);
  const { code, stdout } = await home.run(["hooks", "reload", "--json"]);
  assert.equal(code, 1);
  assert.match(stdout, /HERMES_TEST_UNSET is not set or empty\. The last valid configuration stays active/);
  assert.match((await gateway.say("still here")).text, /still here/);
});

test("BOOT.md runs when the gateway has started, through the gateway's model, and goes to the home channel", async (t) => {
  const home = new Home(t);
  home.plugin(
    "memo",
    `import { appendFileSync } from "node:fs";
     export const register = (ctx) => ctx.register_platform({
       name: "memo",
       start: async () => {},
       stop: async () => {},
       send: async (chat, text) => appendFileSync(${JSON.stringify(join(home.path, "sent"))}, chat + ": " + text + "\\n"),
     });`,
  );
  const config = (rest: string) =>
    `gateway: { platforms: { api_server: { enabled: true, port: 0 } }${rest} }\nplugins: { enabled: [memo] }\n`;
  home.write("BOOT.md", "run `echo all-$((40 + 2))`\n");
  const gateway = await startGateway(t, home, { config: config(", home_channel: { platform: memo, chat_id: me }") });
  await until(() => home.has("sent") && home.read("sent") !== "", "it is sent");
  assert.match(home.read("sent"), /^me: .*all-42/s);
  assert.match(gateway.stderr(), /boot-md: .*BOOT\.md runs now/);
  gateway.kill("SIGTERM");
  await gateway.ended;
  const silent = await startGateway(t, home, { config: config("") });
  await until(() => silent.stderr().includes("is in the log only: "), "without a home channel it is said");
  assert.match(silent.stderr(), /home_channel/);
});
