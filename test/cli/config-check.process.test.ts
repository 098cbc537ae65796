/** `hermes config check` refuses what a start would refuse, with the same sentence, and nothing else. */
import assert from "node:assert/strict";
import test, { describe, type TestContext } from "node:test";
import { Home, type Ended } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";

type Surface = "chat" | "gateway" | "dashboard" | "hooks test" | "sandbox";

const PLUGIN = "export function register() {}\n";
const ON = "api_server: { enabled: true, port: 0 }";
const ENV = { EMPTY: "", SET: "value" };

/** A configuration that is refused: by whom, and at which key. */
const REFUSED: readonly (readonly [key: string, surface: Surface, config: string])[] = [
  ["model.api_key", "chat", "model: { provider: offline, api_key: '${UNSET}' }"],
  ["model.api_key", "gateway", `model: { provider: openai, api_key: '\${EMPTY}' }\ngateway: { platforms: { ${ON} } }`],
  ["agent", "chat", "agent: '${UNSET}'"],
  ["sessions.retention_days", "chat", "sessions: { retention_days: '${UNSET}' }"],
  ["hooks_consent", "chat", "hooks_consent: '${UNSET}'"],
  ["sandbox.hooks", "hooks test", "sandbox: { hooks: '${UNSET}' }"],
  ["sandbox.tools", "sandbox", "sandbox: { tools: '${EMPTY}' }"],
  ["plugins.enabled[0]", "dashboard", "plugins: { enabled: ['${UNSET}'] }"],
  [
    "gateway.home_channel.chat_id",
    "gateway",
    `gateway: { platforms: { ${ON} }, home_channel: { platform: api_server, chat_id: '\${UNSET}' } }`,
  ],
  ["gateway.allowed_users[0]", "gateway", `gateway: { platforms: { ${ON} }, allowed_users: ['\${UNSET}'] }`],
  [
    "logging.stream.destinations[0].path",
    "gateway",
    `gateway: { platforms: { ${ON} } }\nlogging: { stream: { destinations: [{ type: file, path: '\${UNSET}' }] } }`,
  ],
  ["gateway.platforms", "gateway", "gateway: { platforms: '${UNSET}' }"],
  [
    "gateway.platforms.api_server.enabled",
    "gateway",
    "gateway: { platforms: { api_server: { enabled: '${UNSET}' } } }",
  ],
  [
    "gateway.platforms.telegram.token",
    "gateway",
    `gateway: { platforms: { ${ON}, telegram: { enabled: true, token: '\${EMPTY}' } } }`,
  ],
  ["dashboard.host", "dashboard", "dashboard: { host: '${EMPTY}' }"],
  [
    // Enabled by its name, its settings under its folder.
    "plugins.entries.folder.settings.url",
    "chat",
    "plugins: { enabled: [named], entries: { folder: { settings: { url: '${UNSET}' } } } }",
  ],
  [
    "plugins.entries.named.settings.url",
    "dashboard",
    "plugins: { enabled: [folder], entries: { named: { settings: { url: '${EMPTY}' } } } }",
  ],
];

/** Variables that are not set, where nothing uses them. */
const RIGHT: readonly (readonly [surface: Surface, config: string])[] = [
  ["gateway", `gateway: { platforms: { ${ON}, telegram: { enabled: false, token: '\${UNSET}' } } }`],
  [
    "chat",
    `gateway: { allowed_users: ['$\${UNSET}'] }
monitoring: { health: { host: '\${UNSET}' } }
plugins: { enabled: [named], entries: { folder: { settings: { url: '\${SET}' } } } }`,
  ],
  ["chat", "plugins: { enabled: [named], disabled: [folder], entries: { folder: { settings: { url: '${UNSET}' } } } }"],
  // What is under the name comes first: what is under the folder is not read.
  ["dashboard", "plugins: { enabled: [folder], entries: { named: {}, folder: { settings: { url: '${EMPTY}' } } } }"],
];

describe("config check refuses what the start refuses", () => {
  for (const [key, surface, config] of REFUSED) {
    test(`${key}, ${surface}`, async (t) => {
      const home = homeWith(t, config);
      const check = await runInProcess(home, ["config", "check"], { env: ENV });
      assert.equal(check.code, 2, check.stderr);
      const sentence = /^hermes: (.*)$/m.exec(check.stderr)?.[1] ?? "";
      assert.match(sentence, /: the environment variable (UNSET|EMPTY) is not set or empty$/);
      assert.ok(sentence.includes(`config.yaml:1: ${key}: `) || sentence.includes(` ${key}: `), sentence);
      const start = await startOf(surface, home);
      assert.ok(start.stderr.includes(sentence), `${sentence}\n--\n${start.stderr}`);
      // A plugin that does not load is a warning; everything else ends the start.
      assert.equal(start.code, key.startsWith("plugins.entries") ? 0 : 2);
    });
  }
});

