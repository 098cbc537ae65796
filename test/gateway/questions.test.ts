/** `ask` of hooks in chats: asked there, answered with /approve or /deny by the person whose message it is. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { createGatewayBench, type GatewayBenchOptions } from "../helpers/gateway-bench.ts";
import { until } from "../helpers/poll.ts";

const GROUP = { chat_type: "group", chat_id: "7" } as const;

async function askingGateway(t: TestContext, options: GatewayBenchOptions = {}) {
  const bench = await createGatewayBench(t, options);
  bench.agent.hook("pre_tool_call", () => ({ action: "ask", message: "is it\nwise?" }));
  bench.tool.release();
  const { adapter } = bench;
  return {
    ...bench,
    /** Waits for the question with this number. */
    question: (number: number, chat_id = "1") =>
      until(
        () => adapter.textsOf(chat_id).filter((text) => text.startsWith("A hook wants"))[number - 1],
        `question ${number}`,
      ),
    results: () => bench.agent.sessions.list({}).flatMap(({ id }) => bench.agent.sessions.history(id)),
  };
}

const ran = (adapter: { textsOf(id: string): readonly string[] }, chat = "1") =>
  adapter.textsOf(chat).some((text) => text.includes("waited"));

test("the chat gets the question; /approve, while the turn waits, runs the call", async (t) => {
  const { adapter, question } = await askingGateway(t);
  const turn = adapter.receive("@wait {}");
  const text = await question(1);
  assert.match(
    text,
    /^A hook wants your approval for this tool call:\n {2}tool {5}wait\n {2}reason {3}is it\\nwise\?\n/,
  );
  assert.match(text, /\n\/approve – run it\n\/approve all – .*\n\/deny – .*\nNo answer within 5 min declines it\.$/);
  await adapter.receive("/approve");
  await turn;
  assert.ok(adapter.textsOf("1").includes("Approved."));
  assert.ok(ran(adapter));
  await adapter.receive("/approve");
  assert.equal(adapter.textsOf("1").at(-1), "Nothing waits for your approval.");
});

test("buttons answer their own question only, and are taken away once it is answered", async (t) => {
  const { adapter, question } = await askingGateway(t);
  const buttons = (number: number) => adapter.sent.filter((one) => one.buttons !== undefined)[number - 1]!.buttons!;
  let turn = adapter.receive("@wait {}");
  await question(1);
  const [approve, all, deny] = buttons(1).choices;
  assert.deepEqual([approve?.label, all?.label, deny?.label], ["Approve", "Approve all", "Deny"]);
  assert.equal(buttons(1).until.aborted, false);
  await adapter.receive(deny!.message);
  await turn;
  assert.ok(adapter.textsOf("1").includes("Declined."));
  assert.equal(buttons(1).until.aborted, true);

  turn = adapter.receive("@wait {}");
  await question(2);
  for (const stale of [approve!, all!, deny!]) {
    await adapter.receive(stale.message);
    assert.equal(adapter.textsOf("1").at(-1), "This question is closed. Answer the newest one.");
  }
  assert.equal(ran(adapter), false);
  await adapter.receive(buttons(2).choices[0]!.message, { user_id: "2" });
  assert.equal(ran(adapter), false);
  await adapter.receive(buttons(2).choices[1]!.message);
  await turn;
  assert.ok(ran(adapter));
  await adapter.receive("@wait {}");
  assert.equal(adapter.sent.filter((one) => one.buttons !== undefined).length, 2);
});

test("/deny declines; /approve all covers the tool until the session ends", async (t) => {
  const { adapter, question } = await askingGateway(t);
  let turn = adapter.receive("@wait {}");
  await question(1);
  await adapter.receive("/deny");
  await turn;
  assert.ok(adapter.textsOf("1").includes("Declined."));
  assert.match(adapter.textsOf("1").at(-1)!, /You declined this call\./);
  assert.equal(ran(adapter), false);
  turn = adapter.receive("@wait {}");
  await question(2);
  await adapter.receive("/approve all");
  await turn;
  await adapter.receive("@wait {}");
  await adapter.receive("/new");
  turn = adapter.receive("@wait {}");
  await question(3);
  await adapter.receive("/approve maybe");
  assert.match(adapter.textsOf("1").at(-1)!, /^Send \/approve, or \/approve all/);
  await adapter.receive("/deny");
  await turn;
});

