/** `hermes sessions delete`: says what it deletes, and asks. */
import type { SqliteSessions, StoredSession } from "#agent/sessions";
import { EXIT } from "#core/errors";
import { sweepSessionFiles } from "#sandbox/shell/session-files";
import type { CliContext } from "#cli/context";
import { describeSession } from "#cli/chat/resumed";
import { confirmationFor } from "#cli/confirmation";

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
  const confirm = confirmationFor({ yes }, `Add --yes to delete ${shown}: there is no terminal to ask on.`);
  if (!(await confirm(`Delete ${shown}?`))) {
    context.note("Nothing was deleted.");
    return context.exit(EXIT.failed);
  }
  store.delete(session.id);
  sweepSessionFiles(files, store, Number.POSITIVE_INFINITY);
  context.out(`Deleted ${shown}.`);
}

function describe(session: StoredSession, children: number): string {
  if (children === 0) return describeSession(session);
  const others = children === 1 ? "1 session" : `${children} sessions`;
  return `${describeSession(session)}, with ${others} of its child agents`;
}
