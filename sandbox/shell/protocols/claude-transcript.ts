/** Writes a conversation in the form of Claude Code's transcripts: one JSON object on each line. */
import { createHash } from "node:crypto";
import type { ChatMessage } from "#core/messages";
import { isMapping } from "#core/mapping";
import type { StoredMessage } from "#core/ports/agent";
import { stringify } from "#core/stringify";
import type { ShellContext } from "#sandbox/shell/protocol";
import { CLAUDE_TOOLS } from "./claude-tools.ts";

export interface TranscriptContext {
  readonly session_id: string;
  /** True in a child agent's session. */
  readonly sidechain: boolean;
  readonly model: string;
  readonly version: string;
  readonly place: ShellContext;
}

/** The line of a message; `previous` is the position of the message before it. */
export function transcriptLine(stored: StoredMessage, previous: number | null, context: TranscriptContext): string {
  const { session_id, sidechain, version, place } = context;
  return stringify({
    parentUuid: previous === null ? null : uuidOf(session_id, previous),
    isSidechain: sidechain,
    userType: "external",
    cwd: place.cwd,
    sessionId: session_id,
    version,
    ...body(stored, context),
    uuid: uuidOf(session_id, stored.position),
    timestamp: stored.created_at,
  });
}

function body({ message, position }: StoredMessage, context: TranscriptContext): object {
  switch (message.role) {
    case "assistant": {
      const id = `msg_${uuidOf(context.session_id, position).replaceAll("-", "")}`;
      const { model } = context;
      const content = answerParts(message, context.place);
      return { type: "assistant", message: { id, type: "message", role: "assistant", model, content } };
    }
    case "tool": {
      const { tool_call_id: tool_use_id, content } = message;
      const result = { type: "tool_result", tool_use_id, content, is_error: saysError(content) };
      return { type: "user", message: { role: "user", content: [result] } };
    }
    case "system":
      return { type: "system", content: message.content };
    case "user":
      return { type: "user", message: { role: "user", content: message.content } };
  }
}

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;

function answerParts({ content, tool_calls = [] }: AssistantMessage, place: ShellContext): readonly object[] {
  const text = content ? [{ type: "text", text: content }] : [];
  const calls = tool_calls.map(({ id, function: { name, arguments: json } }) => {
    const args = parsed(json);
    return {
      type: "tool_use",
      id,
      name: CLAUDE_TOOLS.nameOf(name, args, place),
      input: CLAUDE_TOOLS.inputOf(name, args, place),
    };
  });
  return [...text, ...calls];
}

function saysError(content: unknown): boolean {
  const value = parsed(content);
  return isMapping(value) && typeof value["error"] === "string";
}

function parsed(json: unknown): unknown {
  try {
    return JSON.parse(String(json)) as unknown;
  } catch {
    // Text that is no JSON is shown as it is.
    return json;
  }
}

/** The same for a message whenever its line is written. */
function uuidOf(sessionId: string, position: number): string {
  const hex = createHash("sha256").update(`${sessionId} ${position}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
