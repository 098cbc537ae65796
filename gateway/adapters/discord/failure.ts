/** What the errors of the REST library mean, recognised by their shape. */
import { problemOf } from "#core/errors";
import { CallFailure, type FailureKind } from "#gateway/adapters/shared/call-failure";

interface TranslatedFailure {
  readonly failure: CallFailure;
  /** True when a limit is for all calls, not for those to one channel. */
  readonly isGlobal: boolean;
}

/** Error codes of Discord that say which permission the bot needs. */
const PERMISSIONS: Readonly<Record<number, string>> = {
  // https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
  50_001: "Give it the permission View Channel there.",
  50_013: "Give it the permissions Send Messages and Send Messages in Threads there.",
  160_002: "Give it the permission Read Message History there.",
};
/** The user takes no direct messages from the bot. */
const NO_DIRECT_MESSAGES = 50_007;

/** The code of a channel that does not exist, or that the bot cannot know. */
export const UNKNOWN_CHANNEL = 10_003;

/** A failed call, with Discord's own code. */
export class DiscordFailure extends CallFailure {
  override readonly name = "DiscordFailure";
  readonly code: number | null;
  /** What the operator has to do about it; null for nothing. */
  readonly advice: string | null;

  constructor(problem: string, details: { status: number; kind: FailureKind; code: number | null; advice?: string }) {
    super(problem, details);
    this.code = details.code;
    this.advice = details.advice ?? null;
  }
}

export function codeOf(failure: unknown): number | null {
  return failure instanceof DiscordFailure ? failure.code : null;
}

/** Turns an error of the library into a failure. */
export function discordFailureFrom(thrown: unknown, redact: (text: string) => string): TranslatedFailure {
  if (thrown instanceof CallFailure) return { failure: thrown, isGlobal: false };
  const { status, code, name, retryAfter, global } = (thrown ?? {}) as Record<string, unknown>;
  if (typeof retryAfter === "number") {
    const details = { status: 429, ...(retryAfter > 0 ? { retryAfterMs: retryAfter } : {}) };
    return { failure: new CallFailure("too many calls (429)", details), isGlobal: global === true };
  }
  if (typeof status === "number") {
    return { failure: answerFailure(status, code, redact(problemOf(thrown))), isGlobal: false };
  }
  const problem = name === "AbortError" ? "no answer in time" : redact(problemOf(thrown));
  return { failure: new CallFailure(problem), isGlobal: false };
}

function answerFailure(status: number, given: unknown, message: string): CallFailure {
  if (status >= 500) return new CallFailure(`${message} (${status})`, { status });
  const code = typeof given === "number" && given !== 0 ? given : null;
  const advice = code === null ? undefined : PERMISSIONS[code];
  const hint = code === NO_DIRECT_MESSAGES ? ". The user does not accept direct messages of the bot" : "";
  // An answer without a code is not Discord's: a proxy between may have another opinion later.
  const kind = status === 401 || typeof given !== "number" ? "refused" : "permanent";
  const problem = `${message} (${code ?? status})${hint}`;
  return new DiscordFailure(problem, { status, kind, code, ...(advice === undefined ? {} : { advice }) });
}
