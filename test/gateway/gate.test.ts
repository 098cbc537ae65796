/** `pre_gateway_dispatch`: what hooks get of a message, and what their answers do (seed 003). */
import assert from "node:assert/strict";
import test from "node:test";
import { createGatewayBench, type GatewayBench } from "../helpers/gateway-bench.ts";
import { MemoryAdapter } from "../helpers/memory-adapter.ts";

interface GatePayload {
  readonly session_id: string;
  readonly event: {
    readonly text: string;
    readonly source: object;
    readonly message_id: string;
    readonly internal: boolean;
  };
  readonly gateway: { readonly adapters: Record<string, { send(chat_id: string, text: string): Promise<unknown> }> };
  readonly session_store: { append_to_transcript(id: string, message: { role: string; content: string }): unknown };
}

/** Adds a hook for the event, typed. */
function gate({ agent }: GatewayBench, run: (payload: GatePayload) => unknown): void {
  agent.hook("pre_gateway_dispatch", (payload) => run(payload as unknown as GatePayload));
}

test("the payload: the message as it came, the conversation's session, nothing that can be changed", async (t) => {
  const bench = await createGatewayBench(t);
  const payloads: GatePayload[] = [];
  gate(bench, (payload) => void payloads.push(payload));
  const place = { chat_type: "group", chat_id: "g", user_id: "7", thread_id: "t", message_id: "5" };
  const message = bench.adapter.message("hello", place);
  await bench.adapter.inbox.receive(message);
  await bench.adapter.receive("again", { ...place, message_id: "6" });
  const { text, source, message_id, internal } = message;
  assert.deepEqual(payloads[0]?.event, { text, source, message_id, internal });
  assert.equal(payloads[0].session_id, "");
  assert.equal(payloads[1]?.session_id, bench.agent.sessions.byKey("agent:main:memory:thread:g:t")?.id);
  assert.ok(Object.isFrozen(payloads[0].event.source));
  assert.ok(!Object.isFrozen(message.source));
});

test("skip: nothing is answered, nobody is asked for access, no session begins", async (t) => {
  const bench = await createGatewayBench(t, { settings: {} });
  gate(bench, () => ({ action: "skip", reason: "listening only" }));
  const { adapter, agent, logged } = bench;
  await adapter.receive("hello");
  assert.deepEqual(await adapter.ask("hello"), { text: null, problem: null, frames: [] });
  assert.deepEqual(adapter.sent, []);
  assert.equal(agent.sessions.byKey("agent:main:memory:dm:1"), undefined);
  assert.ok(logged.some((line) => line.includes("listening only")));
});

test("rewrite: the new text is used, also for commands", async (t) => {
  const bench = await createGatewayBench(t);
  gate(bench, ({ event }) => ({ action: "rewrite", text: event.text === "help me" ? "/help" : `${event.text}!` }));
  assert.match((await bench.adapter.ask("hello")).text!, /^hello!/);
  assert.match((await bench.adapter.ask("help me")).text!, /^\/help: /);
});

test("whatever a hook does wrong, the message goes its way", async (t) => {
  const answers: (() => unknown)[] = [
    () => {
      throw new Error("no");
    },
    () => Promise.reject(new Error("no")),
    () => "skip",
    () => ({ action: "block" }),
    () => ({ action: "rewrite" }),
    () => ({ action: "allow" }),
  ];
  for (const answer of answers) {
    const bench = await createGatewayBench(t);
    gate(bench, answer);
    assert.match((await bench.adapter.ask("hello")).text!, /^hello/);
  }
});

test("the first action wins", async (t) => {
  const bench = await createGatewayBench(t);
  gate(bench, () => ({ action: "allow" }));
  gate(bench, () => ({ action: "skip" }));
  assert.match((await bench.adapter.ask("hello")).text!, /^hello/);
});

test("what the program itself has to say does not pass the hook", async (t) => {
  const bench = await createGatewayBench(t);
  gate(bench, () => ({ action: "skip" }));
  assert.match((await bench.adapter.ask("a task ended", { internal: true })).text!, /^a task ended/);
});

test("a hook can send through every platform that runs, and sees those that come and go", async (t) => {
  const adapters = ["memory", "other", "__proto__"].map((name) => new MemoryAdapter({ name }));
  const bench = await createGatewayBench(t, { adapters });
  const names: string[][] = [];
  gate(bench, async ({ event, gateway }) => {
    names.push(Object.keys(gateway.adapters));
    for (const handle of Object.values(gateway.adapters)) await handle.send("owner", `look: ${event.text}`);
    assert.equal(gateway.adapters["nobody"], undefined);
    return { action: "skip" };
  });
  await bench.adapter.receive("hello");
  for (const adapter of adapters) assert.deepEqual(adapter.textsOf("owner"), ["look: hello"]);
  await bench.gateway.setAdapters(adapters.slice(0, 1));
  await bench.adapter.receive("again");
  assert.deepEqual(names, [["memory", "other", "__proto__"], ["memory"]]);
});

test("a transcript takes messages without a turn; an empty id is the conversation of the message", async (t) => {
  const bench = await createGatewayBench(t);
  gate(bench, ({ session_id, event, session_store }) => {
    if (!event.text.startsWith("ambient")) return undefined;
    session_store.append_to_transcript(session_id, { role: "user", content: event.text });
    return { action: "skip" };
  });
  const { adapter, agent } = bench;
  await adapter.receive("ambient one");
  await adapter.receive("ambient two");
  const { id } = agent.sessions.byKey("agent:main:memory:dm:1")!;
  assert.deepEqual(agent.sessions.history(id), [
    { role: "user", content: "ambient one" },
    { role: "user", content: "ambient two" },
  ]);
  const { frames } = await adapter.ask("well?");
  assert.deepEqual([frames[0]!.session_id, (frames[0] as { resumed?: boolean }).resumed], [id, false]);
});

test("a message for the transcript of a running turn comes behind it, and breaks no call from its result", async (t) => {
  const bench = await createGatewayBench(t, { settings: { allowed_users: ["*"], busy: "queue" } });
  gate(bench, ({ session_id, event, session_store }) => {
    if (event.text !== "ambient") return undefined;
    session_store.append_to_transcript(session_id, { role: "user", content: event.text });
    return { action: "skip" };
  });
  const { adapter, agent, tool } = bench;
  const first = adapter.ask("@wait {}");
  await tool.running(1);
  await adapter.receive("ambient");
  tool.release();
  const { frames } = await first;
  assert.deepEqual(
    agent.sessions.history(frames[0]!.session_id).map(({ role }) => role),
    ["user", "assistant", "tool", "assistant", "user"],
  );
});

test("an invalid message and an unknown session are errors for the hook", async (t) => {
  const bench = await createGatewayBench(t);
  const thrown: string[] = [];
  gate(bench, ({ session_store }) => {
    const attempts: [unknown, unknown][] = [
      ["sess_nobody", { role: "user", content: "x" }],
      ["", { role: "tool", content: "x" }],
      ["", { role: "user", content: 5 }],
      ["", null],
      [5, { role: "user", content: "x" }],
    ];
    for (const attempt of attempts) {
      try {
        session_store.append_to_transcript(...(attempt as Parameters<typeof session_store.append_to_transcript>));
      } catch (error) {
        thrown.push((error as Error).message);
      }
    }
  });
  await bench.adapter.ask("hello");
  assert.equal(thrown.length, 5);
  assert.match(thrown[0]!, /no session "sess_nobody"/);
  const [session] = bench.agent.sessions.list({ platform: "memory" });
  assert.equal(session?.message_count, 2);
});
