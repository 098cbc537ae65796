/**
 * THE table of hook events (CONTRACT §4, seed 003 "Plugin Hooks"). Types, validation, JSON Schemas, sample
 * payloads and docs/events.md are derived from it. Schemas are thunks, so that a start that validates nothing
 * does not load zod.
 */
import type { z } from "zod";
import { declareEvent as event, type AnyEventDeclaration, type EventKind } from "./event-declaration.ts";
import {
  child,
  conversation,
  place,
  platform,
  request,
  SAMPLE_CHILD,
  SAMPLE_HISTORY,
  SAMPLE_MODEL,
  SAMPLE_PLACE,
  SAMPLE_REQUEST,
  SAMPLE_SESSION,
  SAMPLE_TOOL_CALL,
  sessionId,
  toolCall,
} from "./event-fields.ts";

export const EVENTS = {
  pre_tool_call: event({
    kind: "gate",
    onFailure: "mark",
    subject: "tool call",
    verbs: ["block", "ask", "modify"],
    exitTwoBlocks: true,
    scriptsHidden: true,
    tool: true,
    sentence:
      "Before each tool call, of built-in, plugin and unknown tools alike. Can block the call, change its arguments, or let the user decide.",
    payload: (zod) => zod.object(toolCall(zod)),
    sample: () => ({ ...SAMPLE_TOOL_CALL }),
  }),
  post_tool_call: event({
    kind: "observe",
    onFailure: "skip",
    tool: true,
    sentence: "After each tool call, also one that was blocked. Observes only.",
    payload: (zod) =>
      zod.object({ ...toolCall(zod), result: zod.string().describe("The tool's result, always a JSON string") }),
    sample: () => ({ ...SAMPLE_TOOL_CALL, result: '{"output":"hello\\n","exit_code":0}' }),
  }),
  transform_tool_result: event({
    kind: "transform",
    onFailure: "skip",
    subject: "tool result",
    tool: true,
    sentence: "After post_tool_call, before the model sees the result. The first string replaces the result.",
    payload: (zod) =>
      zod.object({
        ...toolCall(zod),
        result: zod.string().describe("The tool's result, always a JSON string"),
        duration_ms: zod.number().describe("How long the tool ran, in milliseconds"),
      }),
    sample: () => ({ ...SAMPLE_TOOL_CALL, result: '{"output":"hello\\n","exit_code":0}', duration_ms: 12 }),
  }),
  pre_llm_call: event({
    kind: "context",
    onFailure: "skip",
    sentence: "Once per turn, before the first request to the model. Can add context to this turn's user message.",
    payload: (zod) =>
      zod.object({ ...conversation(zod), is_first_turn: zod.boolean().describe("True on a session's first turn") }),
    sample: () => ({
      session_id: SAMPLE_SESSION,
      user_message: "Say hello",
      conversation_history: [...SAMPLE_HISTORY],
      is_first_turn: true,
      ...SAMPLE_PLACE,
    }),
  }),
  transform_llm_output: event({
    kind: "transform",
    onFailure: "skip",
    subject: "answer",
    ignoresEmpty: true,
    holdsAnswer: true,
    sentence: "Before the final answer of a turn is shown and stored. The first non-empty string replaces the answer.",
    payload: (zod) =>
      zod.object({
        session_id: sessionId(zod),
        response_text: zod.string().describe("The final answer of the turn"),
        ...place(zod),
      }),
    sample: () => ({ session_id: SAMPLE_SESSION, response_text: "Hello!", ...SAMPLE_PLACE }),
  }),
  post_llm_call: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "After a turn that ended with an answer and was not interrupted. Observes only.",
    payload: (zod) =>
      zod.object({
        ...conversation(zod),
        assistant_response: zod.string().describe("The final answer, after transform_llm_output"),
      }),
    sample: () => ({
      session_id: SAMPLE_SESSION,
      user_message: "Say hello",
      assistant_response: "Hello!",
      conversation_history: [...SAMPLE_HISTORY],
      ...SAMPLE_PLACE,
    }),
  }),
  on_session_start: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "On the first turn of a new session, before pre_llm_call. Observes only.",
    payload: (zod) => zod.object({ session_id: sessionId(zod), ...place(zod) }),
    sample: () => ({ session_id: SAMPLE_SESSION, ...SAMPLE_PLACE }),
  }),
  on_session_end: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "At the end of every turn, however it ended. Observes only.",
    payload: (zod) =>
      zod.object({
        session_id: sessionId(zod),
        completed: zod.boolean().describe("True when the turn ended with an answer"),
        interrupted: zod.boolean().describe("True when the user stopped the turn"),
        ...place(zod),
      }),
    sample: () => ({ session_id: SAMPLE_SESSION, completed: true, interrupted: false, ...SAMPLE_PLACE }),
  }),
  on_session_finalize: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "When a session ends: at /new, when it was idle for too long, and when the program exits. Observes only.",
    payload: (zod) =>
      zod.object({
        session_id: zod.union([zod.string(), zod.null()]).describe("The session's ID; null if it had not begun"),
        platform: platform(zod),
      }),
    sample: () => ({ session_id: SAMPLE_SESSION, platform: "cli" }),
  }),
  on_session_reset: event({
    kind: "observe",
    onFailure: "skip",
    sentence:
      "When a new session replaces the current one: at /new, /reset and /clear, and after idle_reset_minutes. Observes only.",
    payload: (zod) => zod.object({ session_id: sessionId(zod), platform: platform(zod) }),
    sample: () => ({ session_id: SAMPLE_SESSION, platform: "cli" }),
  }),
  subagent_start: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "Before each child agent of delegate_task starts, one at a time. Observes only.",
    payload: (zod) =>
      zod.object({
        ...child(zod),
        child_goal: zod.string().describe("The task of the child agent"),
      }),
    sample: () => ({ ...SAMPLE_CHILD, child_goal: "Count the files" }),
  }),
  subagent_stop: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "After all children of a delegate_task have ended, once per child, one at a time. Observes only.",
    payload: (zod) =>
      zod.object({
        ...child(zod),
        child_summary: zod.union([zod.string(), zod.null()]).describe("The child's final answer"),
        child_status: zod
          .enum(["completed", "failed", "interrupted", "error"])
          .describe("How it ended; failed means that it reached the turn limit"),
        duration_ms: zod.number().describe("How long the child ran, in milliseconds"),
      }),
    sample: () => ({
      ...SAMPLE_CHILD,
      child_summary: "There are 3 files.",
      child_status: "completed" as const,
      duration_ms: 1200,
    }),
  }),
  pre_gateway_dispatch: event({
    kind: "gate",
    onFailure: "skip",
    subject: "message",
    verbs: ["skip", "rewrite", "allow"],
    live: ["gateway", "session_store"],
    sentence:
      "When the gateway receives a message, before it checks access. Can skip or rewrite the message; always fails open.",
    payload: (zod) =>
      zod.object({
        session_id: zod.string().describe("The conversation's session; empty before its first message"),
        event: zod
          .object({
            text: zod.string().describe("What the user wrote"),
            source: zod
              .object({
                platform: zod.string().describe("The platform's name, such as telegram"),
                chat_type: zod.string().describe("dm, group, channel or thread"),
                chat_id: zod.string().describe("The chat's ID on the platform"),
                user_id: zod.string().describe("The sender's ID on the platform"),
                thread_id: zod.union([zod.string(), zod.null()]).describe("The thread in the chat, if any"),
              })
              .describe("Where it was sent, and by whom"),
            message_id: zod.string().describe("The message's ID on the platform"),
            internal: zod.boolean().describe("True for a message that hermes itself created"),
          })
          .describe("The message"),
      }),
    sample: () => ({
      session_id: SAMPLE_SESSION,
      event: {
        text: "Hello",
        source: { platform: "telegram", chat_type: "dm", chat_id: "1", user_id: "1", thread_id: null },
        message_id: "1",
        internal: false,
      },
    }),
  }),
  pre_api_request: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "Before each request to the model, retries included. Observes only.",
    payload: (zod) => zod.object(request(zod)),
    sample: () => ({ ...SAMPLE_REQUEST }),
  }),
  post_api_request: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "After a request that the model answered. Observes only.",
    payload: (zod) =>
      zod.object({
        ...request(zod),
        duration_ms: zod.number().describe("How long the request took, in milliseconds"),
        finish_reason: zod.string().describe("Why the answer ended: stop, length, content-filter, tool-calls or other"),
        response_model: zod.string().describe("The model that the server says has answered"),
        usage: zod
          .object({
            input_tokens: zod.int().describe("Tokens of the request"),
            output_tokens: zod.int().describe("Tokens of the answer"),
          })
          .describe("What the request cost"),
      }),
    sample: () => ({
      ...SAMPLE_REQUEST,
      duration_ms: 800,
      finish_reason: "stop",
      response_model: SAMPLE_MODEL,
      usage: { input_tokens: 120, output_tokens: 9 },
    }),
  }),
  api_request_error: event({
    kind: "observe",
    onFailure: "skip",
    sentence: "After each failed request to the model, retries included. Observes only.",
    payload: (zod) =>
      zod.object({
        ...request(zod),
        error: zod.string().describe("What went wrong"),
        status_code: zod.union([zod.int(), zod.null()]).describe("The HTTP status; null if there was no response"),
        retry_count: zod.int().describe("The number of retries before this attempt"),
        retryable: zod.boolean().describe("True if another attempt may succeed"),
      }),
    sample: () => ({
      ...SAMPLE_REQUEST,
      error: "Internal Server Error",
      status_code: 500,
      retry_count: 0,
      retryable: true,
    }),
  }),
} as const;

export type EventName = keyof typeof EVENTS;
export type EventsOfKind<Kind extends EventKind> = {
  [Name in EventName]: (typeof EVENTS)[Name]["kind"] extends Kind ? Name : never;
}[EventName];

/** The payload of an event by its schema, without live fields. */
export type Payload<Name extends EventName> = z.infer<ReturnType<(typeof EVENTS)[Name]["payload"]>>;

/** The verbs of an event; never for an event that is not a gate. */
export type VerbOf<Name extends EventName> = NonNullable<(typeof EVENTS)[Name]["verbs"]>[number];

export const EVENT_NAMES = Object.keys(EVENTS) as readonly EventName[];

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}

export function declarationOf(name: EventName): AnyEventDeclaration {
  return EVENTS[name];
}

/** The events whose row passes the test, in the order of the table. */
export function eventsWhere(test: (row: AnyEventDeclaration) => boolean | undefined): readonly EventName[] {
  return EVENT_NAMES.filter((name) => test(EVENTS[name]));
}
