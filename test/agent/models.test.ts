import assert from "node:assert/strict";
import test from "node:test";
import { describeModel, selectModel, shownUrl, type ModelSettings } from "#agent/models/select";
import { createBench } from "../helpers/agent-bench.ts";

const chosen = (settings: ModelSettings, env: NodeJS.ProcessEnv = {}) => describeModel(settings, env).provider;

test("without a model section a key in the environment decides, else the offline model", () => {
  assert.equal(chosen({}), "offline");
  assert.equal(chosen({}, { OPENROUTER_API_KEY: "k" }), "openrouter");
  assert.equal(chosen({}, { OPENROUTER_API_KEY: "k", ANTHROPIC_API_KEY: "k" }), "anthropic");
  assert.equal(chosen({}, { ANTHROPIC_API_KEY: "k", OPENAI_API_KEY: "k" }), "openai");
  assert.equal(chosen({}, { OPENAI_API_KEY: "" }), "offline");
  assert.equal(chosen({ provider: "offline" }, { OPENAI_API_KEY: "k" }), "offline");
});

test("the named model and address are used", () => {
  assert.deepEqual(describeModel({ provider: "openai", default: "m", base_url: "http://h/v1/", api_key: "k" }, {}), {
    provider: "openai",
    id: "m",
    baseUrl: "http://h/v1",
    keySource: "model.api_key",
    contextLength: undefined,
    hasKey: true,
  });
  assert.equal(describeModel({ provider: "openai" }, { OPENAI_API_KEY: "k" }).keySource, "OPENAI_API_KEY");
  const { provider, hasKey } = describeModel({ base_url: "http://h/v1", default: "m" }, {});
  assert.deepEqual([provider, hasKey], ["openai-compatible", false]);
});

test("the context's length is the configured one, else that of a well-known model, behind a router's vendor, too", () => {
  const lengthOf = (id: string, context_length?: number) =>
    describeModel({ base_url: "http://h/v1", default: id, context_length }, {}).contextLength;
  assert.equal(lengthOf("claude-sonnet-4-6"), 200_000);
  assert.equal(lengthOf("anthropic/Claude-Sonnet-4.6"), 200_000);
  assert.equal(lengthOf("gpt-4.1-mini"), 1_047_576);
  assert.equal(lengthOf("qwen3:8b"), undefined);
  assert.equal(lengthOf("claude-sonnet-4-6", 32_000), 32_000);
});

test("the variables of the vendors' packages name another server; model.base_url wins", () => {
  const url = (settings: ModelSettings, env: NodeJS.ProcessEnv) => describeModel(settings, env).baseUrl;
  const OPENAI = { OPENAI_API_KEY: "k", OPENAI_BASE_URL: "http://127.0.0.1:1/v1/" };
  assert.equal(url({}, OPENAI), "http://127.0.0.1:1/v1");
  assert.equal(url({ provider: "openai", base_url: "http://h/v1" }, OPENAI), "http://h/v1");
  assert.equal(url({}, { ...OPENAI, OPENAI_BASE_URL: " " }), "https://api.openai.com/v1");
  // Anthropic's packages append /v1 themselves.
  const ANTHROPIC = { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: "http://127.0.0.1:2" };
  assert.equal(url({}, ANTHROPIC), "http://127.0.0.1:2/v1");
  assert.equal(url({}, { ...ANTHROPIC, ANTHROPIC_BASE_URL: "http://127.0.0.1:2/v1" }), "http://127.0.0.1:2/v1");
  const OPENROUTER = { OPENROUTER_API_KEY: "k", OPENROUTER_BASE_URL: "http://127.0.0.1:3/api/v1" };
  assert.equal(url({}, OPENROUTER), "http://127.0.0.1:3/api/v1");
  assert.throws(
    () => url({}, { ...OPENAI, OPENAI_BASE_URL: "proxy:8080" }),
    /OPENAI_BASE_URL is not an http or https URL/,
  );
});

test("an address is shown without a user name and password", () => {
  assert.equal(shownUrl("https://me:secret@host/v1"), "https://host/v1");
  assert.equal(shownUrl("https://host/v1"), "https://host/v1");
  assert.equal(shownUrl(""), "");
});

for (const [settings, problem] of [
  [{ provider: "openai" }, /OPENAI_API_KEY.*model\.api_key/],
  [{ provider: "anthropic" }, /ANTHROPIC_API_KEY/],
  [{ provider: "openrouter" }, /OPENROUTER_API_KEY/],
  [{ provider: "openai-compatible", default: "m" }, /model\.base_url/],
  [{ provider: "openai-compatible", base_url: "http://h" }, /model\.default/],
  [{ provider: "openai-compatible", base_url: "localhost:1", default: "m" }, /not an http or https URL/],
] as const satisfies readonly (readonly [ModelSettings, RegExp])[]) {
  test(`says what is missing: ${JSON.stringify(settings)}`, async () => {
    assert.throws(() => describeModel(settings, {}), { code: "HERMES_MODEL_CONFIG", message: problem });
    await assert.rejects(selectModel(settings, {}), { code: "HERMES_MODEL_CONFIG" });
  });
}

test("every provider's package gives a model object", async () => {
  for (const provider of ["offline", "openai", "anthropic", "openrouter", "openai-compatible"] as const) {
    const { model } = await selectModel({ provider, default: "m", api_key: "k", base_url: "http://127.0.0.1:1" }, {});
    assert.equal(model.specificationVersion, "v4");
  }
});

test("a turn whose model is not configured ends with 2 and a sentence, and stores nothing", async () => {
  const bench = createBench({ model: { provider: "openai" } });
  const result = await bench.turn("hello");
  assert.equal(result.exit_code, 2);
  assert.equal(bench.framesOf("error")[0]?.code, "HERMES_MODEL_CONFIG");
  assert.deepEqual(bench.sessions.history(bench.session.id), []);
});

test("the offline model says what it is in a session's first answer only", async () => {
  const bench = createBench();
  assert.match((await bench.turn("hello")).text ?? "", /offline model.*OPENAI_API_KEY.*config\.yaml/);
  assert.equal((await bench.turn("hello")).text, "hello");
});

test("after calls the offline model answers with one paragraph; it is deterministic", async () => {
  const answers = await Promise.all(
    [1, 2].map(async () => {
      const bench = createBench({ deps: { tools: () => [tool] } });
      await bench.turn("hello");
      return (await bench.turn("@lines {}\n@lines {}")).text;
    }),
  );
  assert.equal(answers[0], 'lines returned {"text":"a\\nb"}; lines returned {"text":"a\\nb"}.');
  assert.equal(answers[0], answers[1]);
});

const tool = { name: "lines", description: "", parameters: {}, execute: async () => ({ text: "a\nb" }) };
