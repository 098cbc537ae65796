import { createReadStream } from "node:fs";
import type { Tool } from "#core/ports/agent";
import { countArgument, pathArgument } from "./arguments.ts";
import { describeFileError, findPlace, type ResolvedPath, statFile, type ToolDeps } from "./resolved-path.ts";
import { createTextDecoder } from "./text-files.ts";

const DEFAULT_LINES = 2000;
/** Maximum number of characters of content returned. */
const MOST_CHARACTERS = 100_000;
/** After the requested lines, lines are only counted up to this point, so that a huge file is not read completely. */
const COUNTED_BYTES = 64 * 1024 * 1024;

/** `read_file`: returns lines of a text file, unchanged. */
export function createReadFile(deps: ToolDeps): Tool {
  return {
    name: "read_file",
    description:
      "Reads a UTF-8 text file. Returns up to `limit` lines starting at line `offset` (the first line is 1), unchanged, " +
      "without line numbers. When `truncated` is true there is more: continue at `next_offset`.",
    parameters: {
      type: "object",
      properties: {
        path: { type: "string", description: "The file: absolute, relative to the working directory, or with ~" },
        offset: { type: "integer", minimum: 1, description: "The first line to return; 1 when absent" },
        limit: { type: "integer", minimum: 1, description: `Maximum number of lines; ${DEFAULT_LINES} when absent` },
      },
      required: ["path"],
      additionalProperties: false,
    },
    async execute(args, call) {
      const place = findPlace(pathArgument(args, "path"), "read", call, deps);
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
    ...(window.cut ? { note: `line ${next - 1} is too long and was truncated` } : {}),
  };
}

/** Feeds the file to the window; true when it reached the end, false when it stopped early. */
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

/** Collects the requested lines of a text that arrives in chunks, and counts all lines. */
class LineWindow {
  content = "";
  /** Number of lines in `content`. */
  lines = 0;
  /** Number of lines seen so far. */
  total = 0;
  /** True when the only line in `content` did not fit. */
  cut = false;
  /** True when no further line is added. */
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
    // Nothing is kept of a line that is not requested or already too long.
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
