/** Slash commands as events: `command:<name>`, whose handlers may decide what becomes of the command (CONTRACT §4). */
import type { EventContext, HookRegistry } from "./registry.ts";

/** A slash command without its slash. */
export interface SlashCommand {
  readonly name: string;
  readonly args: string;
}

/** What the handlers made of a slash command. */
export type CommandDecision =
  | ({ readonly kind: "run" } & SlashCommand)
  | { readonly kind: "denied" | "handled"; readonly message: string };

/** Splits `/name args`; undefined for what is no command, such as a path with more than one slash. */
export function parseSlash(text: string): SlashCommand | undefined {
  const found = /^\/([A-Za-z][\w-]*)(?:\s+([\s\S]*))?$/.exec(text.trim());
  return found?.[1] === undefined ? undefined : { name: found[1].toLowerCase(), args: found[2]?.trim() ?? "" };
}

/**
 * Emits `command:<name>` and waits for its handlers; the first decision counts. `place` is what the context holds
 * beside the command: `platform`, `session_id`, `user_id` (empty when absent), …
 */
export async function announceCommand(
  registry: HookRegistry,
  { name, args }: SlashCommand,
  place: EventContext,
): Promise<CommandDecision> {
  const context = { user_id: "", ...place, command: name, args, raw_args: args };
  for (const answer of await registry.emit_collect(`command:${name}`, context)) {
    const decision = readDecision(answer);
    if (decision !== undefined) return decision;
  }
  return { kind: "run", name, args };
}

function readDecision(answer: unknown): CommandDecision | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const { decision, message, command_name: name, raw_args: args } = answer as Record<string, unknown>;
  if (decision === "deny") return { kind: "denied", message: textOr(message, "The command was denied by a hook.") };
  if (decision === "handled") return { kind: "handled", message: textOr(message, "") };
  if (decision === "rewrite" && typeof name === "string") {
    return { kind: "run", name: name.trim().replace(/^\//, "").toLowerCase(), args: textOr(args, "") };
  }
  return undefined;
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}
