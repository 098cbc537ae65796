/**
 * What a handler prints, in its thread: lines for the log instead of bytes on the program's streams. Bounded in the
 * thread itself, so that a handler which prints without end fills no memory but its own.
 */
import type { OutputLevel } from "./wire.ts";

export type TakeLine = (level: OutputLevel, text: string) => void;

const LONGEST_LINE = 4000;
/** Lines in a second; what comes beyond is counted. */
const MOST_LINES = 200;
const WINDOW_MS = 1000;

/** The levels of what is printed by a method; all others are those of their stream. */
const LEVELS: Readonly<Record<string, OutputLevel>> = { debug: "debug", error: "error", trace: "debug" };

/** From now on gives `take` each line that is printed. Returns what hands over a last line without its end. */
export function divertOutput(take: TakeLine): () => void {
  const bounded = limitLines(take);
  let level: OutputLevel | undefined;
  const streams = (["stdout", "stderr"] as const).map((name) => {
    const lines = new Lines();
    const flush = () => lines.flush((line) => bounded(level ?? (name === "stdout" ? "info" : "warn"), line));
    const write = (chunk: unknown, encoding?: unknown, written?: unknown) => {
      const text = typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk as Uint8Array);
      lines.add(text, (line) => bounded(level ?? (name === "stdout" ? "info" : "warn"), line));
      const callback = typeof encoding === "function" ? encoding : written;
      if (typeof callback === "function") process.nextTick(callback);
      return true;
    };
    Object.assign(process[name], { write });
    return flush;
  });
  const methods = console as unknown as Record<string, (...args: unknown[]) => void>;
  for (const [name, itsLevel] of Object.entries(LEVELS)) {
    const print = methods[name]!.bind(console);
    methods[name] = (...args) => {
      level = itsLevel;
      try {
        print(...args);
      } finally {
        level = undefined;
      }
    };
  }
  return () => {
    for (const flush of streams) flush();
  };
}

/** Text in lines. */
class Lines {
  #rest = "";

  add(text: string, take: (line: string) => void): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) take(line);
    if (this.#rest.length > LONGEST_LINE) this.flush(take);
  }

  flush(take: (line: string) => void): void {
    const line = this.#rest;
    this.#rest = "";
    if (line !== "") take(line);
  }
}

export function limitLines(take: TakeLine): TakeLine {
  const now = performance.now.bind(performance);
  let windowEnd = Number.NEGATIVE_INFINITY;
  let left = 0;
  let dropped = 0;
  return (level, line) => {
    if (now() > windowEnd) {
      windowEnd = now() + WINDOW_MS;
      left = MOST_LINES;
      if (dropped > 0) take("warn", `… ${dropped} more lines were left out`);
      dropped = 0;
    }
    if (left-- <= 0) dropped++;
    else take(level, line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
  };
}
