/** `logs/hermes.log`: JSON lines by pino, secrets redacted, rotated by size. */
import { LOG_LEVELS, type LogLevel } from "./log-levels.ts";
import type { Logger } from "pino";
import { problemOf } from "#core/errors";
import { openJsonLines } from "./jsonl.ts";

export type Fields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A log that adds these fields to all lines. */
  child(fields: Fields): Log;
}

export interface LogFile extends Log {
  /** Resolves when pino has been loaded, if there are lines, and each line so far has been passed on. */
  settled(): Promise<void>;
  /** Writes waiting lines; loads pino first if there are lines from before it was loaded. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly path: string;
  readonly level: LogLevel;
  readonly redact: (text: string) => string;
  /** Gets each line of this process as it is written, without secrets, and its fields. */
  readonly onLine?: (line: string, fields: Fields) => void;
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
  /** The fields of the line that pino is writing: it writes at once. */
  let current: Fields = {};

  async function load(): Promise<void> {
    const { pino } = await import("pino");
    const destination = { write: pass };
    logger = pino(
      { level: options.level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
      destination,
    );
    for (const line of early.splice(0)) write(line);
  }

  function pass(text: string): void {
    const line = options.redact(text.trimEnd());
    file.append(line);
    options.onLine?.(line, current);
  }

  function write(line: Line): void {
    if (LOG_LEVELS.indexOf(line.level) < lowest) return;
    if (logger !== undefined) {
      current = line.fields;
      return logger[line.level](line.fields, line.message);
    }
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

  async function settled(): Promise<void> {
    await loading;
  }

  async function close(): Promise<void> {
    await settled();
    file.close();
  }

  return { ...make({}), settled, close };
}
