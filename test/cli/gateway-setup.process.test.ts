/** `hermes gateway setup`: what it asks, what it tests, and what it writes. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { examplesOf, Newcomer } from "../helpers/examples.ts";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { runInProcess } from "../helpers/in-process.ts";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { freePort } from "../helpers/ports.ts";
import { noPty, type Pty } from "../helpers/pty.ts";
import { BOT_NAME, TelegramServer, TOKEN } from "../helpers/telegram-server.ts";

const skip = noPty;
const ENTER = "\r";
const WRONG = "123456:wrong-token-of-the-fake-server";

/** With comments, another platform, and a section that was switched off. */
const config = (server: TelegramServer) => `# mine
gateway:
    busy: queue # as I like it
    platforms:
        # the bot of the team
        telegram:
            enabled: false # for now
            api_root: ${server.url}
            token: old # of last year
            allowed_users: [42] # Ada
        api_server:
            enabled: true
`;

test("on a terminal it says what to do, asks, tests the token, and writes the section", { skip }, async (t) => {
  const { home, server } = await start(t);
  const pty = open(t, home, ["gateway", "setup"]);
  await pty.see(/1 {2}api_server +on +an HTTP server/);
  const shown = await pty.see(/\d {2}telegram +off/);
  await pty.see("or its name: ");
  pty.type(`telegrm${ENTER}`);
  await pty.see('There is no platform "telegrm". Did you mean "telegram"?');
  await pty.see("or its name: ");
  pty.type(`${/(\d) {2}telegram/.exec(shown)?.[1]}${ENTER}`);
  await pty.see("@BotFather and send /newbot");
  await pty.see("Bot token (not shown; Enter keeps the one in config.yaml): ");
  pty.type(`nonsense${ENTER}`);
  await pty.see("This is not a bot token");
  await pty.see("config.yaml): ");
  pty.type(`$MY_TOKEN${ENTER}`);
  await pty.see("MY_TOKEN is not set in the environment.");
  await pty.see("config.yaml): ");
  pty.type(`${WRONG}${ENTER}`);
  await pty.see("Allowed users, - for none (42): ");
  pty.type(`@ada${ENTER}`);
  await pty.see('"@ada" is not a user id.');
  await pty.see("(42): ");
  pty.type(`42, 7${ENTER}`);
  await pty.see(`It does not work: ${server.url} rejected the token`);
  await pty.see("[Y/n] ");
  assert.equal(home.read("config.yaml"), config(server));
  pty.type(ENTER);
  await pty.see("Enter keeps the one that you entered): ");
  pty.type(`${TOKEN}${ENTER}`);
  await pty.see("(42, 7): ");
  pty.type(ENTER);
  await pty.see(`telegram is set up: @${BOT_NAME}. Saved in ${join(home.path, "config.yaml")}.`);
  await pty.see("Start the gateway: hermes gateway");
  assert.equal(await pty.exited, 0);
  for (const secret of [TOKEN, WRONG]) assert.ok(!pty.raw().includes(secret), pty.output());
  assert.equal(
    home.read("config.yaml"),
    config(server)
      .replace("enabled: false", "enabled: true")
      .replace("token: old", `token: ${TOKEN}`)
      .replace("[42]", "[42, 7]"),
  );
  assert.equal(modeOf(home), 0o600);
  assert.deepEqual(
    server.calls.map(({ method }) => method),
    ["getMe", "getMe"],
  );
});

test("on a terminal: a first setup with a variable; without users it says how to pair", { skip }, async (t) => {
  const { home, server } = await start(t, null);
  home.write("config.yaml", `gateway: { platforms: { telegram: { api_root: "${server.url}" } } }\n`, 0o644);
  const pty = open(t, home, ["gateway", "setup", "telegram"], { MY_TOKEN: TOKEN });
  await pty.see("Bot token (not shown): ");
  pty.type(ENTER);
  await pty.see("Bot token (not shown): ");
  pty.type(`$MY_TOKEN${ENTER}`);
  await pty.see("Allowed users (Enter for none): ");
  pty.type(ENTER);
  await pty.see("Set MY_TOKEN where the gateway runs.");
  await pty.see("hermes pairing approve CODE");
  assert.equal(await pty.exited, 0);
  assert.equal(
    home.read("config.yaml"),
    `gateway: { platforms: { telegram: { api_root: "${server.url}", enabled: true, token: "\${MY_TOKEN}" } } }\n`,
  );
  assert.equal(modeOf(home), 0o644);
  const untested = open(t, home, ["gateway", "setup", "telegram", "--no-test"]);
  await untested.see("config.yaml): ");
  untested.type(`$NOT_SET_HERE${ENTER}`);
  await untested.see("none): ");
  untested.type(ENTER);
  await untested.see("telegram is set up. Saved in");
  assert.equal(await untested.exited, 0);
  assert.match(home.read("config.yaml"), /token: "\$\{NOT_SET_HERE\}"/);
});

