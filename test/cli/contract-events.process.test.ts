/** CONTRACT §4, row by row, through the real program: when each event fires, in which order, with which keys. */
import assert from "node:assert/strict";
import test from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";
import { startModelServer } from "../helpers/model-server.ts";

interface Seen {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Records every hook event and every gateway event, in order. */
const RECORDER = `
import { appendFileSync } from "node:fs";
const note = (event, payload) =>
  appendFileSync(process.env.HERMES_HOME + "/seen", JSON.stringify({ event, payload }) + "\\n");
const EVENTS = ["pre_tool_call", "post_tool_call", "pre_llm_call", "post_llm_call", "on_session_start",
  "on_session_end", "on_session_finalize", "on_session_reset", "subagent_start", "subagent_stop", "pre_api_request",
  "post_api_request", "api_request_error", "transform_tool_result", "transform_llm_output", "pre_gateway_dispatch"];
export function register(ctx) {
  for (const event of EVENTS) ctx.register_hook(event, (payload) => note(event, payload));
  for (const namespace of ["session", "agent", "command"]) ctx.on(namespace + ":*", note);
}`;

function seen(home: Home): Seen[] {
  return home
    .read("seen")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Seen);
}

/** Keys as the contract and seed 003 give them, with their types; written down here a second time on purpose. */
const PLACE = { model: "string", platform: "string" };
const CALL = { tool_name: "string", args: "object", task_id: "string", session_id: "string", tool_call_id: "string" };
const TURN = { session_id: "string", user_message: "string", conversation_history: "array", ...PLACE };
const REQUEST = {
  session_id: "string",
  task_id: "string",
  ...PLACE,
  provider: "string",
  base_url: "string",
  api_call_count: "number",
  message_count: "number",
  tool_count: "number",
  approx_input_tokens: "number",
  started_at: "string",
};
const CHILD = { session_id: "string", parent_session_id: "string", child_session_id: "string", child_role: "null" };
const PAYLOADS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pre_tool_call: CALL,
  post_tool_call: { ...CALL, result: "string" },
  transform_tool_result: { ...CALL, result: "string", duration_ms: "number" },
  pre_llm_call: { ...TURN, is_first_turn: "boolean" },
  post_llm_call: { ...TURN, assistant_response: "string" },
  transform_llm_output: { session_id: "string", response_text: "string", ...PLACE },
  on_session_start: { session_id: "string", ...PLACE },
  on_session_end: { session_id: "string", completed: "boolean", interrupted: "boolean", ...PLACE },
  on_session_finalize: { session_id: "string", platform: "string" },
  on_session_reset: { session_id: "string", platform: "string" },
  subagent_start: { ...CHILD, child_goal: "string" },
  subagent_stop: { ...CHILD, child_summary: "string", child_status: "string", duration_ms: "number" },
  pre_api_request: REQUEST,
  post_api_request: {
    ...REQUEST,
    duration_ms: "number",
    finish_reason: "string",
    response_model: "string",
    usage: "object",
  },
  api_request_error: {
    ...REQUEST,
    error: "string",
    status_code: "number",
    retry_count: "number",
    retryable: "boolean",
  },
};

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function checkShape({ event, payload }: Seen): void {
  const types = Object.fromEntries(Object.entries(payload).map(([key, value]) => [key, typeOf(value)]));
  assert.deepEqual(types, PAYLOADS[event], event);
  assert.notEqual(payload["session_id"], "", event);
}

