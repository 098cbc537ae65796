/** Searches the titles and messages of the stored sessions. */
import { setImmediate } from "node:timers/promises";
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
  readonly position: number;
  /** Null when it cannot have the words. */
  readonly message: string | null;
  readonly created_at: string;
}

/** How long a search keeps other work of its thread waiting. */
const SLICE_MS = 5;
/** Characters of a snippet before what was found, and in all. */
const BEFORE = 40;
const LENGTH = 160;
/** Words that the JSON of a message does not escape. LIKE ignores case for these letters. */
const PLAIN = /^[\w .:,;@#+=()<>[\]{}!?$&*-]+$/;

export interface SessionQuery {
  readonly text: string;
  /** How many sessions to find. */
  readonly limit: number;
  /** Removes secrets from a whole text before a snippet is cut from it. */
  readonly redact?: (text: string) => string;
  /** Ends the search early. */
  readonly signal?: AbortSignal;
}

/**
 * The sessions in which a message or the title has all these words, ignoring case, last used first. Reads the messages
 * one by one, so that it needs little memory however many there are, and lets the event loop run every few
 * milliseconds. No statement is open meanwhile, so that others can write through the same connection. Throws what
 * SQLite throws.
 */
export async function* searchSessions(database: DatabaseSync, query: SessionQuery): AsyncGenerator<SearchHit> {
  const { text, limit, redact = (given: string) => given, signal } = query;
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return;
  const sessions = database.prepare(
    "SELECT id AS session_id, title, platform, updated_at FROM sessions ORDER BY updated_at DESC, rowid DESC",
  );
  const search: Search = { words, redact, signal, slice: new Slice(), messagesOf: reader(database, words) };
  let found = 0;
  for (const session of sessions.all() as unknown as SessionRow[]) {
    const hit = await hitIn(session, search);
    if (signal?.aborted) return;
    if (hit === undefined) continue;
    yield hit;
    if (++found === limit) return;
  }
}

/** Gives the messages of a session before a position, newest first. */
function reader(database: DatabaseSync, words: readonly string[]) {
  const patterns = words.filter((word) => PLAIN.test(word)).map((word) => `%${word.replaceAll("_", "\\_")}%`);
  const likes = patterns.map(() => "message LIKE ? ESCAPE '\\'").join(" AND ");
  const message = likes === "" ? "message" : `CASE WHEN ${likes} THEN message END AS message`;
  // Not a condition of WHERE: a step of SQLite would then read on until a message has the words.
  const statement = database.prepare(
    `SELECT position, ${message}, created_at FROM messages WHERE session_id = ? AND position < ? ORDER BY position DESC`,
  );
  return (id: string, before: number) => statement.iterate(...patterns, id, before) as unknown as Iterable<MessageRow>;
}

interface Search {
  readonly words: readonly string[];
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal | undefined;
  readonly slice: Slice;
  readonly messagesOf: ReturnType<typeof reader>;
}

/** The time until others get a turn. */
class Slice {
  #end = performance.now() + SLICE_MS;

  get isOver(): boolean {
    return performance.now() > this.#end;
  }

  async rest(): Promise<void> {
    await setImmediate();
    this.#end = performance.now() + SLICE_MS;
  }
}

async function hitIn(session: SessionRow, search: Search): Promise<SearchHit | undefined> {
  const { session_id, title, platform, updated_at } = session;
  const about = { session_id, title, platform };
  let hit: SearchHit | undefined;
  let next: number | undefined = Number.MAX_SAFE_INTEGER;
  while (next !== undefined) {
    if (search.slice.isOver) await search.slice.rest();
    if (search.signal?.aborted) return undefined;
    const before: number = next;
    next = undefined;
    for (const { position, message, created_at: at } of search.messagesOf(session_id, before)) {
      const match = message === null ? undefined : matchIn(message, search);
      // The newest message is shown, and the others are counted.
      if (match !== undefined)
        hit = hit ? { ...hit, matches: hit.matches + 1 } : { ...about, ...match, at, matches: 1 };
      if (!search.slice.isOver) continue;
      next = position;
      break;
    }
  }
  if (hit !== undefined || title === null) return hit;
  const snippet = snippetWith(search, title);
  return snippet === undefined ? undefined : { ...about, role: "title", at: updated_at, snippet, matches: 0 };
}

function matchIn(message: string, search: Search): Pick<SearchHit, "role" | "snippet"> | undefined {
  const parsed = JSON.parse(message) as ChatMessage;
  const snippet = snippetWith(search, textOf(parsed));
  return snippet === undefined ? undefined : { role: parsed.role, snippet };
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
