/** `hermes chat -c` and `-r [ID]`: finds the session that a conversation starts with, and shows where it was. */
import { HermesError } from "#core/errors";
import type { Host } from "../host/host.ts";
import type { CliContext } from "../context.ts";
import type { ChatRepl } from "./chat-repl.ts";
import { resumedText } from "./resumed.ts";

export interface ResumeAtStart {
  /** An id, the beginning of one, or `latest`; true to let the user choose. */
  readonly wanted: string | true;
  readonly host: Host;
  readonly conversation: ChatRepl;
  readonly context: CliContext;
  /** True for a conversation on a terminal: the user can choose, and sees the last exchange. */
  readonly isTalk: boolean;
}

/**
 * Resumes the session, or none if the user chose none. Throws HERMES_SESSION_UNKNOWN and HERMES_ID_AMBIGUOUS, and
 * HERMES_USAGE after a list of the sessions where nobody can choose.
 */
export async function resumeAtStart({ wanted, host, conversation, context, isTalk }: ResumeAtStart): Promise<void> {
  const id = wanted === true ? await choose(host, context, isTalk) : wanted;
  if (id === undefined) return;
  const session = conversation.resume(id);
  if (isTalk) context.note(`${resumedText(host.sessions, session)}\n`);
}

async function choose({ sessions }: Host, context: CliContext, isTalk: boolean): Promise<string | undefined> {
  const { chosenSession, offeredSessions, offerText, WHICH_SESSION } = await import("./session-picker.ts");
  const offered = offeredSessions(sessions);
  if (offered.length === 0) throw new HermesError("HERMES_SESSION_UNKNOWN", { session: "latest" });
  if (!isTalk) {
    context.out(offerText(offered));
    throw new HermesError("HERMES_USAGE", { problem: "Name the session to continue: hermes chat -r ID" });
  }
  context.note(offerText(offered));
  const { createPrompts } = await import("../prompts.ts");
  return chosenSession(await createPrompts().ask(WHICH_SESSION.replace(/: $/, "")), offered);
}
