/** Describes a failed Bot API call without the token, which is part of every URL. */
import { problemOf } from "#core/errors";
import { CallFailure, kindOfStatus, type FailureDetails } from "#gateway/adapters/shared/call-failure";
import { createRedactor } from "#gateway/adapters/shared/redaction";

/** A failed call, with the Bot API's `error_code` as its status. */
export class TelegramFailure extends CallFailure {
  override readonly name = "TelegramFailure";
  /** The new id of a group that became a supergroup, or null. */
  readonly movedTo: string | null;

  constructor(problem: string, details: FailureDetails & { readonly movedTo?: string | null } = {}) {
    super(problem, details);
    this.movedTo = details.movedTo ?? null;
  }
}

/** The failure that a client's call threw; anything else is our own bug. */
export function telegramFailureOf(thrown: unknown): TelegramFailure {
  return thrown instanceof TelegramFailure ? thrown : new TelegramFailure(problemOf(thrown));
}

/** Turns grammy's error into a failure. Its two kinds of error are told apart by their shape. */
export function telegramFailureFrom(thrown: unknown, redact: (text: string) => string): TelegramFailure {
  if (thrown instanceof TelegramFailure) return thrown;
  const { error_code: status, description, parameters, error } = (thrown ?? {}) as Record<string, unknown>;
  if (typeof status === "number") {
    const problem = typeof description === "string" ? description : "no reason given";
    // Telegram reports that nothing needed to change.
    const isUnchanged = status === 400 && problem.includes("message is not modified");
    const kind = isUnchanged ? "unchanged" : kindOfStatus(status);
    return new TelegramFailure(redact(`${problem} (${status})`), { status, kind, ...parametersOf(parameters) });
  }
  return new TelegramFailure(redact(reasonOf(error ?? thrown)));
}

function parametersOf(parameters: unknown): Pick<TelegramFailure, "retryAfterMs" | "movedTo"> {
  const { retry_after: seconds, migrate_to_chat_id: chat } = (parameters ?? {}) as Record<string, unknown>;
  return {
    retryAfterMs: typeof seconds === "number" && seconds >= 0 ? seconds * 1000 : null,
    movedTo: typeof chat === "number" ? String(chat) : null,
  };
}

/** node-fetch reports `request to URL failed, reason: WHY`. */
function reasonOf(error: unknown): string {
  const { type, name } = (error ?? {}) as { type?: unknown; name?: unknown };
  if (type === "invalid-json") return "the server does not speak the Bot API";
  if (name === "AbortError") return "no answer in time";
  const problem = problemOf(error);
  return /reason: ([^]*)$/.exec(problem)?.[1] ?? problem;
}

/** Creates a function that removes a bot's token, and its secret half, from a text. */
export function createTokenRedactor(token: string): (text: string) => string {
  return createRedactor([token, token.slice(token.indexOf(":") + 1)]);
}
