/** `hermes model`: what it asks, what it tests, and what it writes. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, type Ended } from "../helpers/hermes.ts";
import { startModelCatalog } from "../helpers/model-catalog.ts";
import { noPty, type Pty } from "../helpers/pty.ts";
import { freePort } from "../helpers/ports.ts";

const skip = noPty;
const KEY = "a-key-nobody-may-see";
const ENTER = "\r";

const CONFIG = `# mine
agent:
    max_iterations: 5 # enough

model:
    provider: anthropic # for now
    default: claude
    max_retries: 1
    api_key: old
`;

test("without options in a pipe it prints the model", async (t) => {
  const home = new Home(t);
  assert.equal((await runInProcess(home, ["model"])).stdout, "The model is offline (offline).\n");
  const { stdout } = await runInProcess(home, ["model"], { env: { OPENAI_API_KEY: KEY } });
  assert.match(
    stdout,
    /^The model is gpt-\S+ \(openai\), requests go to https:\S+ with the key in OPENAI_API_KEY\.\n$/,
  );
  home.write("config.yaml", CONFIG);
  const json = await runInProcess(home, ["model", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), {
    provider: "anthropic",
    model: "claude",
    base_url: "https://api.anthropic.com/v1",
    key_source: "model.api_key",
    file: join(home.path, "config.yaml"),
  });
});

test("with options it tests the model, writes the section, and keeps comments and other keys", async (t) => {
  const home = new Home(t);
  await using server = await startModelCatalog(KEY);
  home.write("config.yaml", CONFIG, 0o644);
  const words = ["--provider", "openai-compatible", "--base-url", server.url, "--model", "small"];
  const set = await runInProcess(home, ["model", ...words, "--api-key-env", "MY_KEY"], { env: { MY_KEY: KEY } });
  assert.equal(set.code, 0, set.stderr);
  assert.match(set.stderr, /It answered after [\d.]+ s: ready/);
  assert.match(set.stdout, /^The model is small \(openai-compatible\), requests go to .* Saved in .*config\.yaml\.\n$/);
  assert.equal(
    home.read("config.yaml"),
    `# mine
agent:
    max_iterations: 5 # enough

model:
    provider: openai-compatible # for now
    default: small
    max_retries: 1
    api_key: \${MY_KEY}
    base_url: ${server.url}
`,
  );
  const json = await runInProcess(home, ["model", "--model", "large", "--json"], { env: { MY_KEY: KEY } });
  const { tested, ...shown } = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.deepEqual([shown["model"], (tested as { answer: string }).answer], ["large", "ready"]);
  assert.deepEqual(server.requests, Array(2).fill(`POST /v1/chat/completions Bearer ${KEY}`));
});

test("a wrong key, an unreachable server and an unknown model are said, and nothing is changed", async (t) => {
  const home = new Home(t);
  await using server = await startModelCatalog(KEY);
  home.write("config.yaml", CONFIG);
  const compatible = ["model", "--provider", "openai-compatible", "--api-key-env", "MY_KEY"];
  const attempts: readonly [readonly string[], string, number, RegExp][] = [
    [["--base-url", server.url, "--model", "small"], "wrong-key", 1, /status 401.*Check the key \(model\.api_key\)/],
    [
      ["--base-url", server.url, "--model", "smal"],
      KEY,
      1,
      /status 404: the model smal does not exist.*model\.default/,
    ],
    [
      ["--base-url", `http://127.0.0.1:${await freePort()}/v1`, "--model", "m"],
      KEY,
      1,
      /Check that a server is running/,
    ],
    [["--base-url", "nonsense", "--model", "m"], KEY, 2, /config\.yaml:\d+: model\.base_url: expected an http/],
    [["--model", "m"], KEY, 2, /model\.base_url is missing/],
    [["--base-url", server.url], KEY, 2, /model\.default is missing/],
    [["--base-url", server.url, "--model", "small"], "", 2, /MY_KEY is not set or empty/],
  ];
  for (const [words, key, code, said] of attempts) {
    const { code: ended, stdout, stderr } = await home.run([...compatible, ...words], { env: { MY_KEY: key } });
    assert.deepEqual([ended, stdout], [code, ""], `${words.join(" ")}: ${stderr}`);
    assert.match(stderr, said);
    if (key !== "") assert.ok(!stderr.includes(key), stderr);
    assert.equal(home.read("config.yaml"), CONFIG);
  }
  const name = await runInProcess(home, ["model", "--api-key-env", "sk-not-a-name"]);
  assert.equal(name.code, 2);
});

test("--no-test saves what cannot be tested here, and a new file is only the user's", async (t) => {
  const home = new Home(t);
  const { code, stderr } = await runInProcess(home, [
    "model",
    "--provider",
    "openai",
    "--api-key-env",
    "MY_KEY",
    "--no-test",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /MY_KEY is not set here/);
  assert.equal(home.read("config.yaml"), "model:\n  provider: openai\n  api_key: ${MY_KEY}\n");
  assert.equal(modeOf(home), 0o600);
});

test("on a terminal it asks for provider, server, key and model, and tests them", { skip }, async (t) => {
  const home = new Home(t);
  await using server = await startModelCatalog(KEY);
  home.write("config.yaml", CONFIG, 0o644);
  const pty = open(t, home, ["model"]);
  await pty.see("The model is claude (anthropic)");
  await pty.see("openai-compatible");
  await pty.see("(anthropic): ");
  pty.type(`olama${ENTER}`);
  await pty.see('There is no provider "olama".');
  await pty.see("(anthropic): ");
  pty.type(`4${ENTER}`);
  await pty.see("(http://127.0.0.1:11434/v1): ");
  pty.type(`${server.url}/${ENTER}`);
  await pty.see("Key (Enter for none): ");
  pty.type(`wrong-key${ENTER}`);
  await pty.see("does not accept the key: status 401");
  await pty.see("Try again? [y/N] ");
  pty.type(`y${ENTER}`);
  await pty.see("Server, up to and including /v1");
  await pty.see("): ");
  pty.type(ENTER);
  await pty.see("Key (Enter for none): ");
  pty.type(`${KEY}${ENTER}`);
  await pty.see("The server has 2 models:");
  await pty.see("its number or its id: ");
  pty.type(`lage${ENTER}`);
  await pty.see('Did you mean "large"?');
  await pty.see("anyway? [y/N] ");
  pty.type(ENTER);
  await pty.see("its number or its id: ");
  pty.type(`2${ENTER}`);
  await pty.see("It answered after");
  assert.equal(await pty.exited, 0);
  assert.match(pty.output(), /The model is large \(openai-compatible\)/);
  for (const secret of [KEY, "wrong-key"]) assert.ok(!pty.raw().includes(secret), pty.output());
  assert.match(home.read("config.yaml"), /^# mine\n[^]* {4}api_key: a-key-nobody-may-see\n/m);
  assert.equal(modeOf(home), 0o600);
  assert.ok(!home.has("logs/hermes.log") || !home.read("logs/hermes.log").includes(KEY));
});

test(
  "on a terminal: what fails its test is saved only when the user says so, and Ctrl+C changes nothing",
  { skip },
  async (t) => {
    const home = new Home(t);
    await using server = await startModelCatalog(KEY);
    const env = { OPENAI_API_KEY: "wrong-key", MY_KEY: KEY };
    for (const answer of ["n", "y"]) {
      const pty = open(t, home, ["model"], env);
      await pty.see("(openai): ");
      pty.type(`openai-compatible${ENTER}`);
      await pty.see("/v1): ");
      pty.type(`${server.url}${ENTER}`);
      await pty.see("Key (Enter for none): ");
      pty.type(`$MY_KEY${ENTER}`);
      await pty.see("its number or its id: ");
      pty.type(`other${ENTER}`);
      await pty.see("anyway? [y/N] ");
      pty.type(`y${ENTER}`);
      await pty.see("It does not work: The model other (openai-compatible) failed: status 404");
      await pty.see("Save it anyway? [y/N] ");
      assert.ok(!home.has("config.yaml"));
      pty.type(`${answer}${ENTER}`);
      assert.equal(await pty.exited, answer === "y" ? 0 : 1);
    }
    const saved = home.read("config.yaml");
    assert.match(saved, /default: other\n[^]*api_key: \$\{MY_KEY\}/);
    const pty = open(t, home, ["model"], env);
    await pty.see("(openai-compatible): ");
    pty.type("\u0003");
    assert.equal(await pty.exited, 130);
    assert.equal(home.read("config.yaml"), saved);
  },
);

test(
  "on a terminal: a vendor's key goes to the proxy that the environment or config.yaml names",
  { skip },
  async (t) => {
    const home = new Home(t);
    await using server = await startModelCatalog(KEY);
    const choose = async (env: NodeJS.ProcessEnv, key: string, shown: string) => {
      const pty = open(t, home, ["model"], env);
      await pty.see("(openai): ");
      pty.type(ENTER);
      await pty.see(shown);
      pty.type(`${key}${ENTER}`);
      await pty.see("The server has 2 models:");
      await pty.see("its number or its id (");
      await pty.see("): ");
      pty.type(`1${ENTER}`);
      assert.equal(await pty.exited, 0, pty.output());
    };
    await choose({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: server.url }, "", "Key (Enter for OPENAI_API_KEY): ");
    assert.equal(home.read("config.yaml"), "model:\n  provider: openai\n  default: small\n");
    home.write("config.yaml", `model:\n  provider: openai\n  base_url: ${server.url}\n  api_key: ${KEY}\n`);
    await choose({}, "", "Key (Enter keeps the present one): ");
    assert.match(home.read("config.yaml"), /default: small/);
    assert.equal(server.requests.length, 4);
  },
);

test("completion offers the providers", async (t) => {
  const { stdout }: Ended = await new Home(t).run(["complete", "--", "model", "--provider", ""]);
  assert.match(stdout, /^anthropic\t/m);
});

function open(t: TestContext, home: Home, words: readonly string[], env: NodeJS.ProcessEnv = {}): Pty {
  const pty = home.terminal(words, env);
  t.after(() => pty.kill());
  return pty;
}

function modeOf(home: Home): number {
  return statSync(join(home.path, "config.yaml")).mode & 0o777;
}
