/** Decides whether a message reaches the agent: checks hooks, then access, then its text. */
import { HermesError } from "#core/errors";
import type { Log } from "#core/home/log";
import type { InboundMessage } from "#core/ports/platform";
import type { HookRun } from "#core/ports/hook";
import type { UserAccess } from "./access.ts";
import { passGate, type GateDeps } from "./gate.ts";
import { LONGEST_MESSAGE } from "./message.ts";
import type { Recipient } from "./recipient.ts";

export interface AdmissionDeps extends GateDeps {
  readonly access: UserAccess;
  readonly log: Log;
}

/** An admitted message, with the hooks that ran. */
export interface Admitted {
  readonly text: string;
  readonly runs: readonly HookRun[];
}

/**
 * The message's text after hooks; null for a message that ends here, which its recipient was told if appropriate.
 * Messages of the program itself are not checked. Never rejects.
 */
export async function admit(
  deps: AdmissionDeps,
  message: InboundMessage,
  recipient: Recipient,
  key: string | null,
): Promise<Admitted | null> {
  const { source, internal } = message;
  const isTooLong = Buffer.byteLength(message.text) > LONGEST_MESSAGE;
  // Too long messages are refused before hooks run.
  const passed =
    internal || isTooLong ? { text: message.text, reason: "", runs: [] } : await passGate(deps, message, key);
  const { text, reason, runs } = passed;
  if (text === null) {
    deps.log.info("a hook skipped a message", { platform: source.platform, reason });
    await recipient.end();
    return null;
  }
  if (!internal && !deps.access.allows(source)) {
    const { platform, user_id: user } = source;
    const denied = new HermesError("HERMES_ACCESS_DENIED", { platform, user });
    if (!(await deps.access.rejectStranger(source, recipient))) await recipient.fail(denied, null);
    return null;
  }
  if (!isTooLong && (text.trim() !== "" || message.images !== undefined)) return { text, runs };
  if (!isTooLong && message.unreadable !== undefined) {
    await recipient.answer(message.unreadable);
    return null;
  }
  const problem = isTooLong ? "it is longer than 1 MiB" : "it is empty";
  const invalid = new HermesError("HERMES_MESSAGE_INVALID", { problem });
  await recipient.fail(invalid, isTooLong ? invalid.message : null);
  return null;
}
