/**
 * The payloads of the hook events with their documentation, as editors show them. Generated from core/events.ts by
 * `node .ci/event-types.ts`; do not edit.
 */

export interface EventPayloads {
  /**
   * Before each tool call, of built-in, plugin and unknown tools alike. Can block the call, change its arguments, or let the user decide. Shell hooks can set `matcher` to select tools. A hook that fails is skipped unless it has `fail_closed: true` or `on_error: block`.
   *
   * Answers (gate), all optional:
   * - `{ action: "block", message }`
   * - `{ action: "ask", message }`
   * - `{ action: "modify", args }`
   */
  readonly pre_tool_call: {
    /** The tool's name */
    tool_name: string;
    /** The arguments of the tool call */
    args: Record<string, unknown>;
    /** The ID of the task or session that the call belongs to; empty if there is none */
    task_id: string;
    /** The session's ID; never empty within a session */
    session_id: string;
    /** The call's ID; all events of a call have the same */
    tool_call_id: string;
  };
  /**
   * After each tool call, also one that was blocked. Observes only. Shell hooks can set `matcher` to select tools.
   *
   * Answers are ignored.
   */
  readonly post_tool_call: EventPayloads["pre_tool_call"] & {
    /** The tool's result, always a JSON string */
    result: string;
  };
  /**
   * After post_tool_call, before the model sees the result. The first string replaces the result. Shell hooks can set `matcher` to select tools.
   *
   * Answers (transform), all optional:
   * - `a string`
   */
  readonly transform_tool_result: EventPayloads["post_tool_call"] & {
    /** How long the tool ran, in milliseconds */
    duration_ms: number;
  };
  /**
   * Once per turn, before the first request to the model. Can add context to this turn's user message.
   *
   * Answers (context), all optional:
   * - `{ context }, or a string`
   */
  readonly pre_llm_call: {
    /** The session's ID; never empty within a session */
    session_id: string;
    /** What the user wrote, before any context was added */
    user_message: string;
    /** A copy of the session's messages, in OpenAI format */
    conversation_history: ({
      /** Who said it */
      role: "system" | "user" | "assistant" | "tool";
      /** Its text; null for one that only calls tools */
      content: string | null;
      [key: string]: unknown;
    })[];
    /** The model's ID */
    model: string;
    /** Where the session runs: cli, subagent, telegram, … */
    platform: string;
    /** True on a session's first turn */
    is_first_turn: boolean;
  };
  /**
   * Before the final answer of a turn is shown and stored. The first non-empty string replaces the answer.
   *
   * Answers (transform), all optional:
   * - `a string`
   */
  readonly transform_llm_output: {
    /** The session's ID; never empty within a session */
    session_id: string;
    /** The final answer of the turn */
    response_text: string;
    /** The model's ID */
    model: string;
    /** Where the session runs: cli, subagent, telegram, … */
    platform: string;
  };
  /**
   * After a turn that ended with an answer and was not interrupted. Observes only.
   *
   * Answers are ignored.
   */
  readonly post_llm_call: {
    /** The session's ID; never empty within a session */
    session_id: string;
    /** What the user wrote, before any context was added */
    user_message: string;
    /** A copy of the session's messages, in OpenAI format */
    conversation_history: ({
      /** Who said it */
      role: "system" | "user" | "assistant" | "tool";
      /** Its text; null for one that only calls tools */
      content: string | null;
      [key: string]: unknown;
    })[];
    /** The model's ID */
    model: string;
    /** Where the session runs: cli, subagent, telegram, … */
    platform: string;
    /** The final answer, after transform_llm_output */
    assistant_response: string;
  };
  /**
   * On the first turn of a new session, before pre_llm_call. Observes only.
   *
   * Answers are ignored.
   */
  readonly on_session_start: {
    /** The session's ID; never empty within a session */
    session_id: string;
    /** The model's ID */
    model: string;
    /** Where the session runs: cli, subagent, telegram, … */
    platform: string;
  };
  /**
   * At the end of every turn, however it ended. Observes only.
   *
   * Answers are ignored.
   */
  readonly on_session_end: EventPayloads["on_session_start"] & {
    /** True when the turn ended with an answer */
    completed: boolean;
    /** True when the user stopped the turn */
    interrupted: boolean;
  };
  /**
   * When a session ends: at /new, when it was idle for too long, and when the program exits. Observes only.
   *
   * Answers are ignored.
   */
  readonly on_session_finalize: {
    /** The session's ID; null if it had not begun */
    session_id: string | null;
    /** Where the session runs: cli, subagent, telegram, … */
    platform: string;
  };
  /**
   * When a new session replaces the current one: at /new, /reset and /clear, and after idle_reset_minutes. Observes only.
   *
   * Answers are ignored.
   */
  readonly on_session_reset: {
    /** The session's ID; never empty within a session */
    session_id: string;
    /** Where the session runs: cli, subagent, telegram, … */
    platform: string;
  };
  /**
   * Before each child agent of delegate_task starts, one at a time. Observes only.
   *
   * Answers are ignored.
   */
  readonly subagent_start: {
    /** The session's ID; never empty within a session */
    session_id: string;
    /** The session that delegated the task; the same as session_id */
    parent_session_id: string;
    /** The child agent's session */
    child_session_id: string;
    /** Always null; for compatibility */
    child_role: string | null;
    /** The task of the child agent */
    child_goal: string;
  };
  /**
   * After all children of a delegate_task have ended, once per child, one at a time. Observes only.
   *
   * Answers are ignored.
   */
  readonly subagent_stop: {
    /** The session's ID; never empty within a session */
    session_id: string;
    /** The session that delegated the task; the same as session_id */
    parent_session_id: string;
    /** The child agent's session */
    child_session_id: string;
    /** Always null; for compatibility */
    child_role: string | null;
    /** The child's final answer */
    child_summary: string | null;
    /** How it ended; failed means that it reached the turn limit */
    child_status: "completed" | "failed" | "interrupted" | "error";
    /** How long the child ran, in milliseconds */
    duration_ms: number;
  };
  /**
   * When the gateway receives a message, before it checks access. Can skip or rewrite the message; always fails open. Plugins also get the live objects `gateway` and `session_store`.
   *
   * Answers (gate), all optional:
   * - `{ action: "skip", reason }`
   * - `{ action: "rewrite", text }`
   * - `{ action: "allow" }`
   */
  readonly pre_gateway_dispatch: {
    /** The conversation's session; empty before its first message */
    session_id: string;
    /** The message */
    event: {
      /** What the user wrote */
      text: string;
      /** Where it was sent, and by whom */
      source: {
        /** The platform's name, such as telegram */
        platform: string;
        /** dm, group, channel or thread */
        chat_type: string;
        /** The chat's ID on the platform */
        chat_id: string;
        /** The sender's ID on the platform */
        user_id: string;
        /** The thread in the chat, if any */
        thread_id: string | null;
      };
      /** The message's ID on the platform */
      message_id: string;
      /** True for a message that hermes itself created */
      internal: boolean;
    };
  };
  /**
   * Before each request to the model, retries included. Observes only.
   *
   * Answers are ignored.
   */
  readonly pre_api_request: EventPayloads["on_session_start"] & {
    /** The ID of the task or session that the request belongs to */
    task_id: string;
    /** offline, openai, anthropic, openrouter or openai-compatible */
    provider: string;
    /** The API's base URL; empty for the offline model */
    base_url: string;
    /** The number of the request in its turn, starting at 1; a retry has the same number */
    api_call_count: number;
    /** How many messages the request has */
    message_count: number;
    /** How many tools the model may call */
    tool_count: number;
    /** An estimate: a quarter of the characters sent */
    approx_input_tokens: number;
    /** When the request was sent: ISO 8601, UTC */
    started_at: string;
  };
  /**
   * After a request that the model answered. Observes only.
   *
   * Answers are ignored.
   */
  readonly post_api_request: EventPayloads["pre_api_request"] & {
    /** How long the request took, in milliseconds */
    duration_ms: number;
    /** Why the answer ended: stop, length, content-filter, tool-calls or other */
    finish_reason: string;
    /** The model that the server says has answered */
    response_model: string;
    /** What the request cost */
    usage: {
      /** Tokens of the request */
      input_tokens: number;
      /** Tokens of the answer */
      output_tokens: number;
    };
  };
  /**
   * After each failed request to the model, retries included. Observes only.
   *
   * Answers are ignored.
   */
  readonly api_request_error: EventPayloads["pre_api_request"] & {
    /** What went wrong */
    error: string;
    /** The HTTP status; null if there was no response */
    status_code: number | null;
    /** The number of retries before this attempt */
    retry_count: number;
    /** True if another attempt may succeed */
    retryable: boolean;
  };
}