test("a whole conversation: every event, its order, its keys and their types", async (t) => {
  const home = new Home(t);
  home.plugin("recorder", RECORDER);
  await using server = await startModelServer([
    { status: 500 },
    {
      calls: [
        { id: "one", name: "terminal", arguments: '{"command":"echo hi"}' },
        { id: "two", name: "delegate_task", arguments: '{"tasks":[{"goal":"first"},{"goal":"second"}]}' },
      ],
    },
    { text: "the first child's answer" },
    { text: "the second child's answer" },
    { text: "all done" },
  ]);
  home.write(
    "config.yaml",
    `plugins: { enabled: [recorder] }
model: { provider: openai-compatible, default: some-model, base_url: "${server.url}", max_retries: 2 }\n`,
  );
  const first = await home.run(["chat", "-q", "please", "--output-format", "stream-json"]);
  assert.equal(first.code, 0, first.stderr);
  const id = String(framesOf(first)[0]?.["session_id"]);
  const all = seen(home);
  for (const one of all) if (!one.event.includes(":")) checkShape(one);

  // What the person's own session saw, in order; the two calls of the step run side by side.
  const own = all.filter(({ payload }) => payload["session_id"] === id);
  const isOfCall = ({ event, payload }: Seen) =>
    event.includes("tool") || event.startsWith("subagent") || payload["tool_call_id"];
  assert.deepEqual(
    own.filter((one) => !isOfCall(one)).map(({ event }) => event),
    [
      "session:start",
      "on_session_start",
      "agent:start",
      "pre_llm_call",
      "pre_api_request",
      "api_request_error",
      "pre_api_request",
      "post_api_request",
      "agent:step",
      "pre_api_request",
      "post_api_request",
      "agent:step",
      "transform_llm_output",
      "post_llm_call",
      "agent:end",
      "on_session_end",
      "session:end",
      "on_session_finalize",
    ],
  );
  const ofCall = (call: string) =>
    own.filter(({ payload }) => payload["tool_call_id"] === call).map(({ event }) => event);
  assert.deepEqual(ofCall("one"), ["pre_tool_call", "post_tool_call", "transform_tool_result"]);
  assert.deepEqual(ofCall("two"), ["pre_tool_call", "post_tool_call", "transform_tool_result"]);
  assert.deepEqual(
    own.filter(({ event }) => event.startsWith("subagent")).map(({ event }) => event),
    ["subagent_start", "subagent_start", "subagent_stop", "subagent_stop"],
  );

  const payloadsOf = (event: string, list = own) =>
    list.filter((one) => one.event === event).map(({ payload }) => payload);
  const requests = payloadsOf("pre_api_request");
  assert.deepEqual(
    requests.map((payload) => payload["api_call_count"]),
    [1, 1, 2],
  );
  const [error] = payloadsOf("api_request_error");
  assert.deepEqual([error?.["status_code"], error?.["retry_count"], error?.["retryable"]], [500, 0, true]);
  assert.match(String(requests[0]?.["started_at"]), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(payloadsOf("post_api_request")[0]?.["usage"], { input_tokens: 10, output_tokens: 5 });
  const [before] = payloadsOf("pre_llm_call");
  assert.deepEqual(before?.["conversation_history"], [{ role: "user", content: "please" }]);
  assert.deepEqual(
    [before?.["user_message"], before?.["is_first_turn"], before?.["platform"]],
    ["please", true, "cli"],
  );
  const [after] = payloadsOf("post_llm_call");
  const history = after?.["conversation_history"] as { role: string; content: string }[];
  assert.deepEqual(
    history.map(({ role }) => role),
    ["user", "assistant", "tool", "tool", "assistant"],
  );
  assert.deepEqual([after?.["assistant_response"], history.at(-1)?.content], ["all done", "all done"]);
  const [ended] = payloadsOf("on_session_end");
  assert.deepEqual([ended?.["completed"], ended?.["interrupted"], ended?.["model"]], [true, false, "some-model"]);
  for (const payload of payloadsOf("post_tool_call")) JSON.parse(String(payload["result"]));

  // Each child is a session of its own on the platform "subagent", with every event of its own.
  const stops = payloadsOf("subagent_stop");
  assert.deepEqual(
    stops.map((payload) => [payload["session_id"], payload["parent_session_id"], payload["child_status"]]),
    [
      [id, id, "completed"],
      [id, id, "completed"],
    ],
  );
  for (const { child_session_id } of stops) {
    const child = all.filter(({ payload }) => payload["session_id"] === child_session_id);
    assert.deepEqual(
      child.map(({ event }) => event),
      [
        "on_session_start",
        "pre_llm_call",
        "pre_api_request",
        "post_api_request",
        "transform_llm_output",
        "post_llm_call",
        "on_session_end",
        "on_session_finalize",
      ],
    );
    for (const { payload } of child) assert.equal(payload["platform"], "subagent");
  }
  assert.ok(!all.some(({ event }) => event === "pre_gateway_dispatch"));

  // A second turn of the session is no new session; a command swaps it.
  home.write("seen", "");
  const second = await home.run(["chat", "-c", "-Q", "-q", "again"]);
  assert.equal(second.code, 0, second.stderr);
  const turn = seen(home);
  assert.ok(!turn.some(({ event }) => event === "on_session_start" || event === "session:start"));
  assert.equal(turn.find(({ event }) => event === "pre_llm_call")?.payload["is_first_turn"], false);
  home.write("seen", "");
  await home.run(["chat", "-c", "-q", "/reset"]);
  const [command, , finalized, , reset] = seen(home);
  assert.deepEqual(
    seen(home).map(({ event }) => event),
    [
      "command:reset",
      "session:end",
      "on_session_finalize",
      "session:reset",
      "on_session_reset",
      "session:end",
      "on_session_finalize",
    ],
  );
  assert.equal(command?.payload["command"], "reset");
  for (const one of [finalized!, reset!]) checkShape(one);
  assert.equal(finalized?.payload["session_id"], id);
  assert.notEqual(reset?.payload["session_id"], id);
  assert.equal(reset?.payload["platform"], "cli");
});

test("a session that /resume leaves is finalized; resuming the same one is nothing", async (t) => {
  const home = new Home(t);
  home.plugin("recorder", RECORDER);
  home.write("config.yaml", "plugins: { enabled: [recorder] }\n");
  const ids: string[] = [];
  for (const message of ["one", "two"]) {
    const ended = await home.run(["chat", "-q", message, "--output-format", "stream-json"]);
    ids.push(String(framesOf(ended)[0]?.["session_id"]));
  }
  const finalizedBy = async (command: string) => {
    home.write("seen", "");
    await home.run(["chat", "-r", ids[1]!, "-q", command]);
    return seen(home)
      .filter(({ event }) => event === "on_session_finalize")
      .map(({ payload }) => payload["session_id"]);
  };
  assert.deepEqual(await finalizedBy(`/resume ${ids[0]}`), [ids[1], ids[0]]);
  assert.deepEqual(await finalizedBy(`/resume ${ids[1]}`), [ids[1]]);
});

test("after a model failure, the iteration limit and an interrupt, these closing events fire with these payloads", async (t) => {
  const home = new Home(t);
  home.plugin("recorder", RECORDER);
  await using server = await startModelServer([
    { cutAfter: "half an" },
    { calls: [{ id: "a", name: "terminal", arguments: '{"command":"echo 1"}' }] },
    { text: "what I did" },
    { hangAfter: "thinking" },
  ]);
  home.write(
    "config.yaml",
    `plugins: { enabled: [recorder] }
model: { provider: openai-compatible, default: m, base_url: "${server.url}", max_retries: 2 }\n`,
  );
  const ends = () => {
    const events = seen(home);
    home.write("seen", "");
    const end = events.find(({ event }) => event === "on_session_end")?.payload;
    assert.ok(!events.some(({ event }) => event === "post_llm_call"));
    assert.equal(events.at(-1)?.event, "on_session_finalize");
    return [end?.["completed"], end?.["interrupted"]];
  };
  const cut = await home.run(["chat", "-q", "x", "--output-format", "stream-json"]);
  assert.equal(cut.code, 1);
  assert.equal(cut.stderr.trim().split("\n").length, 1, cut.stderr);
  assert.deepEqual(
    framesOf(cut)
      .filter(({ type }) => type === "text" || type === "error" || type === "result")
      .map(({ type, code, completed, exit_code }) => [type, code, completed, exit_code]),
    [
      ["text", undefined, undefined, undefined],
      ["error", "HERMES_MODEL_STREAM_CUT", undefined, undefined],
      ["result", undefined, false, 1],
    ],
  );
  assert.deepEqual(ends(), [false, false]);

  const limited = await home.run(["chat", "-q", "x", "--max-turns", "1", "--output-format", "stream-json"]);
  assert.equal(limited.code, 53);
  assert.equal(framesOf(limited).find(({ type }) => type === "assistant")?.["content"], "what I did");
  assert.deepEqual(ends(), [false, false]);

  const stopped = home.start(["chat", "-q", "x", "--output-format", "stream-json"]);
  await stopped.sees("thinking");
  stopped.kill("SIGINT");
  await server.clientGone;
  assert.equal((await stopped.ended).code, 130);
  assert.deepEqual(ends(), [false, true]);
});
