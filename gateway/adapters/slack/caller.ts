/** Calls methods of Slack's Web API, through the official package. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { WebClientOptions } from "@slack/web-api";
import type { Log } from "#core/home/log";
import { CallFailure } from "#gateway/adapters/shared/call-failure";
import { slackFailureFrom } from "./failure.ts";
import { createPackageLogger } from "./package-log.ts";

/** A method's answer: it was `ok`. */
export type Answer = Readonly<Record<string, unknown>> & {
  readonly response_metadata?: { readonly scopes?: readonly string[] };
};

/** Rejects only with a CallFailure. Without a signal a call has 15 s. */
export type Caller = (
  method: string,
  fields?: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
) => Promise<Answer>;

/** How long a call may take. */
export const CALL_MS = 15_000;

/** The address of the Web API, which the first answer decides if `api_root` has no path. */
export class ApiRoot {
  /** The usual address first. */
  readonly #candidates: string[];
  #isSettled = false;

  constructor(given: string) {
    const root = given.replace(/\/+$/, "");
    this.#candidates = new URL(root).pathname === "/" ? [`${root}/api/`, `${root}/`] : [`${root}/`];
  }

  get url(): string {
    return this.#candidates[0]!;
  }

  /** Takes the status of an answer. True when the same call should be made at another address. */
  note(status: number | undefined): boolean {
    const isElsewhere = !this.#isSettled && status === 404 && this.#candidates.length > 1;
    if (isElsewhere) this.#candidates.shift();
    else if (status !== undefined) this.#isSettled = true;
    return isElsewhere;
  }
}

export interface CallerOptions {
  readonly token: string;
  readonly root: ApiRoot;
  readonly redact: (text: string) => string;
  readonly log: Log;
}

/** A call on its way, for the package's `fetch`: the package itself passes on neither of the two. */
interface RunningCall {
  readonly signal: AbortSignal;
  status?: number;
}

export async function createCaller({ token, root, redact, log }: CallerOptions): Promise<Caller> {
  const { WebClient } = await import("@slack/web-api");
  const running = new AsyncLocalStorage<RunningCall>();
  const options = {
    ...QUIET,
    // Calls that waited for others would be of those others.
    maxRequestConcurrency: Number.POSITIVE_INFINITY,
    logger: createPackageLogger(log, redact),
    fetch: (url: string | URL, init?: object) => fetchFor(running.getStore(), url, init),
  };
  let client = new WebClient(token, { ...options, slackApiUrl: root.url });

  return async function call(method, fields = {}, signal = AbortSignal.timeout(CALL_MS)) {
    const own: RunningCall = { signal };
    if (client.slackApiUrl !== root.url) client = new WebClient(token, { ...options, slackApiUrl: root.url });
    try {
      const answer = await running.run(own, () => client.apiCall(method, fields));
      root.note(own.status);
      return answer as unknown as Answer;
    } catch (thrown) {
      if (root.note(own.status)) return call(method, fields, signal);
      throw signal.aborted ? new CallFailure("no answer in time") : slackFailureFrom(thrown, redact, own.status);
    }
  };
}

async function fetchFor(call: RunningCall | undefined, url: string | URL, init: object | undefined): Promise<Response> {
  const response = await fetch(url, { ...init, ...(call === undefined ? {} : { signal: call.signal }) });
  if (call !== undefined) call.status = response.status;
  return response;
}

/** We retry ourselves: a package that retries, too, would keep an answer back for up to half an hour. */
export const QUIET = {
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
  allowAbsoluteUrls: false,
} as const satisfies WebClientOptions;
