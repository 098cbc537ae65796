/**
 * Turns a handler's output into log lines, in its thread, instead of writing to the program's streams. Limited in the
 * thread itself, so that a handler that prints endlessly only uses its own memory.
 */
import type { OutputLevel } from "#core/ports/tier";
import { limitLines, Lines, type TakeLine } from "#sandbox/process/lines";

/** The log level of each method; other output gets the level of its stream. */
const LEVELS: Readonly<Record<string, OutputLevel>> = { debug: "debug", error: "error", trace: "debug" };

/** Passes each printed line to `take`. Returns a function that flushes a last line without a newline. */
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