test("on a terminal: what does not work is saved only on request, and Ctrl+C changes nothing", { skip }, async (t) => {
  const { home, server } = await start(t);
  await server.stop();
  for (const answer of ["n", "y"]) {
    const pty = open(t, home, ["gateway", "setup", "telegram"]);
    await pty.see("config.yaml): ");
    pty.type(`${TOKEN}${ENTER}`);
    await pty.see("(42): ");
    pty.type(`-${ENTER}`);
    await pty.see(`It does not work: ${server.url} cannot be reached: `);
    await pty.see("[Y/n] ");
    pty.type(`n${ENTER}`);
    await pty.see("Save it anyway? [y/N] ");
    assert.equal(home.read("config.yaml"), config(server));
    pty.type(`${answer}${ENTER}`);
    assert.equal(await pty.exited, answer === "y" ? 0 : 1);
  }
  const saved = home.read("config.yaml");
  assert.match(saved, new RegExp(`token: ${TOKEN} # of last year\n {8}api_server`));
  for (const question of ["Bot token", "Allowed users"]) {
    const pty = open(t, home, ["gateway", "setup", "telegram"]);
    await pty.see("config.yaml): ");
    if (question === "Allowed users") {
      pty.type(ENTER);
      await pty.see("none): ");
    }
    pty.type("\u0003");
    assert.equal(await pty.exited, 130);
    assert.equal(home.read("config.yaml"), saved);
  }
});

test("on a terminal: Ctrl+C while the server does not answer changes nothing", { skip }, async (t) => {
  const { home, server } = await start(t);
  server.misbehave("getMe", "hang");
  const pty = open(t, home, ["gateway", "setup", "telegram"]);
  await pty.see("config.yaml): ");
  pty.type(`${TOKEN}${ENTER}`);
  await pty.see("(42): ");
  pty.type(ENTER);
  await until(() => server.callsOf("getMe").length === 1, "the server is asked");
  pty.type("\u0003");
  assert.notEqual(await pty.exited, 0);
  assert.equal(home.read("config.yaml"), config(server));
});

test("on a terminal: api_server generates a key for a new section, which Enter keeps later", { skip }, async (t) => {
  const home = new Home(t);
  const port = await freePort();
  const pty = open(t, home, ["gateway", "setup", "api_server"]);
  await pty.see("Address (127.0.0.1): ");
  pty.type(ENTER);
  await pty.see("Port (8642): ");
  pty.type(`many${ENTER}`);
  await pty.see('"many" is not a port');
  await pty.see("Port (8642): ");
  pty.type(`${port}${ENTER}`);
  await pty.see("Enter generates one; - for none): ");
  pty.type(ENTER);
  await pty.see(/Generated: \S{32}/);
  await pty.see(`api_server is set up: http://127.0.0.1:${port}/v1.`);
  assert.equal(await pty.exited, 0);
  const saved = home.read("config.yaml");
  assert.match(saved, new RegExp(`enabled: true\n {6}host: 127\\.0\\.0\\.1\n {6}port: ${port}\n {6}key: \\S{32}\n$`));
  assert.equal(modeOf(home), 0o600);
  const again = open(t, home, ["gateway", "setup", "api_server"]);
  await again.see("(127.0.0.1): ");
  again.type(ENTER);
  await again.see(`(${port}): `);
  again.type(ENTER);
  await again.see("Enter keeps the one in config.yaml; - for none): ");
  again.type(ENTER);
  assert.equal(await again.exited, 0);
  assert.equal(home.read("config.yaml"), saved);
});

test("with options it asks nothing, tests, and writes what is given", async (t) => {
  const { home, server } = await start(t, null);
  const words = ["gateway", "setup", "telegram", "--set", `api_root=${server.url}`];
  const { code, stdout, stderr } = await home.run(
    [...words, "--set", "token=-", "--set", "allowed_users=42,${ADMIN}", "--json"],
    { input: `${TOKEN}\n`, env: { ADMIN: "7" } },
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    platform: "telegram",
    enabled: true,
    tested: true,
    account: `@${BOT_NAME}`,
    notes: [],
    file: join(home.path, "config.yaml"),
  });
  const section = (users: string) =>
    `gateway:
  platforms:
    telegram:
      enabled: true
      api_root: ${server.url}
      token: ${TOKEN}
${users}`;
  assert.equal(home.read("config.yaml"), section('      allowed_users: [42, "${ADMIN}"]\n'));
  assert.equal(modeOf(home), 0o600);
  const removed = await runInProcess(home, ["gateway", "setup", "telegram", "--set", "allowed_users=", "--no-test"]);
  assert.equal(removed.code, 0, removed.stderr);
  assert.equal(home.read("config.yaml"), section(""));
  const unset = await runInProcess(home, ["gateway", "setup", "telegram", "--set", "token=${NOT_SET}", "--no-test"]);
  assert.match(unset.stderr, /NOT_SET is not set here/);
  assert.match(home.read("config.yaml"), /token: \$\{NOT_SET\}/);
});

