/** Tells the operator, once, that Meta refuses the token or lacks a permission, and when it works again. */
import type { Log } from "#core/home/log";
import type { Graph } from "./graph.ts";
import { GraphFailure } from "./failure.ts";

export interface TokenWatchOptions {
  readonly platform: string;
  readonly log: Log;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
}

/** The same calls, watched. */
export function watchToken(graph: Graph, { platform, log, warn }: TokenWatchOptions): Graph {
  let refused: number | null = null;

  async function watched<Value>(call: Promise<Value>): Promise<Value> {
    try {
      const value = await call;
      if (refused !== null) {
        warn(`${platform}: Meta accepts messages again.`);
        log.info(`${platform}: Meta accepts messages again`);
      }
      refused = null;
      return value;
    } catch (thrown) {
      if (thrown instanceof GraphFailure && thrown.needsOperator && thrown.code !== null) note(thrown);
      throw thrown;
    }
  }

  function note({ code, message }: GraphFailure): void {
    if (refused === code) return;
    refused = code;
    warn(
      `${platform}: Meta refuses messages: ${message}. Answers are kept and sent once it accepts them. ` +
        `Check gateway.platforms.${platform}.token and the app at developers.facebook.com.`,
    );
  }

  return {
    ...graph,
    get: (path, signal) => watched(graph.get(path, signal)),
    post: (path, body, signal) => watched(graph.post(path, body, signal)),
  };
}
