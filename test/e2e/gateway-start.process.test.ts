/** How `hermes gateway` starts: what it says runs, and what it does where something cannot. */
import test from "node:test";
import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";
import { TelegramServer, TOKEN } from "../helpers/telegram-server.ts";

const PLATFORM = (entry: string) => `export function register(ctx) { ctx.register_platform(${entry}); }`;

test("a configuration with which no platform can ever run is an error of usage, said once", async (t) => {
  await using telegram = await new TelegramServer().start();
  for (const [platforms, sentence] of [
    [
      "{ api_server: { enabled: true, port: 0, host: 0.0.0.0 } }",
      /a key is required\. Set gateway\.platforms\.api_server\.key/,
    ],
    ["{ telegram: { enabled: true } }", /gateway\.platforms\.telegram\.token is missing/],
    [`{ telegram: { enabled: true, token: "1:wrong", api_root: "${telegram.url}" } }`, /rejected the token/],
  ] as const) {
    const home = new Home(t);
    home.write("config.yaml", `gateway: { platforms: ${platforms} }\n`);
    const { code, stdout, stderr } = await home.run(["gateway"]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, sentence);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.equal(stdout, "");
  }
});

test("beside one that runs it is a warning; standard output names what runs, and again when its address changes", async (t) => {
  const home = new Home(t);
  const config = "gateway: { platforms: { api_server: { enabled: true, port: 0 }, telegram: { enabled: true } } }\n";
  const gateway = await startGateway(t, home, { config });
  await gateway.sees("The gateway is running");
  assert.match(gateway.stderr(), /^warning: The platform telegram is not configured correctly/);
  assert.match(gateway.stdout(), /^api_server: http:\/\/127\.0\.0\.1:\d+\/v1\n$/);
  home.write("config.yaml", config.replace("port: 0", "port: 0, key: secret"));
  const addresses = await until(() => {
    const found = gateway.stdout().match(/http:\S+/g) ?? [];
    return found.length === 2 ? found : null;
  }, "a second address");
  assert.equal((await fetch(`${addresses[1]}/models`)).status, 401);
});

test("a platform that comes up later is named then", async (t) => {
  const telegram = await new TelegramServer().start();
  t.after(() => telegram.stop());
  await telegram.stop();
  const home = new Home(t);
  const platforms = `{ api_server: { enabled: true, port: 0 }, telegram: { enabled: true, token: "${TOKEN}", api_root: "${telegram.url}" } }`;
  const gateway = await startGateway(t, home, { config: `gateway: { platforms: ${platforms} }\n` });
  await gateway.sees("The gateway is running");
  assert.doesNotMatch(gateway.stdout(), /telegram/);
  await telegram.start();
  await until(() => gateway.stdout().endsWith("\ntelegram\n"), "the platform is named");
});

test("plugins' platforms: one that hangs at its start holds up the others for seconds only, one without what a platform needs is refused by name, and whatever else one has is its own", async (t) => {
  const home = new Home(t);
  home.plugin("slow", PLATFORM(`{ name: "slow", start: () => new Promise(() => {}), stop() {}, send() {} }`));
  home.plugin("mute", PLATFORM(`{ name: "mute", start() {}, stop() {} }`));
  home.plugin("own", PLATFORM(`{ name: "own", address: "irc.example", start() {}, stop() {}, send() {} }`));
  home.write("config.yaml", `${API_SERVER}plugins: { enabled: [slow, mute, own] }\n`);
  const gateway = await startGateway(t, home);
  await gateway.sees('The platform "slow" has not started within 5 s');
  await gateway.sees("The gateway is running");
  assert.match(gateway.stderr(), /plugin "mute" was not loaded: .*the platform "mute" needs a function "send"/);
  assert.match(gateway.stdout(), /^own$/m);
  assert.match(gateway.stdout(), /^api_server: /m);
  assert.match((await gateway.say("hello")).text, /hello/);
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});

test("a model that cannot answer is said at the start", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", `${API_SERVER}model: { provider: openai }\n`);
  const { code, stderr } = await home.run(["gateway"]);
  assert.equal(code, 2);
  assert.match(stderr, /OPENAI_API_KEY/);
});

test("a read-only home causes a warning, and messages are answered", async (t) => {
  const home = new Home(t);
  // Folders cannot be made where files are; who runs the tests may write everywhere else.
  home.write("run", "");
  home.write("logs", "");
  const gateway = await startGateway(t, home, { config: API_SERVER });
  await gateway.sees("The gateway is running");
  assert.match(gateway.stderr(), /warning: \S+run\/gateway\.pid cannot be written, so a second gateway could start/);
  assert.match((await gateway.say("hello", "ada")).text, /hello/);
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});

test("a port that is taken is named, with the setting to change, and tried again until it is free", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => other.once("listening", listening));
  const { port } = other.address() as AddressInfo;
  const home = new Home(t);
  home.write("config.yaml", API_SERVER.replace("port: 0", `port: ${port}`));
  const gateway = home.start(["gateway"]);
  t.after(() => gateway.kill("SIGKILL"));
  await gateway.sees("gateway.platforms.api_server.port");
  await gateway.sees("The gateway is running");
  assert.equal(gateway.stdout(), "");
  other.close();
  await until(() => gateway.stdout() === `api_server: http://127.0.0.1:${port}/v1\n`, "the platform is named");
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});
