/** What went wrong with a call of the Bot API, without the token, which stands in every address of it. */
import { problemOf } from "#core/errors";

/** A call that failed. It has no `cause`: grammy's errors hold the address. */
export class TelegramFailure extends Error {
  override readonly name = "TelegramFailure";
  /** The Bot API's `error_code`; null when no answer of the Bot API came. */
  readonly status: number | null;
  /** How long the server wants us to wait, in milliseconds, or null. */
  readonly retryAfterMs: number | null;

  constructor(problem: string, status: number | null = null, retryAfterMs: number | null = null) {
    super(problem);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** True when the same call may succeed later: no answer, too many calls, or a fault of the server's. */
  get mayPass(): boolean {
    return this.status === null || this.status === 429 || this.status >= 500;
  }

  /** True when Telegram says that what we wanted is so already. */
  get isUnchanged(): boolean {
    return this.status === 400 && this.message.includes("message is not modified");
  }
}

/** What a client's call threw, which is a failure; anything else is a fault of our own. */
export function telegramFailureOf(thrown: unknown): TelegramFailure {
  return thrown instanceof TelegramFailure ? thrown : new TelegramFailure(problemOf(thrown));
}

/** Makes the failure of what grammy threw. Its two kinds of error are told apart by their shape. */
export function telegramFailureFrom(thrown: unknown, redact: (text: string) => string): TelegramFailure {
  if (thrown instanceof TelegramFailure) return thrown;
  const { error_code: status, description, parameters, error } = (thrown ?? {}) as Record<string, unknown>;
  if (typeof status === "number") {
    const problem = typeof description === "string" ? description : "no reason given";
    return new TelegramFailure(redact(`${problem} (${status})`), status, retryAfterOf(parameters));
  }
  return new TelegramFailure(redact(reasonOf(error ?? thrown)));
}

function retryAfterOf(parameters: unknown): number | null {
  const { retry_after: seconds } = (parameters ?? {}) as { retry_after?: unknown };
  return typeof seconds === "number" && seconds >= 0 ? seconds * 1000 : null;
}

/** node-fetch says `request to ADDRESS failed, reason: WHY`. */
function reasonOf(error: unknown): string {
  const { type, name } = (error ?? {}) as { type?: unknown; name?: unknown };
  if (type === "invalid-json") return "the server does not speak the Bot API";
  if (name === "AbortError") return "no answer in time";
  const problem = problemOf(error);
  return /reason: ([^]*)$/.exec(problem)?.[1] ?? problem;
}

/** Makes the function that takes a bot's token, and the secret half of it, out of a text. */
export function createTokenRedactor(token: string): (text: string) => string {
  const secret = token.slice(token.indexOf(":") + 1);
  const secrets = [...new Set([token, encodeURIComponent(token), secret])].filter((one) => one.length >= 4);
  return (text) => {
    let clean = text;
    for (const one of secrets) clean = clean.replaceAll(one, "[redacted]");
    return clean;
  };
}
