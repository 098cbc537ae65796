/** `hermes sessions delete`: says what it deletes, and asks. */
import type { SqliteSessions, StoredSession } from "#agent/sessions";
import { visible } from "#allowlist/visible";
import { age } from "#core/age";
import { EXIT, HermesError } from "#core/errors";
import { sweepSessionFiles } from "#sandbox/shell/session-files";
import type { CliContext } from "#cli/context";
import { createPrompts } from "#cli/prompts";
import { fitLine } from "#cli/text-width";

const TITLE_COLUMNS = 60;

export interface Deletion {
  readonly store: SqliteSessions;
  readonly session: StoredSession;
  /** The folder with the session's transcripts. */
  readonly files: string;
  /** True to delete without asking. */
  readonly yes: boolean;
  readonly context: CliContext;
}

/** Deletes a session and those of its child agents. Throws HERMES_USAGE where nobody can be asked. */
export async function deleteSession({ store, session, files, yes, context }: Deletion): Promise<void> {
  const shown = describe(session, store.children(session.id));
  if (!yes) {
    if (!process.stdin.isTTY || !process.stderr.isTTY) {
      throw new HermesError("HERMES_USAGE", {
        problem: `Add --yes to delete ${shown}: there is no terminal to ask on.`,
      });
    }
    if (!(await createPrompts().confirm(`Delete ${shown}?`))) {
      context.note("Nothing was deleted.");
      return context.exit(EXIT.failed);
    }
  }
  store.delete(session.id);
  sweepSessionFiles(files, store, Number.POSITIVE_INFINITY);
  context.out(`Deleted ${shown}.`);
}

/** `0a1b2c3d_… "title", 4 messages, used 2h ago, with 1 session of its child agents` */
function describe({ id, title, message_count: count, updated_at: time }: StoredSession, children: number): string {
  const used = age(time, Date.now());
  return [
    title ? `${id} "${fitLine(visible(title), TITLE_COLUMNS)}"` : id,
    count === 1 ? "1 message" : `${count} messages`,
    used === "now" ? "used just now" : `used ${used} ago`,
    ...(children === 0 ? [] : [`with ${children === 1 ? "1 session" : `${children} sessions`} of its child agents`]),
  ].join(", ");
}
