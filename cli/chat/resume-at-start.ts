/** `hermes chat -c` and `-r [ID]`: finds the session that a conversation starts with, and shows where it was. */
import { HermesError } from "#core/errors";
import type { Host } from "../host/host.ts";
import type { CliContext } from "../context.ts";
import type { ChatRepl } from "./chat-repl.ts";
import { latestElsewhere, resumedText, startedElsewhere } from "./resumed.ts";

export interface ResumeAtStart {
  /**
   * An id, the beginning of one, or `latest`; true to let the user choose; undefined for the latest session that was
   * started in the current folder, else in any.
   */
  readonly wanted: string | true | undefined;
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
  const found = wanted === undefined ? latestHere(host) : { id: await named(wanted, host, context, isTalk) };
  if (found.id === undefined) return;
  const session = conversation.resume(found.id);
  if (isTalk) context.note(`${[resumedText(host.sessions, session), ...(found.notes ?? [])].join("\n\n")}\n`);
}

interface Found {
  readonly id: string | undefined;
  readonly notes?: readonly string[];
}

function latestHere({ sessions, surface }: Host): Found {
  const here = sessions.latest(surface, process.cwd());
  const latest = sessions.latest(surface);
  if (latest === undefined) throw new HermesError("HERMES_SESSION_UNKNOWN", { session: "latest" });
  if (here === undefined) return { id: latest.id, notes: [startedElsewhere(latest)] };
  return { id: here.id, notes: latest.id === here.id ? [] : [latestElsewhere(latest)] };
}

async function named(wanted: string | true, host: Host, context: CliContext, isTalk: boolean) {
  return wanted === true ? choose(host, context, isTalk) : wanted;
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
