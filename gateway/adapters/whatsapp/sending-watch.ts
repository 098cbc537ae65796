/** Tells the operator, once, that Meta refuses what is sent until they do something, and when it accepts it again. */
import type { Log } from "#core/home/log";
import type { WhatsAppClient } from "./client.ts";
import { GraphFailure } from "./failure.ts";

export interface SendingWatchOptions {
  readonly platform: string;
  readonly log: Log;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
}

/** The same client, whose messages are watched. */
export function watchSending(client: WhatsAppClient, { platform, log, warn }: SendingWatchOptions): WhatsAppClient {
  let refused: number | null = null;

  function note({ code, message }: GraphFailure): void {
    if (refused === code) return;
    refused = code;
    warn(
      `${platform}: Meta refuses messages: ${message}. Answers are kept and sent once it accepts them. ` +
        `Check gateway.platforms.${platform}.token and the app at developers.facebook.com.`,
    );
  }

  return {
    ...client,
    async sendMessage(target, text, call) {
      try {
        const id = await client.sendMessage(target, text, call);
        if (refused !== null) {
          warn(`${platform}: Meta accepts messages again.`);
          log.info(`${platform}: Meta accepts messages again`);
        }
        refused = null;
        return id;
      } catch (thrown) {
        if (thrown instanceof GraphFailure && thrown.needsOperator && thrown.code !== null) note(thrown);
        throw thrown;
      }
    },
  };
}