test("only the person of the conversation may answer, not others who read along, nor strangers", async (t) => {
  const settings = { allowed_users: ["1", "2"], group_sessions_per_user: false };
  const { adapter, question } = await askingGateway(t, { settings });
  const turn = adapter.receive("@wait {}", GROUP);
  await question(1, "7");
  await adapter.receive("/approve", { ...GROUP, user_id: "2" });
  assert.match(adapter.textsOf("7").at(-1)!, /^Only the person whose message/);
  await adapter.receive("/approve", { ...GROUP, user_id: "666" });
  await adapter.receive("/approve", { user_id: "1" });
  assert.equal(adapter.textsOf("1").at(-1), "Nothing waits for your approval.");
  assert.equal(ran(adapter, "7"), false);
  await adapter.receive("/deny", GROUP);
  await turn;
  assert.match(adapter.textsOf("7").at(-1)!, /You declined this call\./);
});

test("parallel calls are asked about one after another, and each answer is for one", async (t) => {
  const { adapter, question } = await askingGateway(t);
  const turn = adapter.receive("@wait {}\n@wait {}");
  await question(1);
  assert.equal(adapter.textsOf("1").length, 1);
  await adapter.receive("/deny");
  await question(2);
  await adapter.receive("/approve");
  await turn;
  assert.match(adapter.textsOf("1").at(-1)!, /You declined this call\.[^]*waited/);
});

test("without an answer in time the call is blocked, and the chat says so", async (t) => {
  const { adapter } = await askingGateway(t, { timings: { question: 20 } });
  await adapter.receive("@wait {}");
  await until(
    () => adapter.textsOf("1").find((text) => text.startsWith("Nobody answered within 0.02 s")),
    "the notice",
  );
  assert.ok(adapter.textsOf("1").some((text) => text.includes("got no answer")));
  assert.equal(ran(adapter), false);
});

test("a question that cannot be sent blocks, and /approve approves nothing", async (t) => {
  const { adapter } = await askingGateway(t);
  adapter.onSend = (text) => {
    if (text.startsWith("A hook wants")) throw new Error("refused");
  };
  await adapter.receive("@wait {}");
  assert.ok(adapter.textsOf("1").some((text) => text.includes("got no answer")));
});

test("/stop ends the question with its turn; a late /approve approves nothing", async (t) => {
  const { adapter, question } = await askingGateway(t);
  const turn = adapter.receive("@wait {}");
  await question(1);
  await adapter.receive("/stop");
  await turn;
  await adapter.receive("/approve");
  assert.equal(adapter.textsOf("1").at(-1), "Nothing waits for your approval.");
  assert.equal(ran(adapter), false);
});

test("the caller of a request is not asked: the call is blocked at once", async (t) => {
  const { adapter } = await askingGateway(t);
  const { text } = await adapter.ask("@wait {}");
  assert.match(text!, /nobody can be asked here/);
});

test("a hook's own choices, which outlast the chat, are not offered there", async (t) => {
  const { adapter, agent, tool } = await createGatewayBench(t);
  const on_chosen = () => assert.fail("chosen");
  agent.hook("pre_tool_call", () => ({
    action: "ask",
    message: "",
    choices: [{ key: "p", label: "always", on_chosen }],
  }));
  tool.release();
  const turn = adapter.receive("@wait {}");
  const text = await until(() => adapter.textsOf("1")[0], "the question");
  assert.doesNotMatch(text, /always/);
  await adapter.receive("/deny");
  await turn;
});
