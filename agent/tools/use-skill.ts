import type { Tool } from "#core/ports/agent";
import type { DaemonToolsPort, Skill } from "#core/ports/daemon-tools";
import { textArgument } from "./arguments.ts";

/** `use_skill`: asks for the instructions of a skill, which come as a message (CONTRACT §13). */
export function createUseSkill(skills: readonly Skill[], { useSkill }: Pick<DaemonToolsPort, "useSkill">): Tool {
  const listed = skills.map(({ name, description }) => `- ${name}: ${description || "no description"}`).join("\n");
  return {
    name: "use_skill",
    description:
      "Gets the instructions of a skill before you do what it is about. They come as the next message of this " +
      `conversation. The skills are:\n${listed}`,
    parameters: {
      type: "object",
      properties: { name: { type: "string", description: "The name of the skill" } },
      required: ["name"],
      additionalProperties: false,
    },
    async execute(args, call) {
      call.signal.throwIfAborted();
      const name = textArgument(args, "name");
      await useSkill(name);
      return { name, status: "its instructions follow as a message" };
    },
  };
}
