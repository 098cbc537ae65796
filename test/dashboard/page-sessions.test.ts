/** How the page puts sessions, turns and the records of hooks together from events. */
import test from "node:test";
import assert from "node:assert/strict";
import { Conversation, ordinaryDay, type EventFrame } from "../helpers/dashboard-events.ts";
import { parseEvent } from "../../dashboard/page/events.js";
import { Hooks, percentile } from "../../dashboard/page/hooks-state.js";
import { StoredFacts } from "../../dashboard/page/stored-facts.js";
import { usageWords } from "../../dashboard/page/usage.js";
import { reasonOf } from "../../dashboard/page/values.js";
import { nameOf, Sessions } from "../../dashboard/page/sessions-state.js";

/** Makes the models of these events, one a second. */
function told(frames: readonly EventFrame[]) {
  const sessions = new Sessions();
  const hooks = new Hooks();
  for (const [index, frame] of frames.entries()) {
    const at = new Date(Date.UTC(2026, 10, 21) + index * 1000).toISOString();
    const event = parseEvent(JSON.stringify({ seq: index + 1, at, ...frame }));
    assert.ok(event);
    sessions.add(event);
    hooks.add(event);
  }
  return { sessions, hooks };
}

function session(conversation: Conversation) {
  const found = told(conversation.frames).sessions.get(conversation.id);
  assert.ok(found);
  return found;
}

test("a turn is shown in order, with outcomes, durations and cost", () => {
  const chat = new Conversation("sess_a").begin("big-model");
  chat.hook("on_session_start", "notes", "pass", 1).ask("Do it");
  chat.call(
    "terminal",
    { command: "ls" },
    { output: "a" },
    {
      between: () => chat.hook("pre_tool_call", "guard", "block", 12, { cause: "timeout", detail: "No time." }),
      success: false,
    },
  );
  chat.answer("It is done.", 3200, [10, 4]);
  const { turns, state, model, platform, lastWords } = session(chat);
  assert.deepEqual([state, model, platform], ["idle", "big-model", "cli"]);
  assert.deepEqual(lastWords, { who: "agent", text: "It is done." });
  assert.equal(turns.length, 1);
  const { items, ending, durationMs, tokens, isOpen } = turns[0]!;
  assert.deepEqual([ending, durationMs, tokens, isOpen], ["completed", 3200, { input: 10, output: 4 }, false]);
  assert.deepEqual(
    items.map(({ kind, label, state: outcome, cause, durationMs: ms }) => [kind, label, outcome, cause, ms]),
    [
      ["hook", "notes", "pass", "", 1],
      ["message", "", "", "", null],
      ["tool", "terminal", "blocked", "", null],
      ["answer", "", "done", "", null],
    ],
  );
});

test("hooks are listed below their call with their reasons, and the time of a call is that of the tool", () => {
  const chat = new Conversation("sess_a").ask("Do it");
  const call = (between: () => void, success = true) =>
    chat.call("terminal", { command: "ls" }, { output: "a" }, { between, success });
  call(() =>
    chat
      .hook("pre_tool_call", "slow", "pass", 900)
      .hook("post_tool_call", "audit", "error", 300, { detail: "the disk is full" }),
  );
  call(() => chat.hook("pre_tool_call", "~/hooks/guard.sh", "block", 5, { detail: "not on\na Friday" }), false);
  call(() => chat.hook("pre_tool_call", "approvals", "ask", 5));
  const found = session(chat.tui("tool.start", { name: "patch", tool_id: "x", params: {} }));
  const tools = found.turns[0]!.items.filter(({ kind }) => kind === "tool");
  assert.deepEqual(
    tools.map(({ state, blockedBy, durationMs }) => [state, blockedBy, durationMs]),
    [
      // A second for each event: two after the gate, less the hook after the tool.
      ["ok", "", 1700],
      ["blocked", "blocked by guard.sh: not on a Friday", null],
      ["ok", "", null],
      ["running", "", null],
    ],
  );
  assert.deepEqual(
    tools[0]!.hooks.map(({ label, state, text }) => [label, state, text]),
    [
      ["slow", "pass", ""],
      ["audit", "error", "the disk is full"],
    ],
  );
  assert.deepEqual([found.errors, found.blocks], [1, 1]);
});

