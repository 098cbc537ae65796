/** Servers of others, run by the package aimock: what each provider of ours gets from them. docs/models.md lists them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { LLMock } from "@copilotkit/aimock";
import { createOpenAIModel } from "#agent/models/openai";
import type { ModelSettings, SelectedModel } from "#agent/models/select";
import { createBench, type AgentBench } from "../helpers/agent-bench.ts";
import { ROOT } from "../helpers/hermes.ts";

const CALL = { id: "call_a", name: "terminal", arguments: '{"command":"ls"}' };

async function startAimock(t: TestContext): Promise<LLMock> {
  const mock = new LLMock({ port: 0, logLevel: "silent" });
  await mock.start();
  t.after(() => mock.stop());
  return mock;
}

/** In the words of OpenAI and of Anthropic. */
const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10, input_tokens: 7, output_tokens: 3 };

/** The same script on every server: reasoning and a call, then the answer. */
function script(mock: LLMock): void {
  mock.on(
    { userMessage: "list", hasToolResult: false },
    { content: "I look.", toolCalls: [CALL], reasoning: "Hm.", usage },
  );
  mock.on({ userMessage: "list", hasToolResult: true }, { content: "Two files.", reasoning: "I see.", usage });
  mock.on({ userMessage: "count" }, { content: "One, two, th", finishReason: "length" });
}

type Make = (url: string) => { model: ModelSettings } | { deps: { model: () => Promise<SelectedModel> } };

/** The model id decides what aimock sends: it gives reasoning for models that reason. */
const SERVERS: Readonly<Record<string, { make: Make; reasons: boolean; back: boolean }>> = {
  "openai-compatible, DeepSeek's model": {
    make: (url) => ({ model: { provider: "openai-compatible", base_url: `${url}/v1`, default: "deepseek-reasoner" } }),
    reasons: true,
    back: true,
  },
  "openai at another address": {
    make: (url) => ({ model: { provider: "openai", base_url: `${url}/v1`, default: "o3", api_key: "k" } }),
    reasons: true,
    back: true,
  },
  "openai with OpenAI's own package": {
    make: (url) => ({ deps: { model: () => ownPackage(`${url}/v1`) } }),
    // Chat Completions of OpenAI give no reasoning, and the package reads none.
    reasons: false,
    back: false,
  },
  anthropic: {
    make: (url) => ({
      model: { provider: "anthropic", base_url: `${url}/v1`, default: "claude-sonnet-4-6", api_key: "k" },
    }),
    reasons: true,
    // Thinking goes back as well; aimock's list of requests leaves it out.
    back: false,
  },
  openrouter: {
    make: (url) => ({
      model: { provider: "openrouter", base_url: `${url}/api/v1`, default: "deepseek/deepseek-r1", api_key: "k" },
    }),
    reasons: true,
    back: true,
  },
};

async function ownPackage(baseUrl: string): Promise<SelectedModel> {
  const model = await createOpenAIModel({ id: "gpt-5.4-mini", baseUrl, apiKey: "k", fetch });
  return { model, id: "gpt-5.4-mini", provider: "openai", baseUrl, keySource: "", takesImages: true, redact: String };
}

const thoughts = (bench: AgentBench) =>
  bench
    .framesOf("reasoning")
    .map(({ delta }) => delta)
    .join("");

for (const [name, { make, reasons, back }] of Object.entries(SERVERS)) {
  test(`aimock as ${name}: text, a call, reasoning, tokens, the end of an answer, a retry`, async (t) => {
    const mock = await startAimock(t);
    script(mock);
    const bench = createBench(make(mock.url));
    const result = await bench.turn("list");
    assert.deepEqual([result.text, result.finish_reason, result.exit_code], ["Two files.", "stop", 0]);
    assert.deepEqual(bench.framesOf("tool_use")[0]?.params, { command: "ls" });
    assert.equal(thoughts(bench), reasons ? "Hm.I see." : "");
    const { input_tokens, output_tokens } = bench.framesOf("cost")[0]!;
    assert.deepEqual([input_tokens, output_tokens], [14, 6]);
    assert.equal(JSON.stringify(mock.getRequests()[1]?.body).includes('"reasoning_content":"Hm."'), back);

    mock.nextRequestError(503, { message: "overloaded" });
    const cut = await bench.turn("count");
    assert.deepEqual([cut.text, cut.finish_reason], ["One, two, th", "length"]);
    assert.equal(mock.getRequests().length, 4);
  });
}

test("docs/models.md lists these servers, with the version that is run", () => {
  const page = readFileSync(join(ROOT, "docs/models.md"), "utf8");
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  const rows = [...page.matchAll(/^\| aimock ([\d.]+) as (.*?) +\| (.*?) +\|/gm)];
  assert.deepEqual(
    rows.map(([, version, name, got]) => [version, name, got!.includes("reasoning")]),
    Object.entries(SERVERS).map(([name, { reasons }]) => [devDependencies["@copilotkit/aimock"], name, reasons]),
  );
});
