/** Fields that several events share, with their descriptions and sample values. */
import type { ChatMessage } from "./messages.ts";
import type { Zod } from "./zod.ts";

export const SAMPLE_SESSION = "sess_sample";
export const SAMPLE_MODEL = "sample-model";

export const sessionId = (zod: Zod) => zod.string().describe("The session's ID; never empty within a session");
const args = (zod: Zod) => zod.record(zod.string(), zod.unknown()).describe("The arguments of the tool call");

export const toolCall = (zod: Zod) => ({
  tool_name: zod.string().describe("The tool's name"),
  args: args(zod),
  task_id: zod.string().describe("The ID of the task or session that the call belongs to; empty if there is none"),
  session_id: sessionId(zod),
  tool_call_id: zod.string().describe("The call's ID; all events of a call have the same"),
});

const message = (zod: Zod) =>
  zod
    .looseObject({
      role: zod.enum(["system", "user", "assistant", "tool"]).describe("Who said it"),
      content: zod.union([zod.string(), zod.null()]).describe("Its text; null for one that only calls tools"),
    })
    .describe("A message in OpenAI format");

export const platform = (zod: Zod) => zod.string().describe("Where the session runs: cli, subagent, telegram, …");
const model = (zod: Zod) => zod.string().describe("The model's ID");

export const place = (zod: Zod) => ({ model: model(zod), platform: platform(zod) });

export const conversation = (zod: Zod) => ({
  session_id: sessionId(zod),
  user_message: zod.string().describe("What the user wrote, before any context was added"),
  conversation_history: zod.array(message(zod)).describe("A copy of the session's messages, in OpenAI format"),
  ...place(zod),
});

export const request = (zod: Zod) => ({
  session_id: sessionId(zod),
  task_id: zod.string().describe("The ID of the task or session that the request belongs to"),
  platform: platform(zod),
  model: model(zod),
  provider: zod.string().describe("offline, openai, anthropic, openrouter or openai-compatible"),
  base_url: zod.string().describe("The API's base URL; empty for the offline model"),
  api_call_count: zod
    .int()
    .describe("The number of the request in its turn, starting at 1; a retry has the same number"),
  message_count: zod.int().describe("How many messages the request has"),
  tool_count: zod.int().describe("How many tools the model may call"),
  approx_input_tokens: zod.int().describe("An estimate: a quarter of the characters sent"),
  started_at: zod.iso.datetime().describe("When the request was sent: ISO 8601, UTC"),
});

export const child = (zod: Zod) => ({
  session_id: sessionId(zod),
  parent_session_id: zod.string().describe("The session that delegated the task; the same as session_id"),
  child_session_id: zod.string().describe("The child agent's session"),
  child_role: zod.union([zod.string(), zod.null()]).describe("Always null; for compatibility"),
});

export const SAMPLE_TOOL_CALL = {
  tool_name: "terminal",
  args: { command: "echo hello" } as Record<string, unknown>,
  task_id: SAMPLE_SESSION,
  session_id: SAMPLE_SESSION,
  tool_call_id: "call_sample",
};
export const SAMPLE_PLACE = { model: SAMPLE_MODEL, platform: "cli" };
export const SAMPLE_HISTORY: ChatMessage[] = [{ role: "user", content: "Say hello" }];
export const SAMPLE_REQUEST = {
  session_id: SAMPLE_SESSION,
  task_id: SAMPLE_SESSION,
  ...SAMPLE_PLACE,
  provider: "offline",
  base_url: "",
  api_call_count: 1,
  message_count: 2,
  tool_count: 6,
  approx_input_tokens: 120,
  started_at: "2026-01-01T00:00:00.000Z",
};
export const SAMPLE_CHILD = {
  session_id: SAMPLE_SESSION,
  parent_session_id: SAMPLE_SESSION,
  child_session_id: "sess_child",
  child_role: null,
};
