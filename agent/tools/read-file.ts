import { createReadStream } from "node:fs";
import type { Tool } from "#core/ports/agent";
import { countArgument, pathArgument } from "./arguments.ts";
import { describeFileError, findPlace, type ResolvedPath, statFile, type ToolDeps } from "./resolved-path.ts";
import { createTextDecoder } from "./text-files.ts";

const DEFAULT_LINES = 2000;
/** Characters of content given back at most. */
const MOST_CHARACTERS = 100_000;
/** After the wanted lines, lines are only counted to this point of the file: a huge one is not read to its end. */
const COUNTED_BYTES = 64 * 1024 * 1024;

/** `read_file`: some lines of a text file, raw. */
export function createReadFile(deps: ToolDeps): Tool {
  return {
    name: "read_file",
    description:
      "Reads a UTF-8 text file. Gives up to `limit` lines from line `offset` on (the first line is 1), as they are, " +
      "without line numbers. When `truncated` is true there is more: read on at `next_offset`.",
    parameters: {
      type: "object",
      properties: {
        path: { type: "string", description: "The file: absolute, relative to the working folder, or with ~" },
        offset: { type: "integer", minimum: 1, description: "The first line to give; 1 when absent" },
        limit: { type: "integer", minimum: 1, description: `How many lines at most; ${DEFAULT_LINES} when absent` },
      },
      required: ["path"],
      additionalProperties: false,
    },
    async execute(args, call) {
      const place = findPlace(pathArgument(args, "path"), call, deps);
      const offset = countArgument(args, "offset", 1);
      const limit = countArgument(args, "limit", DEFAULT_LINES);
      await statFile(place);
      return readLines(place, { offset, limit, signal: call.signal });
    },
  };
}

interface Wanted {
  readonly offset: number;
  readonly limit: number;
  readonly signal: AbortSignal;
}

async function readLines(place: ResolvedPath, { offset, limit, signal }: Wanted) {
  const window = new LineWindow(offset, limit);
  const ended = await stream(place, window, signal);
  if (ended && offset > Math.max(1, window.total)) {
    throw new Error(`${place.shown} has ${window.total} lines; there is no line ${offset}`);
  }
  const next = offset + window.lines;
  const truncated = window.cut || !ended || next <= window.total;
  return {
    content: window.content,
    // Null for a file too large to be counted.
    total_lines: ended ? window.total : null,
    offset,
    lines: window.lines,
    truncated,
    ...(truncated ? { next_offset: next } : {}),
    ...(window.cut ? { note: `line ${next - 1} is too long and was cut` } : {}),
  };
}

/** Feeds the file to the window; true when it came to the end, false when the rest was not worth reading. */
async function stream(place: ResolvedPath, window: LineWindow, signal: AbortSignal): Promise<boolean> {
  const decode = createTextDecoder(place);
  let read = 0;
  try {
    for await (const chunk of createReadStream(place.path, {
      signal,
      highWaterMark: 256 * 1024,
    }) as AsyncIterable<Buffer>) {
      window.take(decode(chunk));
      read += chunk.length;
      if (window.full && read > COUNTED_BYTES) return false;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Error && "code" in error
      ? new Error(describeFileError(error, place), { cause: error })
      : error;
  }
  window.take(decode());
  window.end();
  return true;
}

/** Collects the wanted lines out of a text that comes in pieces, and counts all of them. */
class LineWindow {
  content = "";
  /** Lines in `content`. */
  lines = 0;
  /** Lines seen so far. */
  total = 0;
  /** True when the one line in `content` did not fit. */
  cut = false;
  /** True when no further line will be taken. */
  full = false;
  readonly #first: number;
  readonly #limit: number;
  #line = "";
  #lineHasText = false;

  constructor(first: number, limit: number) {
    this.#first = first;
    this.#limit = limit;
  }

  take(text: string): void {
    let start = this.total === 0 && !this.#lineHasText && text.startsWith("\uFEFF") ? 1 : 0;
    for (let end = text.indexOf("\n", start); end !== -1; end = text.indexOf("\n", start)) {
      this.#extend(text.slice(start, end + 1));
      this.end();
      start = end + 1;
    }
    this.#extend(text.slice(start));
  }

  /** Ends the current line. */
  end(): void {
    if (!this.#lineHasText) return;
    this.total += 1;
    if (!this.full && this.total >= this.#first) this.#keep(this.#line);
    this.#line = "";
    this.#lineHasText = false;
  }

  #extend(text: string): void {
    if (text === "") return;
    this.#lineHasText = true;
    // Of a line that is not wanted, or is too long already, nothing is held.
    const wanted = !this.full && this.total + 1 >= this.#first;
    if (wanted && this.#line.length <= MOST_CHARACTERS)
      this.#line += text.slice(0, MOST_CHARACTERS + 1 - this.#line.length);
  }

  #keep(line: string): void {
    if (this.content.length + line.length <= MOST_CHARACTERS) {
      this.content += line;
      this.lines += 1;
      this.full = this.lines >= this.#limit;
      return;
    }
    this.full = true;
    if (this.lines > 0) return;
    // Not in the middle of a surrogate pair.
    this.content = line.slice(0, MOST_CHARACTERS).replace(/[\uD800-\uDBFF]$/, "");
    this.lines = 1;
    this.cut = true;
  }
}