test("a running gateway uses the platform at once: a stranger pairs and is answered", async (t) => {
  const { home, server } = await start(t, null);
  const gateway = await startGateway(t, home, { config: API_SERVER });
  const words = ["gateway", "setup", "telegram", "--set", `api_root=${server.url}`, "--set", `token=${TOKEN}`];
  const { code, stderr } = await home.run(words);
  assert.equal(code, 0, stderr);
  assert.ok(stderr.includes(`The gateway that runs (process ${gateway.pid}) uses it at once.`), stderr);
  server.say("hello");
  const invited = await until(() => /code is (\w{8})\./.exec(server.textsOf(42).join())?.[1], "the pairing code");
  assert.equal((await runInProcess(home, ["pairing", "approve", invited])).code, 0);
  server.say("hello again");
  await until(() => server.textsOf(42).length === 2, "the answer");
  assert.equal(home.read("logs/hermes.log").includes(TOKEN), false);
});

test("mistakes are said in a sentence each, and nothing is changed", async (t) => {
  const { home, server } = await start(t);
  const attempts: readonly [words: readonly string[], code: number, said: RegExp][] = [
    [[], 2, /Name the platform: .* are api_server, .*telegram/],
    [["telegrm"], 2, /no platform "telegrm".*Did you mean "telegram"\?/],
    [["telegram"], 2, /no terminal.* --set 'token=\$\{NAME\}'\. More keys: allowed_users\./],
    [["telegram", "--set", "token=${NOT_SET}"], 2, /NOT_SET is not set/],
    [["telegram", "--set", `token=${WRONG}`], 2, /rejected the token .*Copy it again from @BotFather/],
    [["telegram", "--json"], 2, /rejected the token/],
    [["api_server", "--set", "host=0.0.0.0"], 2, /a key is required/],
    [["api_server", "--set", `port=${new URL(server.url).port}`], 1, /port \d+ on 127\.0\.0\.1 is in use/],
  ];
  for (const [words, code, said] of attempts) {
    const { code: ended, stderr } = await runInProcess(home, ["gateway", "setup", ...words]);
    assert.equal(ended, code, `${words.join(" ")}: ${stderr}`);
    assert.match(stderr, said);
    assert.ok(!stderr.includes(WRONG), stderr);
    assert.equal(home.read("config.yaml"), config(server));
  }
  // A real start: its standard input is empty.
  const empty = await home.run(["gateway", "setup", "telegram", "--set", "token=-"]);
  assert.equal(empty.code, 2, empty.stderr);
  assert.match(empty.stderr, /has no value/);
  assert.equal(home.read("config.yaml"), config(server));
  const mistyped = await runInProcess(home, ["gateway", "stup"]);
  assert.equal(mistyped.code, 2);
  assert.match(mistyped.stderr, /Did you mean "setup"\?/);
});

test("docs/gateway.md: the commands for scripts", async (t) => {
  const newcomer = new Newcomer(t);
  await using server = await new TelegramServer().start();
  const file = join(newcomer.home, ".hermes/config.yaml");
  mkdirSync(join(newcomer.home, ".hermes"));
  writeFileSync(file, `gateway: { platforms: { telegram: { api_root: "${server.url}" } } }\n`);
  writeFileSync(join(newcomer.home, "token.txt"), `${TOKEN}\n`);
  const block = examplesOf("docs/gateway.md", "sh").get("gateway-setup-options")!;
  const { code, stderr } = await newcomer.run(block, { env: { TELEGRAM_BOT_TOKEN: TOKEN } });
  assert.equal(code, 0, stderr);
  assert.match(readFileSync(file, "utf8"), /token: "\$\{TELEGRAM_BOT_TOKEN\}", allowed_users: \[ 12345678 \]/);
  assert.equal(server.callsOf("getMe").length, 2);
});

test("completion offers the platforms", async (t) => {
  const { stdout } = await new Home(t).run(["complete", "--", "gateway", "setup", ""]);
  assert.match(stdout, /^telegram\b/m);
});

async function start(t: TestContext, text: ((server: TelegramServer) => string) | null = config) {
  const home = new Home(t);
  const server = await new TelegramServer().start();
  t.after(() => server.stop());
  if (text !== null) home.write("config.yaml", text(server), 0o644);
  return { home, server };
}

function open(t: TestContext, home: Home, words: readonly string[], env: NodeJS.ProcessEnv = {}): Pty {
  const pty = home.terminal(words, env);
  t.after(() => pty.kill());
  return pty;
}

function modeOf(home: Home): number {
  return statSync(join(home.path, "config.yaml")).mode & 0o777;
}