describe("config check accepts what the start accepts", () => {
  for (const [surface, config] of RIGHT) {
    test(`${surface}: ${config}`, async (t) => {
      const home = homeWith(t, config);
      const check = await runInProcess(home, ["config", "check"], { env: ENV });
      assert.equal(check.code, 0, check.stderr);
      const start = await startOf(surface, home);
      assert.equal(start.code, 0, start.stderr);
      assert.doesNotMatch(start.stderr, /environment variable/);
    });
  }
});

test("config check refuses a model without its key, as the gateway does", async (t) => {
  const home = homeWith(t, `model: { provider: openai }\ngateway: { platforms: { ${ON} } }`);
  const check = await home.run(["config", "check"]);
  assert.equal(check.code, 2);
  const start = await startOf("gateway", home);
  assert.deepEqual([start.code, start.stderr], [2, check.stderr]);
});

/** Refused by the start for values that are set. */
const UNUSABLE: readonly (readonly [surface: Surface, config: string, sentence: RegExp])[] = [
  ["gateway", "gateway: { platforms: { telegram: { enabled: true } } }", /telegram\.token is missing/],
  [
    "gateway",
    "gateway: { platforms: { api_server: { enabled: true, host: 0.0.0.0, port: 0 } } }",
    /other machines can reach 0\.0\.0\.0, so a key is required/,
  ],
  [
    "gateway",
    "gateway: { platforms: { api_server: { enabled: true, port: 0, cors_origins: ['*'] } } }",
    /lets every web page use the agent, so a key is required/,
  ],
  ["dashboard", "dashboard: { host: ' ' }", /The address to listen on is empty/],
];

for (const [surface, config, sentence] of UNUSABLE) {
  test(`config check refuses ${config}, as the start does`, async (t) => {
    const home = homeWith(t, `model: { provider: offline }\n${config}`);
    const check = await runInProcess(home, ["config", "check"]);
    assert.match(check.stderr, sentence);
    assert.equal(check.code, 2);
    const start = await startOf(surface, home);
    assert.deepEqual([start.code, start.stderr], [2, check.stderr]);
  });
}

test("config check warns of a dashboard that only starts with --insecure", async (t) => {
  const home = homeWith(t, "dashboard: { host: 0.0.0.0 }");
  const check = await runInProcess(home, ["config", "check"]);
  assert.equal(check.code, 1);
  assert.match(check.stderr, /A dashboard on 0\.0\.0\.0 is reachable .* Add --insecure/);
  const start = await startOf("dashboard", home);
  assert.equal(start.code, 2);
  assert.match(start.stderr, /A dashboard on 0\.0\.0\.0 is reachable .* Add --insecure/);
});

test("config check warns of an enabled plugin without the variables it requires, and of no other", async (t) => {
  const home = homeWith(t, "plugins: { enabled: [named] }");
  home.plugin("folder", PLUGIN, { manifest: "name: named\nrequires_env: [EMPTY, SET, UNSET]\n" });
  home.plugin("off", PLUGIN, { manifest: "name: off\nrequires_env: [UNSET]\n" });
  const check = await runInProcess(home, ["config", "check"], { env: ENV });
  const sentence = "it needs EMPTY, UNSET in the environment (requires_env in its plugin.yaml).";
  assert.equal(check.code, 1);
  assert.equal(check.stderr, `warning: plugin "named": ${sentence}\n`);
  const start = await startOf("chat", home);
  assert.ok(start.stderr.includes(sentence), start.stderr);
});

/** A home with a configuration and a plugin whose name is not that of its folder. */
function homeWith(t: TestContext, config: string): Home {
  const home = new Home(t);
  home.plugin("folder", PLUGIN, { manifest: "name: named\n" });
  home.write("config.yaml", `${config}\n`);
  return home;
}

const STARTS: Readonly<Record<Surface, { readonly args: readonly string[]; readonly runs?: string }>> = {
  chat: { args: ["chat", "-q", "hello"] },
  gateway: { args: ["gateway"], runs: "The gateway is running" },
  dashboard: { args: ["dashboard", "--port", "0"], runs: "The dashboard is at" },
  "hooks test": { args: ["hooks", "test", "pre_tool_call"] },
  sandbox: { args: ["sandbox", "run", "true"] },
};

/** The real start of a surface; one that serves is ended as soon as it does. */
async function startOf(surface: Surface, home: Home): Promise<Ended> {
  const { args, runs } = STARTS[surface];
  const running = home.start(args, { env: ENV });
  if (runs !== undefined) {
    const seen = running.sees(runs);
    // One that ends never says it; nobody waits for that then.
    seen.catch(() => undefined);
    await Promise.race([running.ended, seen]);
    running.kill("SIGTERM");
  }
  return running.ended;
}
