/** Searches the titles and messages of the stored sessions. */
import type { DatabaseSync } from "node:sqlite";
import type { ChatMessage } from "#core/messages";

export interface SearchHit {
  readonly session_id: string;
  readonly title: string | null;
  readonly platform: string;
  /** The role of the newest message with the text; `title` when only the title has it. */
  readonly role: ChatMessage["role"] | "title";
  /** When that message was stored, or the session was last used; ISO-8601, UTC. */
  readonly at: string;
  /** The text around the first word that was looked for, on one line. */
  readonly snippet: string;
  /** How many messages of the session have the text. */
  readonly matches: number;
}

type SessionRow = Pick<SearchHit, "session_id" | "title" | "platform"> & { readonly updated_at: string };

interface MessageRow {
  readonly message: string;
  readonly created_at: string;
}

/** Characters of a snippet before what was found, and in all. */
const BEFORE = 40;
const LENGTH = 160;
/** Words that the JSON of a message does not escape. LIKE ignores case for these letters. */
const PLAIN = /^[\w .:,;@#+=()<>[\]{}!?$&*-]+$/;

/**
 * The sessions in which a message or the title has all these words, ignoring case, last used first. Reads the messages
 * one by one, so that it needs little memory however many there are. `redact` removes secrets from a whole text before a
 * snippet is cut from it. Throws what SQLite throws.
 */
export function searchSessions(
  database: DatabaseSync,
  text: string,
  limit: number,
  redact: (text: string) => string = (given) => given,
): SearchHit[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const sessions = database.prepare(
    "SELECT id AS session_id, title, platform, updated_at FROM sessions ORDER BY updated_at DESC, rowid DESC",
  );
  const messagesOf = candidates(database, words);
  const hits: SearchHit[] = [];
  for (const session of sessions.all() as unknown as SessionRow[]) {
    const hit = hitIn(session, messagesOf(session.session_id), { words, redact });
    if (hit !== undefined && hits.push(hit) === limit) break;
  }
  return hits;
}

/** The messages of a session that may have the words, newest first. */
function candidates(database: DatabaseSync, words: readonly string[]): (id: string) => Iterable<MessageRow> {
  const patterns = words.filter((word) => PLAIN.test(word)).map((word) => `%${word.replaceAll("_", "\\_")}%`);
  const where = patterns.map(() => "AND message LIKE ? ESCAPE '\\'").join(" ");
  const statement = database.prepare(
    `SELECT message, created_at FROM messages WHERE session_id = ? ${where} ORDER BY position DESC`,
  );
  return (id) => statement.iterate(id, ...patterns) as unknown as Iterable<MessageRow>;
}

interface Search {
  readonly words: readonly string[];
  readonly redact: (text: string) => string;
}

function hitIn(session: SessionRow, rows: Iterable<MessageRow>, search: Search): SearchHit | undefined {
  const { session_id, title, platform, updated_at } = session;
  const about = { session_id, title, platform };
  let hit: SearchHit | undefined;
  for (const { message, created_at: at } of rows) {
    const parsed = JSON.parse(message) as ChatMessage;
    const snippet = snippetWith(search, textOf(parsed));
    if (snippet === undefined) continue;
    // The newest message is shown, and the others are counted.
    hit =
      hit === undefined
        ? { ...about, role: parsed.role, at, snippet, matches: 1 }
        : { ...hit, matches: hit.matches + 1 };
  }
  if (hit !== undefined || title === null) return hit;
  const snippet = snippetWith(search, title);
  return snippet === undefined ? undefined : { ...about, role: "title", at: updated_at, snippet, matches: 0 };
}

/** What a message says, and the arguments of its calls. */
function textOf(message: ChatMessage): string {
  const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
  return [message.content ?? "", ...calls.map(({ function: called }) => `${called.name} ${called.arguments}`)]
    .filter(Boolean)
    .join(" ");
}

/** The text around the first of the words; undefined unless it has them all. */
function snippetWith({ words, redact }: Search, text: string): string | undefined {
  const folded = text.toLowerCase();
  if (!words.every((word) => folded.includes(word))) return undefined;
  const shown = redact(text);
  const start = Math.max(0, shown.toLowerCase().indexOf(words[0]!) - BEFORE);
  const part = shown
    .slice(start, start + LENGTH)
    .replaceAll(/\s+/g, " ")
    .trim();
  return `${start > 0 ? "…" : ""}${part}${start + LENGTH < shown.length ? "…" : ""}`;
}
