/** Says once that Slack rejects the bot's token, finds out when it is accepted again, and says that, too. */
import { setTimeout as sleep } from "node:timers/promises";
import { growingPause, type Backoff } from "#core/backoff";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import type { Caller } from "./caller.ts";
import { BOT_SCOPES, missingScopesSentence } from "./manifest.ts";

export interface TokenWatchOptions {
  readonly call: Caller;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
  /** Between two attempts while the token is rejected. */
  readonly backoff: Backoff;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
}

/** The same calls, watched. */
export function watchToken({ call, warn, backoff, signal }: TokenWatchOptions): Caller {
  const state = { isRejected: false };
  const saidScopes = new Set<string>();

  function reject(problem: string): void {
    if (state.isRejected) return;
    state.isRejected = true;
    warn(
      `slack: Slack rejects the bot's token (${problem}), so no messages can be sent. Check ` +
        "gateway.platforms.slack.bot_token. The gateway retries with increasing delays.",
    );
    void probe();
  }

  function accept(): void {
    if (!state.isRejected) return;
    state.isRejected = false;
    warn("slack: Slack accepts the bot's token again.");
  }

  async function probe(): Promise<void> {
    for (let failures = 0; state.isRejected && !signal.aborted; failures++) {
      // It must not keep the program running; the loop notices an abort.
      await sleep(growingPause(failures, backoff), undefined, { signal, ref: false }).catch(() => undefined);
      // Its failure is another attempt; its success ends the loop.
      if (state.isRejected && !signal.aborted) await watched("auth.test").catch(() => undefined);
    }
  }

  /** A scope that was taken away while running. */
  function noteScope(problem: string): void {
    const scope = BOT_SCOPES.find(({ name }) => problem.includes(`the scope ${name} `))?.name;
    if (scope === undefined || saidScopes.has(scope)) return;
    saidScopes.add(scope);
    warn(`slack: ${missingScopesSentence([scope])}`);
  }

  const watched: Caller = async (method, fields, own) => {
    try {
      const answer = await call(method, fields, own);
      accept();
      return answer;
    } catch (thrown) {
      const failure = callFailureOf(thrown);
      if (failure.status === 401) reject(failure.message);
      else if (failure.status === 403 && method.startsWith("chat.")) noteScope(failure.message);
      throw failure;
    }
  };
  return watched;
}
