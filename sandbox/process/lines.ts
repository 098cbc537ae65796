/** Splits output into lines, and limits how many are logged. */
import type { ChildProcess } from "node:child_process";
import type { OutputLevel } from "#core/ports/tier";
import { truncate } from "#core/truncate";

export type TakeLine = (level: OutputLevel, text: string) => void;

const LONGEST_LINE = 4000;
/** Lines per second; further ones are only counted. */
const MOST_LINES = 200;
const WINDOW_MS = 1000;

/** The last characters of standard error that are kept. */
const STDERR_CHARACTERS = 4096;

/**
 * Passes on the output of a child that hosts the code of users, limited: what native code and the programs that it starts
 * write. Returns a function that gives the end of its standard error so far.
 */
export function watchOutput(child: ChildProcess, take: TakeLine): () => string {
  const write = limitLines(take);
  let end = "";
  for (const [stream, level] of [[child.stdout, "info"] as const, [child.stderr, "warn"] as const]) {
    const lines = new Lines();
    stream?.setEncoding("utf8").on("data", (text: string) => {
      if (level === "warn") end = `${end}${text}`.slice(-STDERR_CHARACTERS);
      lines.add(text, (line) => write(level, line));
    });
    stream?.on("error", () => undefined).once("close", () => lines.flush((line) => write(level, line)));
  }
  return () => end;
}

/** Splits text into lines. */
export class Lines {
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
      if (dropped > 0) take("warn", `… ${dropped} more lines were dropped`);
      dropped = 0;
    }
    if (left-- <= 0) dropped++;
    else take(level, truncate(line, LONGEST_LINE));
  };
}
