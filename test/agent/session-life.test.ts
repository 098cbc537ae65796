/** The life of a session is the same on every surface: its frames, hooks and gateway events come in one order. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { ChatRepl } from "#cli/chat/chat-repl";
import type { Host } from "#cli/host/host";
import { createPluginTurns } from "#cli/plugin-turns";
import { EVENT_NAMES } from "#core/events";
import { createBench, type AgentBench } from "../helpers/agent-bench.ts";
import { createGatewayBench } from "../helpers/gateway-bench.ts";

/** What a session's events are called when they are recorded, in the order in which they came. */
interface Recorded {
  readonly session_id: string | null;
  readonly event: string;
}

const SESSION_EVENTS = ["session:start", "session:end", "session:reset", "agent:start", "agent:step", "agent:end"];
const NO_SIGNAL = new AbortController().signal;

/** Records hooks, gateway events and mirrored frames alike. */
function record(bench: Pick<AgentBench, "hook" | "registry">): Recorded[] {
  const recorded: Recorded[] = [];
  const put = (event: string, { session_id }: Readonly<Record<string, unknown>>) =>
    void recorded.push({ event, session_id: session_id as string | null });
  for (const event of EVENT_NAMES) bench.hook(event, (payload) => put(event, payload));
  for (const event of SESSION_EVENTS) bench.registry.register(event, put);
  bench.registry.register("tui:*", (event, context) => {
    // Their number is that of the words and of the hooks above.
    if (event !== "tui:hook.complete" && event !== "tui:message.delta") put(event, context);
  });
  return recorded;
}

const TURN = [
  "agent:start",
  "pre_llm_call",
  "pre_api_request",
  "tui:message.start",
  "post_api_request",
  "agent:step",
  "transform_llm_output",
  "tui:message.complete",
  "post_llm_call",
  "agent:end",
  "on_session_end",
  "tui:status.update",
  "tui:turn.complete",
];
const FIRST_TURN = ["tui:session.info", "session:start", "on_session_start", ...TURN];
const NEXT_TURN = ["tui:session.info", ...TURN];
const END = ["session:end", "on_session_finalize"];
const RESET = ["tui:session.info", "session:reset", "on_session_reset"];

/** A chat on the terminal's side of the agent; the rest of its host is not used. */
function chatOf(bench: AgentBench): ChatRepl {
  const { runner, sessions, dispatcher, registry } = bench;
  const model = { describe: () => ({ id: "offline", provider: "offline", baseUrl: "" }) };
  return new ChatRepl({ runner, sessions, dispatcher, registry, model, surface: "cli" } as unknown as Host);
}

function pluginTurnsOf({ runner, sessions }: AgentBench) {
  const log = { error: () => undefined } as never;
  return createPluginTurns({ runner, sessions, surface: "cli", log });
}

/** Every surface: what it does with a message that begins a session which ends, and what must come of that. */
const SURFACES: Readonly<Record<string, () => Promise<{ recorded: Recorded[] }>>> = {
  async chat() {
    const bench = createBench();
    const recorded = record(bench);
    const chat = chatOf(bench);
    await chat.send("hello", { signal: NO_SIGNAL, onFrame: () => undefined });
    await chat.close({ signal: NO_SIGNAL, onFrame: () => undefined });
    return { recorded };
  },
  async "a plugin's turn, as boot-md has one"() {
    const bench = createBench();
    const recorded = record(bench);
    await pluginTurnsOf(bench).run({ prompt: "hello", plugin: "boot-md" });
    return { recorded };
  },
};

for (const [surface, run] of Object.entries(SURFACES)) {
  test(`the life of a session from its first frame to its end: ${surface}`, async () => {
    const { recorded } = await run();
    assert.deepEqual(
      recorded.map(({ event }) => event),
      [...FIRST_TURN, ...END],
    );
    const ids = new Set(recorded.map(({ session_id }) => session_id));
    assert.equal(ids.size, 1);
  });
}

/** The surfaces that keep a session: a second turn, `/new`, a third turn, and the end of the program. */
const CONVERSATIONS: Readonly<
  Record<string, (t: TestContext) => Promise<{ recorded: Recorded[]; end: readonly string[] }>>
> = {
  async chat() {
    const bench = createBench();
    const recorded = record(bench);
    const chat = chatOf(bench);
    const options = { signal: NO_SIGNAL, onFrame: () => undefined };
    for (const message of ["hello", "again"]) await chat.send(message, options);
    await chat.reset(options);
    await chat.send("new", options);
    await chat.close(options);
    return { recorded, end: END };
  },
  async "a chat of the gateway, which goes on after a restart"(t) {
    const { agent, adapter, gateway } = await createGatewayBench(t);
    const recorded = record(agent);
    for (const message of ["hello", "again", "/new", "new"]) await adapter.ask(message);
    await gateway.drain(1000);
    return {
      recorded: recorded.filter(({ event }) => event !== "pre_gateway_dispatch"),
      end: ["on_session_finalize"],
    };
  },
};

