import assert from "node:assert/strict";
import test from "node:test";
import type { Frame } from "#core/frames";
import { mirrorFrames } from "#core/mirror";
import { HookRegistry } from "#core/registry";

const session_id = "sess_1";

function fixture() {
  const reports: string[] = [];
  const registry = new HookRegistry((sentence) => reports.push(sentence));
  const seen: unknown[] = [];
  registry.register("tui:*", (event, context) => seen.push([event, context]));
  const mirror = mirrorFrames(registry, (given) => given.replaceAll("hunter2hunter2", "[redacted]"));
  return { registry, reports, seen, play: (...frames: Frame[]) => frames.forEach(mirror) };
}

const text = (delta: string, session = session_id): Frame => ({ type: "text", session_id: session, delta });
const result: Frame = { type: "result", session_id, completed: true, interrupted: false, duration_ms: 5, exit_code: 0 };

test("each frame is one event of the table, with its payload", () => {
  const { seen, play } = fixture();
  play(
    { type: "session", session_id, model: "m", platform: "cli", resumed: false },
    { type: "reasoning", session_id, delta: "A greeting." },
    text("Hel"),
    { type: "reasoning", session_id, delta: "Go on." },
    text("lo"),
    { type: "tool_use", session_id, tool: "terminal", tool_id: "t1", params: { command: "ls" } },
    {
      type: "hook",
      session_id,
      event: "pre_tool_call",
      source: "shell",
      name: "g",
      outcome: "pass",
      duration_ms: 3,
      detail: null,
      tool_call_id: "t1",
    },
    { type: "tool_result", session_id, tool: "terminal", tool_id: "t1", content: "{}", success: true },
    { type: "injected", session_id, source_kind: "background", source_label: "task", content: "done" },
    { type: "assistant", session_id, content: "Hello", finish_reason: "stop" },
    { type: "cost", session_id, input_tokens: 7, output_tokens: 2 },
    { type: "error", session_id, message: "It failed.", code: "HERMES_INTERNAL" },
    result,
  );
  const payloads: [string, unknown][] = [
    ["tui:session.info", { model: "m", platform: "cli", resumed: false }],
    ["tui:reasoning.delta", { text: "A greeting." }],
    ["tui:message.start", {}],
    ["tui:message.delta", { text: "Hel" }],
    ["tui:reasoning.delta", { text: "Go on." }],
    ["tui:message.delta", { text: "lo" }],
    ["tui:tool.start", { name: "terminal", tool_id: "t1", params: { command: "ls" } }],
    [
      "tui:hook.complete",
      {
        event: "pre_tool_call",
        source: "shell",
        name: "g",
        outcome: "pass",
        duration_ms: 3,
        detail: null,
        tool_call_id: "t1",
      },
    ],
    ["tui:tool.complete", { name: "terminal", tool_id: "t1", success: true, content: "{}" }],
    ["tui:injected", { source_kind: "background", source_label: "task", content: "done" }],
    ["tui:message.complete", { text: "Hello", finish_reason: "stop" }],
    ["tui:status.update", { input_tokens: 7, output_tokens: 2 }],
    ["tui:error", { message: "It failed.", code: "HERMES_INTERNAL" }],
    ["tui:turn.complete", { completed: true, interrupted: false, duration_ms: 5 }],
  ];
  assert.deepEqual(
    seen,
    payloads.map(([event, payload]) => [event, { session_id, payload }]),
  );
});

test("every answer of the model has its own message.start, in each session", () => {
  const { seen, play } = fixture();
  const hook: Frame = {
    type: "hook",
    session_id,
    event: "e",
    source: "plugin",
    name: "p",
    outcome: "pass",
    duration_ms: 1,
    detail: null,
    tool_call_id: null,
  };
  const use: Frame = { type: "tool_use", session_id, tool: "t", tool_id: "1", params: {} };
  const done: Frame = { type: "tool_result", session_id, tool: "t", tool_id: "1", content: "", success: true };
  play(
    text("a"),
    hook,
    text("b", "other"),
    text("c"),
    use,
    done,
    text("d"),
    text("e"),
    result,
    text("f"),
    text("g", "other"),
  );
  const letters = seen.map((entry) => {
    const [event, { payload }] = entry as [string, { payload: { text?: string } }];
    return event === "tui:message.start" ? "<" : (payload.text ?? "");
  });
  assert.equal(letters.join(""), "<a<bc<de<fg");
});

test("a result is mirrored in its first 2,000 characters, none of them cut in two", () => {
  const { seen, play } = fixture();
  const content = `${"x".repeat(1999)}🦊🦊`;
  play({ type: "tool_result", session_id, tool: "t", tool_id: "1", content, success: true });
  const [[, context]] = seen as [[string, { payload: { content: string } }]];
  assert.equal(context.payload.content, `${"x".repeat(1999)}🦊`);
});

test("the cut of a long result never leaves a part of a secret", () => {
  for (let before = 1980; before < 2002; before++) {
    const { seen, play } = fixture();
    const content = `${"🦊".repeat(before)}hunter2hunter2${"y".repeat(5000)}`;
    play({ type: "tool_result", session_id, tool: "t", tool_id: "1", content, success: true });
    const [[, context]] = seen as [[string, { payload: { content: string } }]];
    assert.doesNotMatch(context.payload.content, /h/);
    assert.equal(Array.from(context.payload.content).length, 2000);
  }
});

test("a failing subscriber disturbs neither the surface nor the others", () => {
  const { registry, reports, seen, play } = fixture();
  registry.register("tui:message.delta", () => assert.fail("broken"), { name: "broken" });
  play(text("a"));
  assert.equal(seen.length, 2);
  assert.match(reports.join(), /"broken" failed at tui:message.delta/);
});

test("nothing is made of a frame when nobody listens", () => {
  const registry = new HookRegistry();
  const params = new Proxy({}, { ownKeys: () => assert.fail("looked at"), get: () => assert.fail("looked at") });
  const frame = { type: "tool_use", session_id, tool: "t", tool_id: "1" } as const;
  const guarded = Object.defineProperty({ ...frame }, "params", { get: () => params, enumerable: true }) as Frame;
  mirrorFrames(registry, String)(guarded);
  let content = 0;
  const counted = { type: "assistant", session_id } as const;
  const assistant = Object.defineProperty({ ...counted }, "content", { get: () => `${content++}` }) as Frame;
  mirrorFrames(registry, String)(assistant);
  assert.equal(content, 0);
});
