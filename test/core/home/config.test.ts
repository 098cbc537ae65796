import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "#core/home/config";
import { isHermesError, type ErrorCode } from "#core/errors";

const parse = (text: string, env: NodeJS.ProcessEnv = {}) => parseConfig(text, "/home/config.yaml", env);

async function failure(text: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: ErrorCode; message: string }> {
  const error: unknown = await parse(text, env).then(
    () => assert.fail("it was accepted"),
    (thrown: unknown) => thrown,
  );
  assert.ok(isHermesError(error), String(error));
  return error;
}

test("an empty file, and one without sections, give the defaults", async () => {
  for (const text of ["", "# nothing\n", "model:\nagent:\n"]) {
    const { values, warnings } = await parse(text);
    assert.equal(values.agent.max_iterations, 90);
    assert.equal(values.plugins.callback_timeout_seconds, 30);
    assert.deepEqual(warnings, []);
  }
});

test("given values are merged with the defaults of their section", async () => {
  const { values } = await parse("agent: {max_iterations: 3}\nmodel: {provider: openai}\n");
  assert.deepEqual(values.agent, { instructions: true, max_iterations: 3, env_passthrough: [] });
  assert.deepEqual(values.model, { max_retries: 2, timeout_seconds: 120, provider: "openai" });
});

const WRONG: [name: string, text: string, code: ErrorCode, message: RegExp][] = [
  ["tabs", "agent:\n\tmax_iterations: 3\n", "HERMES_CONFIG_SYNTAX", /config\.yaml:2: .*tabs/i],
  ["an open bracket", "plugins: [a\nagent: {}\n", "HERMES_CONFIG_SYNTAX", /config\.yaml:\d+: not valid YAML/],
  ["a key twice", "agent: {}\nagent: {}\n", "HERMES_CONFIG_SYNTAX", /config\.yaml:2: .*unique/],
  ["a list", "- a\n", "HERMES_CONFIG_TYPE", /config\.yaml:1: expected a mapping/],
  ["a scalar", "hello\n", "HERMES_CONFIG_TYPE", /expected a mapping/],
  [
    "text for a number",
    "\nagent:\n  max_iterations: many\n",
    "HERMES_CONFIG_TYPE",
    /:3: agent\.max_iterations: expected a.* number.*"many"/,
  ],
  [
    "a key that is missing",
    "gateway:\n  busy: queue\n  home_channel: { platform: x }\n",
    "HERMES_CONFIG_TYPE",
    /:3: gateway\.home_channel\.chat_id: required, but missing/,
  ],
  ["zero iterations", "agent: {max_iterations: 0}\n", "HERMES_CONFIG_TYPE", /:1: agent\.max_iterations/],
  [
    "a list in a list",
    "plugins:\n  enabled:\n    - a\n    - [b]\n",
    "HERMES_CONFIG_TYPE",
    /:4: plugins\.enabled\[1\]: expected a string/,
  ],
  ["text for a list", "plugins: {enabled: a}\n", "HERMES_CONFIG_TYPE", /plugins\.enabled: expected a list/],
  [
    "a number for a provider",
    "model: {provider: 7}\n",
    "HERMES_CONFIG_TYPE",
    /model\.provider: expected one of offline/,
  ],
  ["text for a switch", "hooks_auto_accept: maybe\n", "HERMES_CONFIG_TYPE", /hooks_auto_accept: expected a boolean/],
];

for (const [name, text, code, message] of WRONG) {
  test(`${name}: an error with file, line and key`, async () => {
    const error = await failure(text);
    assert.equal(error.code, code);
    assert.match(error.message, message);
  });
}

test("an alias bomb is an error, and soon", async () => {
  const levels = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 9; level++) {
    const [name, of] = ["abcdefghij"[level], "abcdefghij"[level - 1]];
    levels.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${of}`).join(", ")}]`);
  }
  const error = await failure(levels.join("\n"));
  assert.equal(error.code, "HERMES_CONFIG_SYNTAX");
  assert.match(error.message, /alias/i);
});

