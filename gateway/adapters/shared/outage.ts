/** Reports that a platform's messages cannot be received: when it starts, then rarely, and when it is over. */
import { growingPause, type Backoff } from "#core/backoff";
import type { Log } from "#core/home/log";
import { OncePerMinute } from "#core/rare-log";

export interface OutageFailure {
  /** What is wrong, without a full stop. */
  readonly problem: string;
  /** What the operator has to do, a sentence without a full stop. Then they are shown it, once an outage. */
  readonly advice?: string | undefined;
  /** The delay that the server asks for, in milliseconds, or null. */
  readonly retryAfterMs?: number | null;
}

export interface Outage {
  /** Notes a failed attempt and returns the pause before the next one, in milliseconds. */
  note(failure: OutageFailure): number;
  /** Messages can be received. */
  end(): void;
}

export interface OutageOptions {
  readonly platform: string;
  readonly log: Log;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
  readonly backoff: Backoff;
}

/** How much longer pauses become while only the operator can end the outage. */
const PATIENCE = 5;

export function createOutage({ platform, log, warn, backoff }: OutageOptions): Outage {
  const rare = new OncePerMinute();
  let failures = 0;
  let advised = "";
  return {
    note({ problem, advice = "", retryAfterMs }) {
      const sentence = `${platform}: cannot receive messages: ${problem}${advice === "" ? "" : `. ${advice}`}; retrying`;
      if (advice !== "" && advice !== advised) {
        advised = advice;
        warn(`${sentence} with increasing delays.`);
      }
      if (rare.isDue()) log.warn(sentence);
      const longestPause = backoff.longestPause * (advice === "" ? 1 : PATIENCE);
      return Math.max(growingPause(failures++, { ...backoff, longestPause }), retryAfterMs ?? 0);
    },
    end() {
      if (failures > 0) log.info(`${platform}: receiving messages again`);
      if (advised !== "") warn(`${platform}: receiving messages again.`);
      failures = 0;
      advised = "";
      rare.reset();
    },
  };
}
