/** Describes a failed Bot API call without the token, which is part of every URL. */
import { problemOf } from "#core/errors";

interface FailureParameters {
  readonly retryAfterMs?: number | null;
  readonly movedTo?: string | null;
}

/** A failed call. It has no `cause`, because grammy's errors contain the URL. */
export class TelegramFailure extends Error {
  override readonly name = "TelegramFailure";
  /** The Bot API's `error_code`; null when the Bot API did not answer. */
  readonly status: number | null;
  /** The delay that the server asks for, in milliseconds, or null. */
  readonly retryAfterMs: number | null;
  /** The new id of a group that became a supergroup, or null. */
  readonly movedTo: string | null;

  constructor(problem: string, status: number | null = null, parameters: FailureParameters = {}) {
    super(problem);
    this.status = status;
    this.retryAfterMs = parameters.retryAfterMs ?? null;
    this.movedTo = parameters.movedTo ?? null;
  }

  /** True when the same call may succeed later: no answer, too many calls, or a server error. */
  get mayPass(): boolean {
    return this.status === null || this.status === 429 || this.status >= 500;
  }

  /** True when Telegram reports that nothing needed to change. */
  get isUnchanged(): boolean {
    return this.status === 400 && this.message.includes("message is not modified");
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
    return new TelegramFailure(redact(`${problem} (${status})`), status, parametersOf(parameters));
  }
  return new TelegramFailure(redact(reasonOf(error ?? thrown)));
}

function parametersOf(parameters: unknown): FailureParameters {
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
  const secret = token.slice(token.indexOf(":") + 1);
  const secrets = [...new Set([token, encodeURIComponent(token), secret])].filter((one) => one.length >= 4);
  return (text) => {
    let clean = text;
    for (const one of secrets) clean = clean.replaceAll(one, "[redacted]");
    return clean;
  };
}
