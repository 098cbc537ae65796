/** What every command gets: output, global options, and the home. */
import type { Command } from "#cli/command-line/command";
import { EXIT, HermesError } from "#core/errors";
import { LOG_LEVELS, type LogLevel } from "#core/home/log-levels";
import { homePaths, type HomePaths } from "#core/home/paths";
import { didYouMean } from "#core/suggest";
import { writeFaintStderr, writeStderr, writeStyledStderr } from "#core/stderr";
import { writeStdout, writeStyledStdout } from "#core/stdout";
import type { StyledLine } from "#core/styled-text";

export interface GlobalOptions {
  readonly home: string | undefined;
  readonly acceptHooks: boolean;
  readonly safeMode: boolean;
  readonly logLevel: LogLevel;
}

export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  /** The global options (CONTRACT §3), which may come before or after the command. Throws HERMES_USAGE for a bad one. */
  readonly globals: (command: Command) => GlobalOptions;
  readonly paths: (command: Command) => HomePaths;
  /** Writes a result to standard output. A newline is added when there is none. */
  readonly out: (text: string) => void;
  /** Writes lines of a result to standard output, in their colours on a terminal. */
  readonly lines: (lines: readonly StyledLine[]) => void;
  /** Writes a part of a result to standard output. */
  readonly write: (text: string) => void;
  /** Writes `value` as the JSON document of a `--json` command. */
  readonly json: (value: unknown) => void;
  /** True when a JSON document was written: there is at most one. */
  readonly hasDocument: () => boolean;
  /** Writes to standard error, for anything but results. */
  readonly note: (text: string) => void;
  /** Like `note`, in faint letters on a terminal with colours. */
  readonly faint: (text: string) => void;
  /** Writes a part of a line as `faint` does. */
  readonly faintPart: (text: string) => void;
  /** Writes lines to standard error, in their colours on a terminal. */
  readonly styled: (lines: readonly StyledLine[]) => void;
  /** Writes `warning: …` to standard error; each sentence only once. */
  readonly warn: (sentence: string) => void;
  /** Sets the exit code that the program ends with; the first one that is not 0 stays. */
  readonly exit: (code: number) => void;
}

const YES: ReadonlySet<string> = new Set(["1", "true", "yes", "on"]);

/** True for the values that turn on a switch in the environment. */
export function isSwitchedOn(value: string | undefined): boolean {
  return value !== undefined && YES.has(value.trim().toLowerCase());
}

export function createContext(env: NodeJS.ProcessEnv): CliContext {
  const warned = new Set<string>();
  let hasDocument = false;
  const line = (text: string) => (text.endsWith("\n") ? text : `${text}\n`);
  const note = (text: string) => writeStderr(line(text));

  function globals(command: Command): GlobalOptions {
    const options = command.optsWithGlobals() as {
      home?: string;
      acceptHooks?: true;
      safeMode?: true;
      logLevel?: string;
    };
    return {
      home: options.home,
      acceptHooks: options.acceptHooks === true,
      safeMode: options.safeMode === true || isSwitchedOn(env["HERMES_SAFE_MODE"]),
      logLevel: logLevel(options.logLevel ?? env["HERMES_LOG_LEVEL"] ?? "info"),
    };
  }

  return {
    env,
    globals,
    paths: (command) => homePaths(globals(command).home, env),
    out: (text) => writeStdout(line(text)),
    lines: writeStyledStdout,
    write: writeStdout,
    json(value) {
      hasDocument = true;
      writeStdout(`${JSON.stringify(value, null, 2)}\n`);
    },
    hasDocument: () => hasDocument,
    note,
    faint: (text) => writeFaintStderr(line(text)),
    faintPart: writeFaintStderr,
    styled: writeStyledStderr,
    warn(sentence) {
      if (warned.has(sentence)) return;
      warned.add(sentence);
      note(`warning: ${sentence}`);
    },
    exit(code) {
      if (!process.exitCode && code !== EXIT.ok) process.exitCode = code;
    },
  };
}

function logLevel(level: string): LogLevel {
  const known = LOG_LEVELS.find((name) => name === level);
  if (known !== undefined) return known;
  throw new HermesError("HERMES_USAGE", {
    problem: `"${level}" is not a log level. The levels are ${LOG_LEVELS.join(", ")}.${didYouMean(level, LOG_LEVELS)}`,
  });
}
