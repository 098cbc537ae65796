/** Reasoning and incomplete answers as a user sees them: in pipes, in documents, on a terminal. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";
import { startHost } from "../helpers/hosts.ts";
import { startModelServer, type Reply } from "../helpers/model-server.ts";
import { until } from "../helpers/poll.ts";
import { noPty } from "../helpers/pty.ts";

const ENTER = "\r";
const REASONED: Reply = { reasoning: "They want a greeting.", text: "Hello!" };
const CUT: Reply = { text: "One, two, th", finish: "length" };
const SENTENCE = "The answer was cut off at the model's length limit.";
const EMPTY = "The model gave an empty answer.";

async function homeWith(t: TestContext, replies: readonly Reply[]): Promise<Home> {
  const server = await startModelServer(replies);
  t.after(() => server[Symbol.asyncDispose]());
  const home = new Home(t);
  home.write("config.yaml", `model: { provider: openai-compatible, default: m, base_url: "${server.url}" }\n`);
  return home;
}

test("in a pipe the answer has no reasoning, and sentences about it go to standard error", async (t) => {
  const home = await homeWith(t, [REASONED, CUT, CUT, { text: "" }, { text: "" }]);
  const reasoned = await home.run(["chat", "-q", "hello"]);
  assert.deepEqual([reasoned.stdout, reasoned.stderr], ["Hello!\n", ""]);
  for (const quiet of [[], ["-Q"]]) {
    const cut = await home.run(["chat", "-q", "count", ...quiet]);
    assert.deepEqual([cut.stdout, cut.stderr, cut.code], ["One, two, th\n", `hermes: ${SENTENCE}\n`, 0]);
  }
  for (const quiet of [[], ["-Q"]]) {
    const empty = await home.run(["chat", "-q", "count", ...quiet]);
    assert.deepEqual([empty.stdout, empty.stderr, empty.code], ["", `hermes: ${EMPTY}\n`, 0]);
  }
  assert.ok(home.read("logs/hermes.log").includes(EMPTY));
});

test("stream-json has reasoning as frames; the document has the answer's end", async (t) => {
  const home = await homeWith(t, [REASONED, CUT]);
  const frames = framesOf(await home.run(["chat", "-q", "hello", "--output-format", "stream-json"]));
  const deltas = (type: string) => frames.flatMap((frame) => (frame["type"] === type ? [frame["delta"]] : [])).join("");
  assert.deepEqual([deltas("reasoning"), deltas("text")], ["They want a greeting.", "Hello!"]);
  const answer = frames.find(({ type }) => type === "assistant");
  assert.deepEqual([answer?.["content"], answer?.["finish_reason"]], ["Hello!", "stop"]);
  const ended = await home.run(["chat", "-q", "count", "--output-format", "json"]);
  const document = JSON.parse(ended.stdout) as Record<string, unknown>;
  assert.deepEqual(
    [document["content"], document["finish_reason"], document["notice"]],
    ["One, two, th", "length", SENTENCE],
  );
  assert.equal(ended.stderr, `hermes: ${SENTENCE}\n`);
});

test("a terminal shows reasoning in faint letters until /reasoning off", { skip: noPty }, async (t) => {
  const home = await homeWith(t, [REASONED, { reasoning: "HIDDEN", text: "Bye!" }, REASONED]);
  const pty = home.terminal(["chat"], { NO_COLOR: "" });
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`hi${ENTER}`);
  await pty.see(/They want a greeting\.\r?\n+Hello!/);
  assert.ok(pty.raw().includes("\u001b[2mThey wan\u001b[22m"), JSON.stringify(pty.raw()));
  await pty.see("›");
  pty.type(`/reasoning off${ENTER}`);
  await pty.see("The model's reasoning is hidden.");
  await pty.see("›");
  pty.type(`hi${ENTER}`);
  await pty.see("Bye!");
  assert.ok(!pty.output().includes("HIDDEN"));
  await pty.see("›");
  pty.type(`/reasoning maybe${ENTER}`);
  await pty.see('say "on" or "off"');
  await pty.see("›");
  pty.type(`/reasoning on${ENTER}`);
  await pty.see("The model's reasoning is shown.");
  await pty.see("›");
  pty.type(`hi${ENTER}`);
  await pty.see("They want a greeting.");
});

test("the answer to BOOT.md says that it was cut off", async (t) => {
  const home = await homeWith(t, [CUT]);
  home.write("BOOT.md", "count\n");
  const host = await startHost(t, home, ["--startup", "--quiet"]);
  const delivered = () => host.lines().flatMap((line) => (line.delivered === undefined ? [] : [line.delivered]));
  await until(() => delivered().length > 0, "the answer is delivered");
  assert.deepEqual(delivered(), [`One, two, th\n\n(${SENTENCE})`]);
  await host.end();
});
