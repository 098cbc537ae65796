/** How much a hook may add to what the model reads (CONTRACT §6). */
import type { Decision } from "./answers.ts";

/** Most characters of each. */
export interface HookLimits {
  /** Of the context that a hook adds to a message. */
  readonly context: number;
  /** Of the message of a block. */
  readonly message: number;
}

/** Without `hooks_limits` in the configuration. */
export const DEFAULT_HOOK_LIMITS: HookLimits = { context: 10_000, message: 2000 };

type Given = { readonly [Name in keyof HookLimits]?: number | undefined };

/** The limits of a configuration. */
export function hookLimits({ context, message }: Given = {}): HookLimits {
  return { context: context ?? DEFAULT_HOOK_LIMITS.context, message: message ?? DEFAULT_HOOK_LIMITS.message };
}

/** The decision with its text cut to the limit; a note at its end says how long it was. */
export function limitDecision(decision: Decision, limits: HookLimits): Decision {
  if (decision.kind === "context" && decision.text.length > limits.context) {
    return { ...decision, text: cut(decision.text, "context", limits) };
  }
  if (decision.kind === "block" && decision.message.length > limits.message) {
    return { ...decision, message: cut(decision.message, "message", limits) };
  }
  if (decision.kind === "ask" && decision.reasons.some(({ message }) => message.length > limits.message)) {
    const reasons = decision.reasons.map((reason) => ({ ...reason, message: cut(reason.message, "message", limits) }));
    return { ...decision, reasons };
  }
  return decision;
}

function cut(text: string, name: keyof HookLimits, { [name]: most }: HookLimits): string {
  if (text.length <= most) return text;
  // Not between the halves of a pair.
  const kept = text.slice(0, most).replace(/[\ud800-\udbff]$/, "");
  return `${kept}… [cut: ${text.length} characters, and hooks_limits.${name} is ${most}]`;
}
