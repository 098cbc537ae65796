/** Checks the tokens: who they belong to, and what they may do. */
import { HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import { callFailureOf, type CallFailure } from "#gateway/adapters/shared/call-failure";
import { createRedactor } from "#gateway/adapters/shared/redaction";
import { ApiRoot, createCaller, type Caller } from "./caller.ts";
import { findAccount, type Account } from "./client.ts";
import { missingScopes, missingScopesSentence, VITAL_SCOPE } from "./manifest.ts";

export interface SlackAccess {
  readonly account: Account;
  readonly root: ApiRoot;
  readonly call: Caller;
  /** What is missing, a sentence each, although the bot can run. */
  readonly notes: readonly string[];
}

interface AccountOptions {
  readonly botToken: string;
  readonly apiRoot: string | undefined;
  readonly redact: (text: string) => string;
  readonly log: Log;
}

const SLACK = "https://slack.com/api";
/** How long the first answer may take. */
const START_MS = 15_000;

/** Removes the tokens, and those in the addresses of connections. */
export function slackRedactor(tokens: readonly string[]): (text: string) => string {
  const redact = createRedactor(tokens);
  return (text) => redact(text).replaceAll(/\bticket=[^&\s"']+/g, "ticket=[redacted]");
}

/** Rejects with HERMES_ADAPTER_CONFIG (the token, or its scopes) or HERMES_ADAPTER_START. */
export async function findSlackAccount(options: AccountOptions): Promise<SlackAccess> {
  const { botToken, apiRoot = SLACK, redact, log } = options;
  const root = new ApiRoot(apiRoot);
  const call = await createCaller({ token: botToken, root, redact, log });
  const account = await findAccount(call, AbortSignal.timeout(START_MS)).catch((thrown: unknown) => {
    throw tokenError(callFailureOf(thrown), "bot_token", root.url);
  });
  if (account.userId === "") throw notStarted(`${root.url} does not speak Slack's Web API`);
  const missing = account.scopes === null ? [] : missingScopes(account.scopes);
  if (missing.includes(VITAL_SCOPE)) throw unusable(missingScopesSentence(missing));
  return { account, root, call, notes: missing.length === 0 ? [] : [missingScopesSentence(missing)] };
}

/** The error of a start that could not connect. */
export function socketError(failure: CallFailure, url: string): HermesError {
  if (failure.message.endsWith("(missing_scope)")) {
    return unusable(
      "gateway.platforms.slack.app_token lacks the scope connections:write. Create an app-level token with it at " +
        "https://api.slack.com/apps under Basic Information.",
    );
  }
  return tokenError(failure, "app_token", url);
}

/** Slack answers, and says no: then the token is wrong, or that of something else. */
function tokenError({ kind, message }: CallFailure, key: string, url: string): HermesError {
  if (kind === "temporary") return notStarted(`${url} cannot be reached: ${message}`);
  return unusable(`Slack rejected the token (${message}). Check gateway.platforms.slack.${key}.`);
}

function unusable(problem: string): HermesError {
  return new HermesError("HERMES_ADAPTER_CONFIG", { platform: "slack", problem });
}

function notStarted(problem: string): HermesError {
  return new HermesError("HERMES_ADAPTER_START", { platform: "slack", problem });
}
