/** What a conversation says about a session that it continues, and how to come back to it. */
import type { SqliteSessions, StoredSession } from "#agent/sessions";
import { startsTurn } from "#agent/history";
import { visible } from "#allowlist/visible";
import { age } from "#core/age";
import { truncate } from "#core/truncate";

const SHOWN_QUESTION = 200;
const SHOWN_ANSWER = 600;

/** Title and number of messages, and the last exchange, which reminds of where the conversation was. */
export function resumedText(sessions: Pick<SqliteSessions, "history">, session: StoredSession): string {
  const messages = sessions.history(session.id);
  const start = messages.findLastIndex(startsTurn);
  const question = messages[start]?.content ?? "";
  const answer = messages.slice(start + 1).findLast(({ role, content }) => role === "assistant" && content)?.content;
  return [
    `Resumed ${describeSession(session)}.`,
    ...(start === -1 ? [] : ["", `› ${beginning(question, SHOWN_QUESTION)}`]),
    ...(start === -1 || !answer ? [] : ["", beginning(answer, SHOWN_ANSWER)]),
  ].join("\n");
}

/** `0a1b2c3d_… "title", 4 messages, used 2h ago` */
export function describeSession({ id, title, message_count: count, updated_at: time }: StoredSession): string {
  const used = age(time, Date.now());
  return [
    title ? `${id} "${visible(title)}"` : id,
    count === 1 ? "1 message" : `${count} messages`,
    used === "now" ? "used just now" : `used ${used} ago`,
  ].join(", ");
}

/** How to continue a session that a conversation on the terminal left; `-c` prefers those of this folder. */
export function howToContinue({ id, cwd }: StoredSession): string {
  const byId = `hermes chat -r ${id}`;
  return `Continue this session with: ${cwd === process.cwd() ? `hermes -c, or later: ${byId}` : byId}`;
}

/** Which session was used last, if it was started in another folder. */
export function latestElsewhere({ id, title, cwd }: StoredSession): string {
  const named = title ? `${id} "${visible(title)}"` : id;
  return `The latest session, ${named}, was started in ${folder(cwd)}. To continue it: hermes chat -r ${id}`;
}

/** Where the session was started that is continued because this folder has none. */
export function startedElsewhere({ cwd }: StoredSession): string {
  return `No session was started in this folder; this one was started in ${folder(cwd)}.`;
}

function folder(cwd: string | null): string {
  return cwd === null ? "another folder" : visible(cwd);
}

function beginning(text: string, length: number): string {
  return truncate(text.trim(), length);
}