for (const [surface, run] of Object.entries(CONVERSATIONS)) {
  test(`a conversation of two sessions: ${surface}`, async (t) => {
    const { recorded, end } = await run(t);
    const [first] = recorded;
    const second = recorded.at(-1);
    assert.notEqual(first?.session_id, second?.session_id);
    const inSession = (session_id: string | null | undefined, events: readonly string[]) =>
      events.map((event) => ({ event, session_id }));
    assert.deepEqual(recorded, [
      ...inSession(first?.session_id, [...FIRST_TURN, ...NEXT_TURN, ...END]),
      ...inSession(second?.session_id, [...RESET, ...FIRST_TURN, ...end]),
    ]);
  });
}

test("a child agent's session has no session frames or gateway events, but the same hooks", async () => {
  const bench = createBench();
  const recorded = record(bench);
  await bench.turn('delegate "hello"');
  const child = recorded.filter(({ session_id }) => session_id !== bench.session.id);
  const hooks = [...FIRST_TURN, ...END].filter((event) => !event.includes(":"));
  assert.deepEqual(
    child.map(({ event }) => event),
    hooks,
  );
});

test("every frame names a session that a session frame has named before, closing hooks included", async (t) => {
  const { agent, adapter, gateway } = await createGatewayBench(t);
  const named = new Set<unknown>();
  const unnamed: string[] = [];
  agent.registry.register("tui:*", (event, { session_id }) => {
    if (event === "tui:session.info") named.add(session_id);
    else if (!named.has(session_id)) unnamed.push(event);
  });
  for (const event of EVENT_NAMES) agent.hook(event, () => undefined);
  for (const message of ["hello", "/new", "again"]) await adapter.ask(message);
  await adapter.ask("hello", { history: [] });
  await pluginTurnsOf(agent).run({ prompt: 'delegate "hello"', plugin: "boot-md" });
  const chat = chatOf(agent);
  const options = { signal: NO_SIGNAL, onFrame: () => undefined };
  await chat.shell("true", options);
  await chat.reset(options);
  await chat.close(options);
  await gateway.drain(1000);
  assert.deepEqual(unnamed, []);
  // Two of the gateway's chat, one each of the request and the plugin, two of the chat.
  assert.equal(named.size, 6);
});

test("a session frame says whether a turn came before, and which model answers", async () => {
  const bench = createBench({ deps: { modelId: () => "some-model" } });
  for (const message of ["one", "two"]) await bench.turn(message);
  assert.deepEqual(
    bench.framesOf("session").map(({ model, platform, resumed }) => [model, platform, resumed]),
    [
      ["some-model", "cli", false],
      ["some-model", "cli", true],
    ],
  );
});

test("a model that cannot be named is the turn's to report", async () => {
  const bench = createBench({ model: { provider: "openai-compatible" } });
  const { exit_code } = await bench.turn("hello");
  assert.notEqual(exit_code, 0);
  assert.deepEqual(
    bench.frames.map(({ type }) => type),
    ["session", "error", "cost", "result"],
  );
  assert.equal(bench.framesOf("session")[0]?.model, "");
});

test("an aborted end is waited for no longer than its hooks have for their last words", async () => {
  const bench = createBench();
  bench.hook("on_session_finalize", () => new Promise(() => undefined));
  bench.registry.register("session:end", () => new Promise(() => undefined));
  const stop = new AbortController();
  const ended = bench.runner.close({ session: bench.session, platform: "cli", signal: stop.signal });
  stop.abort();
  await ended;
});

/** The frames of hooks and tools that the surfaces emit are those of the agent; each names the call that it is about. */
test("the hook frames of a tool call carry its id on every surface, those of other events none", async (t) => {
  const { agent, adapter, gateway, tool } = await createGatewayBench(t);
  tool.release();
  const calls = new Map<unknown, unknown>();
  const seen = new Map<unknown, Set<unknown>>();
  agent.registry.register("tui:*", (event, { session_id, payload }) => {
    const { tool_id, tool_call_id, event: hooked } = payload as Readonly<Record<string, unknown>>;
    if (event === "tui:tool.start") calls.set(session_id, tool_id);
    if (event !== "tui:hook.complete") return;
    const isAboutTool = ["pre_tool_call", "post_tool_call", "transform_tool_result"].includes(String(hooked));
    assert.equal(tool_call_id, isAboutTool ? calls.get(session_id) : null, String(hooked));
    if (isAboutTool) seen.set(session_id, (seen.get(session_id) ?? new Set()).add(hooked));
  });
  for (const event of EVENT_NAMES) agent.hook(event, () => undefined);
  agent.hook("pre_tool_call", () => ({ action: "modify", args: { changed: true } }));
  await adapter.ask("@wait {}");
  await adapter.ask("@wait {}", { history: [] });
  await pluginTurnsOf(agent).run({ prompt: "@wait {}", plugin: "boot-md" });
  const chat = chatOf(agent);
  const options = { signal: NO_SIGNAL, onFrame: () => undefined };
  await chat.send("@wait {}", options);
  await chat.close(options);
  await gateway.drain(1000);
  assert.equal(seen.size, 4);
  for (const events of seen.values()) assert.equal(events.size, 3);
});
