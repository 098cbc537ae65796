/** Payloads as they may look, for `hermes webhooks test` and for checks of templates. */
import { declarationOf, isEventName } from "#core/events";

const TASK = { task_id: "abc123def456", prompt: "analyze this codebase" } as const;
const FIGURES = { duration_seconds: 45, tokens_used: 3500, tools_called: 12 } as const;

/** Payloads of the events that only webhooks have, without `event` and `timestamp` (seed 000, "Webhook Payload"). */
const SAMPLES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  task_started: { ...TASK, platform: "cli" },
  task_completed: { ...TASK, ...FIGURES, result: "success" },
  task_failed: { ...TASK, ...FIGURES, result: "failure", status: "failed", error: "the model did not answer" },
  tool_called: { task_id: TASK.task_id, tool: "read_file", parameters: { path: "/home/user/main.py" } },
};

/** The fields of those payloads. */
export const SAMPLE_FIELDS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(SAMPLES).map(([event, fields]) => [event, ["event", "timestamp", ...Object.keys(fields)]]),
);

/** A payload of an event; of `namespace:*` that of one event in it. */
export function samplePayload(pattern: string): Readonly<Record<string, unknown>> {
  const event = pattern.replace(/:\*$/, ":example");
  const fields = SAMPLES[event] ?? (isEventName(event) ? declarationOf(event).sample() : {});
  return { event, timestamp: new Date().toISOString(), ...fields };
}
