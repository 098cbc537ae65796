/** Describes failed calls of Slack's Web API without the tokens (https://docs.slack.dev/reference/methods). */
import { problemOf } from "#core/errors";
import { CallFailure } from "#gateway/adapters/shared/call-failure";

type Kind = NonNullable<CallFailure["kind"]>;

/** What Slack's errors mean. Those that are not here concern one message, and stay. */
const ERRORS: Readonly<Record<string, { readonly kind: Kind; readonly status?: number; readonly words?: string }>> = {
  // The token: until somebody does something about it.
  ...byCode(["not_authed", "invalid_auth", "token_revoked", "token_expired", "account_inactive"], 401),
  ...byCode(["org_login_required", "user_removed_from_team", "team_disabled", "not_allowed_token_type"], 401),
  ...byCode(["access_denied", "no_permission", "team_access_not_granted", "ekm_access_denied", "accesslimited"], 403),
  // Slack itself.
  ...temporary(["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"], 503),
  ...temporary(["ratelimited", "rate_limited"], 429),
  // The chat.
  not_in_channel: { kind: "permanent", words: "the bot is not in the channel; invite it there with /invite" },
  channel_not_found: { kind: "permanent", words: "the channel does not exist, or the bot is not in it" },
  is_archived: { kind: "permanent", words: "the channel is archived" },
  msg_too_long: { kind: "permanent", words: "the message is too long" },
};

/** The form of Slack's error codes; anything else did not come from the Web API. */
const ERROR_CODE = /^[a-z][a-z0-9_.]{0,99}$/;

/**
 * Turns an error of Slack's packages into a failure. `status` is that of the response, which the packages do not always
 * say. Their errors are told apart by their shape.
 */
export function slackFailureFrom(thrown: unknown, redact: (text: string) => string, status?: number): CallFailure {
  if (thrown instanceof CallFailure) return thrown;
  const { data, retryAfter, original } = (thrown ?? {}) as Record<string, unknown>;
  if (status === 429) {
    const retryAfterMs = typeof retryAfter === "number" ? { retryAfterMs: retryAfter * 1000 } : {};
    return new CallFailure("too many calls (429)", { status, kind: "temporary", ...retryAfterMs });
  }
  if (typeof data === "object" && data !== null) return refusalOf(data, redact);
  if (status !== undefined && status !== 200) {
    const kind = status >= 500 ? "temporary" : "refused";
    return new CallFailure(`the server answered with status ${status}`, { status, kind });
  }
  return new CallFailure(redact(reasonOf(original ?? thrown)), { kind: "temporary" });
}

interface Refusal {
  readonly error?: unknown;
  readonly needed?: unknown;
  readonly response_metadata?: { readonly messages?: unknown; readonly retryAfter?: unknown };
}

function refusalOf({ error, needed, response_metadata: more }: Refusal, redact: (text: string) => string): CallFailure {
  const code = typeof error === "string" ? error : "";
  if (!ERROR_CODE.test(code)) {
    return new CallFailure("the server does not speak Slack's Web API", { kind: "temporary" });
  }
  if (code === "missing_scope") {
    const scope = typeof needed === "string" ? needed : "unknown";
    return new CallFailure(`the app lacks the scope ${scope} (missing_scope)`, { status: 403, kind: "refused" });
  }
  const { kind = "permanent", status = 400, words } = Object.hasOwn(ERRORS, code) ? ERRORS[code]! : {};
  const details = Array.isArray(more?.messages) ? more.messages.map(String) : [];
  const problem = [words === undefined ? code : `${words} (${code})`, ...details].join("; ");
  const seconds = more?.retryAfter;
  const wait = typeof seconds === "number" ? { retryAfterMs: seconds * 1000 } : {};
  return new CallFailure(redact(problem), { status, kind, ...wait });
}

/** fetch reports only that it failed; its cause has the reason. */
function reasonOf(error: unknown): string {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  if (name === "AbortError" || name === "TimeoutError") return "no answer in time";
  return problemOf(cause ?? error);
}

function byCode(codes: readonly string[], status: number) {
  return Object.fromEntries(codes.map((code) => [code, { kind: "refused", status } as const]));
}

function temporary(codes: readonly string[], status: number) {
  return Object.fromEntries(codes.map((code) => [code, { kind: "temporary", status } as const]));
}
