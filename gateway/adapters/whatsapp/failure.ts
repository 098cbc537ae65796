/**
 * Describes a failed call to the Graph API. The codes are those of
 * https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes, where Meta says to decide by the code
 * rather than by the status.
 */
import { isMapping } from "#core/mapping";
import { truncate } from "#core/truncate";
import { CallFailure, type FailureKind } from "#gateway/adapters/shared/call-failure";

export class GraphFailure extends CallFailure {
  /** The Graph API's own code; null for an answer that is not its. */
  readonly code: number | null;
  /** True when only the operator can help: the token, its permissions, the account. */
  readonly needsOperator: boolean;

  constructor(problem: string, details: GraphFailureDetails) {
    super(problem, details);
    this.code = details.code;
    this.needsOperator = details.kind === "refused";
  }
}

interface GraphFailureDetails {
  readonly status: number;
  readonly code: number | null;
  readonly kind: FailureKind;
  readonly retryAfterMs: number | null;
}

/** What an answer other than 2xx says. */
export interface RefusedCall {
  readonly status: number;
  /** The parsed body; null when it is not JSON. */
  readonly body: unknown;
  /** What its `Retry-After` asks for; 0 for nothing. */
  readonly retryAfterMs: number;
}

interface Meaning {
  readonly kind: FailureKind;
  /** Replaces Meta's own text, which follows in brackets. */
  readonly sentence?: string;
}

const TEMPORARY: Meaning = { kind: "temporary" };
const REFUSED: Meaning = { kind: "refused" };
const NO_TOKEN: Meaning = { kind: "refused", sentence: "the token is invalid, has expired or was revoked" };
const NO_PERMISSION: Meaning = {
  kind: "refused",
  sentence: "the token has no permission for this: it needs whatsapp_business_messaging",
};

const MEANINGS: Readonly<Record<number, Meaning>> = {
  0: NO_TOKEN,
  190: NO_TOKEN,
  3: NO_PERMISSION,
  10: NO_PERMISSION,
  131005: NO_PERMISSION,
  // Server errors and limits: of the app, of the account, of the number, and from this number to one user.
  1: TEMPORARY,
  2: TEMPORARY,
  4: TEMPORARY,
  80007: TEMPORARY,
  130429: TEMPORARY,
  131056: TEMPORARY,
  131000: TEMPORARY,
  131016: TEMPORARY,
  131057: TEMPORARY,
  133004: TEMPORARY,
  // The account is blocked, unpaid, not registered or limited as spam.
  33: REFUSED,
  368: REFUSED,
  131031: REFUSED,
  131042: REFUSED,
  131045: REFUSED,
  131048: REFUSED,
  133010: REFUSED,
  // This user is in a country, or not on the list of a test number, to which the number may not write.
  130497: { kind: "permanent" },
  131030: { kind: "permanent" },
  131026: { kind: "permanent", sentence: "this user cannot be reached on WhatsApp" },
  131047: {
    kind: "permanent",
    sentence: "the user wrote more than 24 hours ago, and WhatsApp only accepts answers within 24 hours",
  },
};

/** An object does not exist, or the token may not see it. */
const UNKNOWN_OBJECT = { code: 100, subcode: 33 };
const LONGEST_REASON = 300;

/** Turns an answer of the Graph API, or of something before it, into a failure. `redact` removes secrets from a text. */
export function graphFailure(
  { status, body, retryAfterMs }: RefusedCall,
  redact: (text: string) => string,
): GraphFailure {
  const pause = retryAfterMs > 0 ? retryAfterMs : null;
  const error = isMapping(body) && isMapping(body["error"]) ? body["error"] : null;
  const code = typeof error?.["code"] === "number" ? error["code"] : null;
  if (error === null || code === null) {
    const kind = status === 429 || status >= 500 ? "temporary" : "refused";
    return new GraphFailure(`the server answered ${status}`, { status, code, kind, retryAfterMs: pause });
  }
  const { kind, sentence } = meaningOf(code, error["error_subcode"], status);
  const own = `${redact(reasonOf(error))}, code ${code}`;
  const problem = sentence === undefined ? own : `${sentence} (${own})`;
  return new GraphFailure(problem, { status, code, kind, retryAfterMs: pause });
}

/** True when the token is the problem. */
export function isTokenFailure(failure: CallFailure): boolean {
  return failure instanceof GraphFailure && failure.code !== null && MEANINGS[failure.code] === NO_TOKEN;
}

/** True when a permission of the token is missing. */
export function isPermissionFailure(failure: CallFailure): boolean {
  return failure instanceof GraphFailure && failure.code !== null && isPermission(failure.code);
}

function meaningOf(code: number, subcode: unknown, status: number): Meaning {
  if (isPermission(code)) return NO_PERMISSION;
  if (code === UNKNOWN_OBJECT.code && subcode === UNKNOWN_OBJECT.subcode) return REFUSED;
  const known = MEANINGS[code];
  if (known !== undefined) return known;
  if (status === 429 || status >= 500) return TEMPORARY;
  return status === 401 || status === 403 ? REFUSED : { kind: "permanent" };
}

/** 200 to 299 are permissions, too. */
function isPermission(code: number): boolean {
  return (code >= 200 && code <= 299) || MEANINGS[code] === NO_PERMISSION;
}

function reasonOf(error: Readonly<Record<string, unknown>>): string {
  const { message, error_data: data } = error;
  const details = isMapping(data) && typeof data["details"] === "string" ? data["details"] : "";
  const text = typeof message === "string" && message !== "" ? message : "no reason given";
  const whole = details === "" || text.includes(details) ? text : `${text}: ${details}`;
  return truncate(whole.replaceAll(/\s+/g, " ").trim(), LONGEST_REASON);
}