test("a call that a hook asks about waits for the user until its result", () => {
  const chat = new Conversation("sess_a").ask("Do it");
  chat.tui("tool.start", { name: "terminal", tool_id: "t", params: {} });
  chat.hook("pre_tool_call", "approvals", "ask", 1, { tool_call_id: "t" });
  assert.equal(session(chat).turns[0]!.items.at(-1)!.state, "asks");
  chat.tui("tool.complete", { name: "terminal", tool_id: "t", success: true, content: "{}" });
  assert.equal(session(chat).turns[0]!.items.at(-1)!.state, "ok");
});

test("a session is called by its title, else by the first words, else by its id", async () => {
  const chat = new Conversation("sess_0123456789").begin();
  assert.equal(nameOf(session(chat)), "456789");
  const { sessions } = told(
    chat.ask("Fix the\nbuild").answer("Done.", 1, [10, 4]).ask("More").answer("x", 1, [7, 1]).frames,
  );
  const found = sessions.get(chat.id)!;
  assert.deepEqual([nameOf(found), found.tokens], ["Fix the build", 22]);
  const asked: string[] = [];
  const usage = { input_tokens: 1000, output_tokens: 24, cost: 4.5, unpriced_turns: 1 };
  const facts = new StoredFacts((path) => {
    asked.push(path);
    return Promise.resolve({ value: { sessions: [null, { id: "x" }, { id: chat.id, title: "The build", usage }] } });
  }, sessions);
  assert.deepEqual([await facts.refresh(), nameOf(found), await facts.refresh()], [true, "The build", false]);
  assert.equal(asked.length, 1, "nothing is asked for again without a further turn");
  assert.equal(usageWords(found.usage, found.tokens), "1,024 tokens · cost\u00A04.5000 without 1 turn of other models");
  found.tokens += 2000;
  assert.match(usageWords(found.usage, found.tokens), /^2,022 tokens/, "what events say may be newer");
  assert.deepEqual([await facts.refresh(), asked.length], [false, 2], "the end of a turn");
});

test("an answer grows while it is written, and hooks have the last word", () => {
  const chat = new Conversation("sess_a").ask("Hi");
  chat.tui("message.start").tui("message.delta", { text: "I will " }).tui("message.delta", { text: "look." });
  const growing = session(chat).turns[0]!.items[1]!;
  assert.deepEqual([growing.text, growing.state], ["I will look.", "streaming"]);
  chat.call("read_file", { path: "a" }, { content: "" });
  chat.tui("message.start").tui("message.delta", { text: "Secret!" }).tui("message.complete", { text: "[redacted]" });
  const texts = session(chat).turns[0]!.items.map(({ kind, text, state }) => [kind, text, state]);
  assert.deepEqual(texts.at(1), ["answer", "I will look.", "done"]);
  assert.deepEqual(texts.at(-1), ["answer", "[redacted]", "done"]);
  assert.equal(texts.length, 4);
});

test("reasoning is an item of its own, and an answer that is cut off says so", () => {
  const chat = new Conversation("sess_a").ask("Hi");
  chat.tui("reasoning.delta", { text: "They " }).tui("reasoning.delta", { text: "greet." });
  const growing = session(chat).turns[0]!.items[1]!;
  assert.deepEqual([growing.kind, growing.text, growing.state], ["reasoning", "They greet.", "streaming"]);
  chat.call("read_file", { path: "a" }, { content: "" }).tui("reasoning.delta", { text: "More." });
  chat.tui("message.start").tui("message.delta", { text: "Hel" });
  chat.tui("message.complete", { text: "Hel", finish_reason: "length", notice: "It was cut off." });
  assert.deepEqual(
    session(chat)
      .turns[0]!.items.slice(1)
      .map(({ kind, text, label, state }) => [kind, kind === "tool" ? "" : text, label, state]),
    [
      ["reasoning", "They greet.", "", "done"],
      ["tool", "", "read_file", "ok"],
      ["reasoning", "More.", "", "done"],
      ["answer", "Hel", "", "done"],
      ["error", "It was cut off.", "length", ""],
    ],
  );
});

test("sessions run, rest and end", () => {
  const chat = new Conversation("sess_a").begin();
  assert.equal(session(chat).state, "idle");
  assert.equal(session(chat.ask("Hi")).state, "running");
  assert.equal(session(chat.answer("Hello")).state, "idle");
  assert.equal(session(chat.end()).state, "ended");
  assert.equal(session(chat.hook("on_session_finalize", "notes", "pass", 1)).state, "ended");
  assert.equal(session(chat.ask("Again")).state, "running");
});

