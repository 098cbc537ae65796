/** Keeps below Slack's published rates (https://docs.slack.dev/apis/web-api/rate-limits). */
import { setTimeout as sleep } from "node:timers/promises";
import { BoundedMap } from "#core/bounded-map";

export interface PaceTiming {
  /** Between two new messages in a channel: Slack allows one a second. */
  readonly postMs: number;
  /** Between two updates in the workspace: chat.update is of tier 3, 50 a minute for all channels together. */
  readonly updateMs: number;
}

export interface Pace {
  /** Waits until there may be another message in the channel. Rejects when the signal aborts. */
  post(channel: string, signal: AbortSignal): Promise<void>;
  /** True when there may be an update of a draft now; it is then taken as made. */
  mayUpdate(): boolean;
  /** An update that is made in any case. */
  update(): void;
}

const MOST_CHANNELS = 1000;
/** As many updates as this may follow each other closely after a quiet time: tier 3 allows sporadic bursts. */
const BURST = 5;

export function createPace({ postMs, updateMs }: PaceTiming): Pace {
  const nextPost = new BoundedMap<string, number>(MOST_CHANNELS);
  let nextUpdate = 0;

  function update(): void {
    nextUpdate = Math.max(nextUpdate, performance.now() - BURST * updateMs) + updateMs;
  }

  return {
    async post(channel, signal) {
      const now = performance.now();
      const at = Math.max(now, nextPost.get(channel) ?? 0);
      nextPost.set(channel, at + postMs);
      if (at > now) await sleep(at - now, undefined, { signal });
    },
    mayUpdate() {
      if (nextUpdate > performance.now()) return false;
      update();
      return true;
    },
    update,
  };
}
