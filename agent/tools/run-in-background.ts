import type { Tool } from "#core/ports/agent";
import type { DaemonToolsPort } from "#core/ports/daemon-tools";
import { promptArgument } from "./arguments.ts";

/** `run_in_background`: starts a task that reports to this session when it ends (CONTRACT §13). */
export function createRunInBackground({ runInBackground }: Pick<DaemonToolsPort, "runInBackground">): Tool {
  return {
    name: "run_in_background",
    description:
      "Starts another agent on a task and returns at once, with the task's id. Its answer comes to this session as a " +
      "message when it has ended. The other agent sees nothing of this conversation: the prompt must say everything.",
    parameters: {
      type: "object",
      properties: { prompt: { type: "string", description: "The complete task" } },
      required: ["prompt"],
      additionalProperties: false,
    },
    async execute(args, call) {
      call.signal.throwIfAborted();
      const { id } = await runInBackground({ prompt: promptArgument(args), cwd: call.cwd });
      return { id, status: "queued" };
    },
  };
}
