/** THE table of Claude Code's events: our event for each, and what its scripts read. */
import type { EventName } from "#core/events";
import type { FiringOrigin } from "#core/ports/hook";
import type { ShellContext } from "#sandbox/shell/protocol";
import { claudeInput, claudeName } from "./claude-tools.ts";

type Payload = Readonly<Record<string, unknown>>;

export interface ClaudeEvent {
  readonly name: string;
  /** The fields in addition to those that all events share. */
  readonly fields: (payload: Payload, place: ShellContext) => Readonly<Record<string, unknown>>;
  /** Scripts may export variables to the session's commands (`CLAUDE_ENV_FILE`). */
  readonly exportsVariables?: true;
  /** Plain text on standard output is context for the model there. */
  readonly textIsContext?: true;
  /** Our event at which `updatedToolOutput` replaces the tool's result. */
  readonly replacesAt?: EventName;
  /** False for a firing at which Claude Code has no event. */
  readonly concerns?: (origin: FiringOrigin) => boolean;
}

const toolCall: ClaudeEvent["fields"] = ({ tool_name: tool, args, tool_call_id: id }, place) => ({
  tool_name: claudeName(String(tool), args),
  tool_input: claudeInput(String(tool), args, place),
  tool_use_id: id ?? "",
});

/** A child agent has SubagentStart and SubagentStop in their place. */
const userOnly: ClaudeEvent["concerns"] = ({ agent }) => agent === undefined;

const EVENTS: ReadonlyMap<EventName, ClaudeEvent> = new Map<EventName, ClaudeEvent>([
  ["pre_tool_call", { name: "PreToolUse", fields: toolCall }],
  [
    "post_tool_call",
    {
      name: "PostToolUse",
      replacesAt: "transform_tool_result",
      concerns: ({ blocked }) => blocked !== true,
      fields: (payload: Payload, place: ShellContext) => ({
        ...toolCall(payload, place),
        tool_response: parsed(payload["result"]),
      }),
    },
  ],
  [
    "pre_llm_call",
    {
      name: "UserPromptSubmit",
      concerns: userOnly,
      fields: ({ user_message }: Payload) => ({ prompt: user_message ?? "" }),
      textIsContext: true,
    },
  ],
  [
    "post_llm_call",
    {
      name: "Stop",
      concerns: userOnly,
      fields: ({ assistant_response }: Payload) => ({
        stop_hook_active: false,
        last_assistant_message: assistant_response ?? "",
      }),
    },
  ],
  ["subagent_start", { name: "SubagentStart", fields: childOf }],
  [
    "subagent_stop",
    {
      name: "SubagentStop",
      fields: (payload: Payload, place: ShellContext) => ({
        stop_hook_active: false,
        ...childOf(payload),
        agent_transcript_path: transcriptPath(payload["child_session_id"], place),
        last_assistant_message: payload["child_summary"] ?? "",
      }),
    },
  ],
  [
    "on_session_start",
    {
      name: "SessionStart",
      exportsVariables: true,
      concerns: userOnly,
      fields: ({ model }: Payload) => ({ source: "startup", model: model ?? "" }),
      textIsContext: true,
    },
  ],
  ["on_session_finalize", { name: "SessionEnd", concerns: userOnly, fields: () => ({ reason: "other" }) }],
]);

/** Readable in any case: empty where there is no transcript. */
export function transcriptPath(sessionId: unknown, { sessionFiles }: ShellContext): string {
  return (typeof sessionId === "string" ? sessionFiles?.transcript(sessionId) : null) ?? NOTHING;
}

/** Takes everything and has nothing in it. */
export const NOTHING = "/dev/null";

function childOf({ child_session_id }: Payload): Readonly<Record<string, unknown>> {
  return { agent_id: child_session_id ?? "", agent_type: "general-purpose" };
}

/** Claude Code's event for one of ours, or undefined. */
export function claudeEvent(event: EventName): ClaudeEvent | undefined {
  return EVENTS.get(event);
}

/** Our event for one of Claude Code's, or undefined. */
export function eventOf(name: string): EventName | undefined {
  for (const [ours, event] of EVENTS) if (event.name === name) return ours;
  return undefined;
}

/** `PreToolUse (pre_tool_call), …`: for warnings. */
export function listClaudeEvents(): string {
  return [...EVENTS].map(([ours, { name }]) => `${ours} (${name})`).join(", ");
}

/** Parses a tool's result, which is a JSON string. */
function parsed(result: unknown): unknown {
  if (typeof result !== "string") return result ?? null;
  try {
    return JSON.parse(result) as unknown;
  } catch {
    // A result that is not JSON is text.
    return result;
  }
}
