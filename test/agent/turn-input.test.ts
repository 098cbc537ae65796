/** What a surface gives a turn besides the message: instructions, earlier messages, images. */
import test from "node:test";
import assert from "node:assert/strict";
import type { ModelSettings } from "#agent/models/select";
import type { TurnInput } from "#core/ports/agent";
import { createBench, type AgentBench } from "../helpers/agent-bench.ts";
import { startModelServer } from "../helpers/model-server.ts";

const PIXEL = { media_type: "image/png", data: "iVBORw0KGgo=" };

function begin({ runner, session }: AgentBench, input: TurnInput) {
  return runner.turn({ session, platform: "cli", signal: new AbortController().signal, ...input });
}

async function benchWithServer(t: { after(fn: () => unknown): void }, model: Partial<ModelSettings> = {}) {
  const server = await startModelServer([]);
  t.after(() => server.stop());
  const bench = createBench({
    model: { provider: "openai-compatible", base_url: server.url, default: "m", ...model },
    deps: { instructions: "Ours." },
  });
  return { server, bench };
}

test("instructions of the client follow ours in one system message, for this turn only", async (t) => {
  const { server, bench } = await benchWithServer(t);
  await begin(bench, { message: "hello", instructions: "Answer in French." });
  await begin(bench, { message: "again" });
  const [first, second] = server.requests.map(({ messages }) => messages);
  assert.deepEqual(first, [
    { role: "system", content: "Ours.\n\nAnswer in French." },
    { role: "user", content: "hello" },
  ]);
  assert.deepEqual(second?.[0], { role: "system", content: "Ours." });
  assert.ok(!JSON.stringify(bench.sessions.history(bench.session.id)).includes("French"));
});

test("earlier messages of the client are sent instead of the stored ones, and not stored", async (t) => {
  const { server, bench } = await benchWithServer(t);
  bench.sessions.append(bench.session.id, { role: "user", content: "stored" });
  const history = [
    { role: "user", content: "before" },
    { role: "assistant", content: "yes?" },
  ] as const;
  await begin(bench, { message: "now", history });
  assert.deepEqual(
    server.requests[0]?.messages.slice(1).map(({ role, content }) => ({ role, content })),
    [...history, { role: "user", content: "now" }],
  );
  assert.deepEqual(
    bench.sessions.history(bench.session.id).map(({ content }) => content),
    ["stored", "now", "done"],
  );
});

test("images go to the model with the message, in later turns too; hooks see no data", async (t) => {
  const { server, bench } = await benchWithServer(t);
  bench.listen();
  await begin(bench, { message: "what is this?", images: [PIXEL] });
  await begin(bench, { message: "", images: [PIXEL, PIXEL] });
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL.data}` } };
  const first = [{ type: "text", text: "what is this?" }, image];
  assert.deepEqual(server.requests[0]?.messages[1]?.content, first);
  assert.deepEqual(
    server.requests[1]?.messages.slice(1).map(({ content }) => content),
    [first, "done", [image, image]],
  );
  const seen = JSON.stringify(bench.fired);
  assert.ok(seen.includes("image/png") && !seen.includes(PIXEL.data), seen);
});

for (const [name, model] of [
  ["the offline model", { provider: "offline" }],
  ["images: false", { images: false }],
] as const) {
  test(`a model that takes no images is told of them: ${name}`, async (t) => {
    const { server, bench } = await benchWithServer(t, model);
    const one = await begin(bench, { message: "what is this?", images: [PIXEL] });
    await begin(bench, { message: "", images: [PIXEL, PIXEL] });
    const said = [one.text, ...server.requests.flatMap(({ messages }) => messages.map(({ content }) => content))];
    assert.match(String(said), /what is this\?\n\n\(An image was sent, which you cannot see\.\)/);
    assert.ok(!JSON.stringify(server.requests).includes(PIXEL.data));
  });
}