test("the end of a session may have only its key", () => {
  const chat = new Conversation("sess_a", { src: "gateway", platform: "telegram" }).begin().ask("Hi");
  const key = "agent:main:telegram:dm:sess_a";
  chat.frames.push({ event_type: "session:end", context: { platform: "telegram", session_key: key }, src: "gateway" });
  const { state, turns } = session(chat);
  assert.deepEqual([state, turns[0]!.isOpen], ["ended", false]);
});

test("a surface without frames of the turn is shown from agent:start and agent:end", () => {
  const chat = new Conversation("sess_a").ask("Hi").event("agent:end", { message: "Hi", response: "Hello" });
  const { turns, state } = session(chat);
  assert.equal(state, "idle");
  assert.deepEqual(
    turns[0]!.items.map(({ kind, text }) => [kind, text]),
    [
      ["message", "Hi"],
      ["answer", "Hello"],
    ],
  );
});

test("a message that a program sent begins one turn, with its source", () => {
  const chat = new Conversation("sess_a").ask("Hi").answer("Hello");
  chat.tui("injected", { source_kind: "inject", source_label: "send", content: "Look" });
  chat.ask("Look").answer("Fine.");
  assert.deepEqual(
    session(chat).turns.map(({ items }) => items.map(({ kind }) => kind)),
    [
      ["message", "answer"],
      ["injected", "message", "answer"],
    ],
  );
});

test("a user's command is a separate turn", () => {
  const chat = new Conversation("sess_a").ask("Hi").answer("Hello");
  chat.tui("tool.start", { name: "terminal", tool_id: "t1", params: { command: "ls" } });
  chat.tui("tool.complete", { name: "terminal", tool_id: "t1", success: true, content: "{}" });
  chat.ask("Next");
  assert.deepEqual(
    session(chat).turns.map(({ items }) => items.map(({ kind }) => kind)),
    [["message", "answer"], ["tool"], ["message"]],
  );
});

test("a result whose call was before what is kept is shown all the same", () => {
  const chat = new Conversation("sess_a").tui("tool.complete", {
    name: "patch",
    tool_id: "x",
    success: true,
    content: "{}",
  });
  assert.deepEqual(
    session(chat).turns[0]!.items.map(({ label, state }) => [label, state]),
    [["patch", "ok"]],
  );
});

test("running sessions come first, then the most recently active ones", () => {
  const { sessions } = told([
    ...new Conversation("old").ask("a").frames,
    ...new Conversation("resting").ask("b").answer("c").frames,
    ...new Conversation("done").ask("b").end().frames,
    ...new Conversation("new").ask("b").frames,
  ]);
  assert.deepEqual(
    sessions.list().map(({ id }) => id),
    ["new", "old", "done", "resting"],
  );
});

test("odd contexts and unknown types break nothing", () => {
  const odd = [
    {},
    { payload: null },
    { payload: { text: { a: 1 } } },
    { payload: { params: [], tool_id: 7 } },
    { message: [] },
  ];
  const types = ["tui:x", "__proto__", "constructor", ...ordinaryDay().map(({ event_type }) => event_type)];
  const frames = types.flatMap((event_type) =>
    odd.map((context) => ({ event_type, context: { session_id: "s", ...context }, src: "cli" })),
  );
  assert.equal(told(frames).sessions.size, 1);
});

test("what is kept of sessions, turns and items has bounds", () => {
  const many = Array.from(
    { length: 400 },
    (_, index) => new Conversation(`sess_${index}`).begin().ask("Hi").frames,
  ).flat();
  assert.equal(told(many).sessions.size, 200);

  const long = new Conversation("sess_a");
  for (let turn = 0; turn < 80; turn++) long.ask(`question ${turn}`).answer("x");
  assert.deepEqual([session(long).turns.length, session(long).turnCount, session(long).turns[0]!.number], [50, 80, 31]);

  const busy = new Conversation("sess_b").ask("Hi");
  for (let step = 0; step < 500; step++) busy.hook("pre_tool_call", `h${step}`, "pass", 1);
  const [turn] = session(busy).turns;
  assert.deepEqual([turn!.items.length, turn!.skipped, turn!.items[0]!.kind], [300, 201, "message"]);
  assert.equal(turn!.items.at(-1)!.label, "h499");

  const hooked = new Conversation("sess_h").ask("Hi");
  hooked.call(
    "terminal",
    {},
    {},
    {
      between: () => {
        for (let step = 0; step < 500; step++) hooked.hook("pre_tool_call", `h${step}`, "pass", 1);
      },
    },
  );
  const [bounded] = session(hooked).turns;
  assert.deepEqual([bounded!.items[1]!.hooks.length, bounded!.size], [50, 52]);

  const wordy = new Conversation("sess_c").ask("x".repeat(100_000));
  assert.ok(session(wordy).turns[0]!.items[0]!.text.length < 4100);
});