test("unknown keys cause warnings with a line and a suggestion; the others are used", async () => {
  const { values, warnings } = await parse("pluginz: {}\nagent:\n  max_iteration: 3\n  max_iterations: 4\n");
  assert.equal(values.agent.max_iterations, 4);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /config\.yaml:1: unknown key "pluginz".*Did you mean "plugins"\?/);
  assert.match(
    warnings[1] ?? "",
    /config\.yaml:3: unknown key "agent\.max_iteration".*Did you mean "max_iterations"\?/,
  );
});

test("${NAME} is replaced everywhere but in hooks, $${ is a literal ${", async () => {
  const text = [
    "model: {default: 'x-${KIND}', api_key: '${A}${B}'}",
    "plugins: {entries: {p: {settings: {list: ['${A}', '$${A}'], deep: {n: 1}}}}}",
    "hooks: {pre_tool_call: [{command: 'echo ${A}'}]}",
  ].join("\n");
  const { values } = await parse(text, { KIND: "big", A: "1", B: "2" });
  assert.equal(values.model.default, "x-big");
  assert.equal(values.model.api_key, "12");
  assert.deepEqual(values.plugins.entries["p"]?.settings, { list: ["1", "${A}"], deep: { n: 1 } });
  assert.deepEqual(values.hooks, { pre_tool_call: [{ command: "echo ${A}" }] });
});

test("a variable that is not set is an error only where it is demanded", async () => {
  const config = await parse("model:\n  provider: '${P}'\n  api_key: '${MY_KEY}'\nagent: {max_iterations: 2}\n");
  config.demand("agent");
  config.demand("model", "default");
  assert.throws(() => config.demand("model"), /config\.yaml:2: model\.provider: the environment variable P is not set/);
  assert.throws(() => config.demand("model", "api_key"), { code: "HERMES_CONFIG_VARIABLE", message: /:3: .*MY_KEY/ });
});

test("an unknown provider is an error only where a model is needed", async () => {
  const config = await parse("agent: {max_iterations: 2}\nmodel:\n  provider: opnai\n");
  config.demand("agent");
  const message = /config\.yaml:3: model\.provider: expected one of offline.*"opnai"/;
  assert.throws(() => config.demand("model"), { code: "HERMES_CONFIG_TYPE", message });
});

test("a value that came from a variable is validated like any other", async () => {
  const error = await failure("hooks_consent: '${P}'\n", { P: "nonsense" });
  assert.match(error.message, /hooks_consent: expected one of/);
});

test("a value that may be a secret is described, not shown", async () => {
  const secret = "supersecret-value";
  for (const [text, shown] of [
    [`model: { api_key: [${secret}] }`, /model\.api_key: expected a string, found a list/],
    [`gateway: { platforms: { telegram: { token: { a: ${secret} } } } }`, /token: expected a string, found a mapping/],
    [`gateway: { platforms: { api_server: { enabled: true, key: [${secret}] } } }`, /key: .*found a list/],
    [`gateway: { platforms: { telegram: [{ token: ${secret} }] } }`, /telegram: .*found a list/],
    [`plugins: { entries: { x: { settings: ${secret} } } }`, /settings: .*found a string/],
    [`agent: { max_iterations: many }`, /found "many"/],
  ] as const) {
    const error = await parse(text).then(
      () => assert.fail(text),
      (thrown: unknown) => thrown as Error,
    );
    assert.match(error.message, shown);
    assert.doesNotMatch(error.message, /supersecret/);
  }
});

test("a variable that is set but empty is not set", async () => {
  const config = await parse("gateway: { platforms: { api_server: { enabled: true, key: '${MY_KEY}' } } }", {
    MY_KEY: "",
  });
  assert.throws(() => config.demand("gateway"), { code: "HERMES_CONFIG_VARIABLE", message: /MY_KEY is not set/ });
});
