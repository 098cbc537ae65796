import type { Tool } from "#core/ports/agent";
import type { DaemonToolsPort } from "#core/ports/daemon-tools";
import { promptArgument, textArgument } from "./arguments.ts";

/** `schedule`: sends a prompt to this session later, once or again and again (CONTRACT §13). */
export function createSchedule({ schedule }: Pick<DaemonToolsPort, "schedule">): Tool {
  return {
    name: "schedule",
    description:
      "Sends a prompt to this session at a later time, as a message of its own. `when` is five-field cron in local time " +
      '("0 9 * * 1-5"), a delay ("in 10s", "in 10m", "in 2h"), or an ISO time ("2026-12-24T18:00").',
    parameters: {
      type: "object",
      properties: {
        when: { type: "string", description: "When: cron, a delay or an ISO time" },
        prompt: { type: "string", description: "The message that this session gets then" },
      },
      required: ["when", "prompt"],
      additionalProperties: false,
    },
    async execute(args, call) {
      call.signal.throwIfAborted();
      return schedule({ when: textArgument(args, "when"), prompt: promptArgument(args) });
    },
  };
}
