/** Slash commands as events: handlers of `command:<name>` may decide what happens to the command (CONTRACT §4). */
import type { Decision } from "./answers.ts";
import type { EventContext, HookRegistry } from "./registry.ts";

/** A slash command without its slash. */
export interface SlashCommand {
  readonly name: string;
  readonly args: string;
}

/** What the handlers decided about a slash command. */
export type CommandDecision =
  | ({ readonly kind: "run" } & SlashCommand)
  | { readonly kind: "denied" | "handled"; readonly message: string };

export type CommandVerdict = Extract<Decision, { kind: "pass" | "block" | "skip" | "rewrite" }>;

/** What it is as a decision of hooks, for the records of runs. */
export function commandVerdict(decision: CommandDecision): Exclude<CommandVerdict, { kind: "pass" }> {
  switch (decision.kind) {
    case "denied":
      return { kind: "block", message: decision.message };
    case "handled":
      return { kind: "skip", reason: decision.message };
    case "run":
      return { kind: "rewrite", text: `/${decision.name} ${decision.args}`.trim() };
  }
}

/** Splits `/name args`; undefined when it is not a command, such as a path with more than one slash. */
export function parseSlash(text: string): SlashCommand | undefined {
  const found = /^\/([A-Za-z][\w-]*)(?:\s+([\s\S]*))?$/.exec(text.trim());
  return found?.[1] === undefined ? undefined : { name: found[1].toLowerCase(), args: found[2]?.trim() ?? "" };
}

/**
 * Emits `command:<name>` and waits for its handlers; the first decision wins, and an invalid one is its handler's
 * failure. `place` has the other fields of the context: `platform`, `session_id`, `user_id` (empty when absent), …
 */
export async function announceCommand(
  registry: HookRegistry,
  { name, args }: SlashCommand,
  place: EventContext,
): Promise<CommandDecision> {
  const context = { user_id: "", ...place, command: name, args, raw_args: args };
  const [decision] = await registry.emit_collect(`command:${name}`, context, readDecision);
  return decision ?? { kind: "run", name, args };
}

/** True for an event whose handlers may make decisions. */
export function isCommandEvent(event: string): boolean {
  return event.startsWith("command:");
}

/** The decision in a handler's answer, or null. Throws an error whose message is a clause for an invalid one. */
export function readDecision(answer: unknown): CommandDecision | null {
  if (typeof answer !== "object" || answer === null) return null;
  const { decision, message, command_name: name, raw_args: args } = answer as Record<string, unknown>;
  switch (decision) {
    case undefined:
    case null:
      return null;
    case "deny":
      return { kind: "denied", message: textOr(message, "The command was denied by a hook.") };
    case "handled":
      return { kind: "handled", message: textOr(message, "") };
    case "rewrite":
      if (typeof name !== "string") throw new Error('its decision "rewrite" needs a string "command_name"');
      return { kind: "run", name: name.trim().replace(/^\//, "").toLowerCase(), args: textOr(args, "") };
    default: {
      const shown = JSON.stringify(decision)?.slice(0, 60);
      throw new Error(`unknown decision ${shown}; use deny, handled or rewrite`);
    }
  }
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
