/** `logs/hermes.log`: JSON lines by pino, secrets redacted, rotated by size. */
import type { Logger } from "pino";
import { problemOf } from "#core/errors";
import { openJsonLines } from "./jsonl.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A log that adds these fields to all lines. */
  child(fields: Fields): Log;
}

export interface LogFile extends Log {
  /** Writes waiting lines; loads pino first if there are lines from before it was loaded. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly path: string;
  readonly level: LogLevel;
  readonly redact: (text: string) => string;
  /** Called once when the file cannot be written. */
  readonly onError: (problem: string) => void;
}

interface Line {
  readonly level: Exclude<LogLevel, "silent">;
  readonly message: string;
  readonly fields: Fields;
}

/** Opens the log. The file and pino are not used before the first line that passes its level. */
export function openLog(options: LogOptions): LogFile {
  const file = openJsonLines({ path: options.path, onError: (error) => options.onError(problemOf(error)) });
  const lowest = LOG_LEVELS.indexOf(options.level);
  const early: Line[] = [];
  let logger: Logger | undefined;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const { pino } = await import("pino");
    const destination = { write: (text: string) => file.append(options.redact(text.trimEnd())) };
    logger = pino(
      { level: options.level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
      destination,
    );
    for (const line of early.splice(0)) write(line);
  }

  function write(line: Line): void {
    if (LOG_LEVELS.indexOf(line.level) < lowest) return;
    if (logger !== undefined) return logger[line.level](line.fields, line.message);
    early.push(line);
    loading ??= load();
  }

  function make(base: Fields): Log {
    const at = (level: Line["level"]) => (message: string, fields?: Fields) =>
      write({ level, message, fields: fields === undefined ? base : { ...base, ...fields } });
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => make({ ...base, ...fields }),
    };
  }

  async function close(): Promise<void> {
    await loading;
    file.close();
  }

  return { ...make({}), close };
}
