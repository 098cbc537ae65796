/**
 * The messages that were typed in conversations: `chat-history` in the home, 0600, one JSON entry a message, oldest
 * first. Lines of earlier versions are plain text and are read as they are.
 */
import { readFileSync } from "node:fs";
import { openJsonLines, type JsonLinesFile } from "#core/home/jsonl";
import { problemOf } from "#core/errors";
import { terminalText } from "#core/terminal-text";

/** More than that is not loaded. */
const MOST_ENTRIES = 1000;
/** Then the file is set aside as `chat-history.1`, which is still read. */
const MAX_BYTES = 1024 * 1024;

export class MessageHistory {
  readonly #file: JsonLinesFile;
  /** Oldest first. */
  readonly #entries: string[];

  /** Reads the history of `path`; `warn` gets a sentence when it cannot be written. */
  constructor(path: string, warn: (sentence: string) => void) {
    this.#entries = [...readEntries(`${path}.1`), ...readEntries(path)].slice(-MOST_ENTRIES);
    this.#file = openJsonLines({
      path,
      maxBytes: MAX_BYTES,
      keep: 1,
      onError: (error) => warn(`the chat history cannot be saved: ${problemOf(error)}`),
    });
  }

  /** The messages, oldest first, safe to show on the terminal. */
  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Appends a message, unless it is the same as the last one. */
  add(text: string): void {
    if (this.#entries.at(-1) === text) return;
    this.#entries.push(text);
    this.#file.append(JSON.stringify({ at: new Date().toISOString(), text }));
    this.#file.flush();
  }

  close(): void {
    this.#file.close();
  }
}

function readEntries(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").map(textOf).map(terminalText).filter(Boolean);
  } catch {
    // The first conversation in this home, or a home that cannot be read: the history is empty.
    return [];
  }
}

function textOf(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const { text } = JSON.parse(line) as { text?: unknown };
    return typeof text === "string" ? text : line;
  } catch {
    // A line of an earlier version that begins like JSON, or one that a crash cut off.
    return line;
  }
}
