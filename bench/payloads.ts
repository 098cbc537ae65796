/** Payloads that several cases use. */
import type { Payload } from "#core/events";

/** A call of the terminal, as a guard gets it. */
export const CALL: Payload<"pre_tool_call"> = {
  tool_name: "terminal",
  args: { command: "echo hello" },
  task_id: "task",
  session_id: "session",
  tool_call_id: "call",
};