test("all items together have a bound; those of the session heard of first go first", () => {
  const frames = Array.from({ length: 60 }, (_, index) => {
    const chat = new Conversation(`sess_${index}`).ask("Hi");
    for (let step = 0; step < 299; step++) chat.hook("pre_tool_call", "h", "pass", 1);
    return chat.frames;
  }).flat();
  const { sessions } = told(frames);
  const items = sessions.list().flatMap(({ turns }) => turns.flatMap((turn) => turn.items));
  assert.ok(items.length <= 10_000 && items.length > 9000, String(items.length));
  assert.equal(sessions.get("sess_0"), undefined);
  assert.ok(sessions.get("sess_59"));
});

test("of each hook: calls, blocks, errors, percentiles, the last failure", () => {
  const chat = new Conversation("sess_a");
  for (let ms = 1; ms <= 100; ms++) chat.hook("pre_tool_call", "guard", "pass", ms);
  chat.hook("pre_tool_call", "guard", "block", 50).hook("pre_tool_call", "guard", "block", 50, { cause: "error" });
  chat.hook("post_tool_call", "guard", "timeout", 5000);
  const { hooks } = told(chat.frames);
  const [first, second] = hooks.sorted("calls", true);
  assert.ok(first && second);
  assert.deepEqual([first.calls, first.blocks, first.errors, first.lastFailure?.failure], [102, 2, 1, "error"]);
  assert.deepEqual([percentile(first, 0.5), percentile(first, 0.95)], [50, 95]);
  assert.deepEqual([second.event, second.errors, second.lastFailure?.session], ["post_tool_call", 1, "sess_a"]);
  assert.deepEqual(
    hooks.sorted("p95", true).map(({ event }) => event),
    ["post_tool_call", "pre_tool_call"],
  );
  assert.deepEqual(
    hooks.sorted("event", false).map(({ event }) => event),
    ["post_tool_call", "pre_tool_call"],
  );
});

test("the reason of a failure is told without the hook's name, which stands next to it", () => {
  const name = 'python3 "my hook.py" failed at once';
  const reasons = [
    `shell hook "${name}" failed at pre_tool_call: it failed with exit code 3: no network`,
    `shell hook "${name}" did not answer pre_tool_call within 5 s. Raise its time limit.`,
    "deleting folders needs a person",
  ].map((detail) => reasonOf(detail));
  assert.deepEqual(reasons, [
    "it failed with exit code 3: no network",
    "did not answer pre_tool_call within 5 s. Raise its time limit.",
    "deleting folders needs a person",
  ]);
  const chat = new Conversation("sess_a").hook("pre_tool_call", name, "error", 1, {
    detail: `shell hook "${name}" failed at pre_tool_call: no network`,
  });
  const [hook] = told(chat.frames).hooks.sorted("calls", true);
  assert.deepEqual([hook?.lastFailure?.reason, session(chat).turns[0]?.items[0]?.text], ["no network", "no network"]);
});

test("percentiles are those of the last runs; a hook without durations has none", () => {
  const chat = new Conversation("sess_a");
  for (let run = 0; run < 300; run++) chat.hook("pre_tool_call", "guard", "pass", 9000);
  for (let run = 0; run < 256; run++) chat.hook("pre_tool_call", "guard", "pass", 1);
  chat.tui("hook.complete", { event: "e", name: "odd", outcome: "pass", duration_ms: "soon" });
  const [guard, odd] = told(chat.frames).hooks.sorted("calls", true);
  assert.ok(guard && odd);
  assert.equal(percentile(guard, 1), 1);
  assert.equal(percentile(odd, 0.5), null);
});

test("the number of hooks has a bound; the one that ran longest ago goes", () => {
  const chat = new Conversation("sess_a");
  for (let hook = 0; hook < 400; hook++) chat.hook("pre_tool_call", `h${hook}`, "pass", 1);
  const { hooks } = told(chat.frames);
  assert.equal(hooks.size, 300);
  assert.ok(!hooks.sorted("name", false).some(({ name }) => name === "h0"));
});
