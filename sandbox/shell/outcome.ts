/** Turns the end of a script's run into errors; shared by all protocols (the outcome table of CONTRACT §6). */
import { HermesError } from "#core/errors";
import type { EventName } from "#core/events";
import { describeEscaped } from "#sandbox/process/descendants";
import type { ProcessResult } from "#sandbox/process/run";
import type { ShellEntry } from "./entries.ts";

/** For standard output and standard error each. */
export const MOST_OUTPUT_BYTES = 1024 * 1024;
/** The exit code that blocks at a gate with `exitTwoBlocks`. */
export const EXIT_BLOCK = 2;
const LONGEST_MESSAGE = 400;

/** The error of a run that was killed or never started; null for one that ended by itself. */
export function failureOfEnd(entry: ShellEntry, event: EventName, result: ProcessResult): HermesError | null {
  const hook = { source: "shell", name: entry.name, event };
  const escaped = describeEscaped(result.escaped);
  switch (result.ended) {
    case "exited":
      return null;
    case "not_started":
      return scriptFailure(entry, event, result.start_problem ?? "it could not be started");
    case "timeout": {
      const flush = entry.coprocess ? " A coprocess must end each answer with a newline and flush its output." : "";
      const cure = `The hook and its child processes were killed.${escaped} Make it faster, or give the entry a longer timeout.${flush}`;
      return new HermesError("HERMES_HOOK_TIMEOUT", { ...hook, seconds: entry.timeoutSeconds, cure });
    }
    case "overflow":
      return scriptFailure(entry, event, `it wrote more than 1 MiB of output and was killed.${escaped}`);
    case "interrupted":
      return new HermesError("HERMES_HOOK_INTERRUPTED", { ...hook, note: escaped });
  }
}

/** The error of a nonzero exit code or a death by signal; undefined for exit code 0. */
export function failureOfExit(entry: ShellEntry, event: EventName, result: ProcessResult): HermesError | undefined {
  if (result.exit_code === 0) return undefined;
  const { exit_code, signal, stderr } = result;
  // `#!/usr/bin/env bash` with CRLF starts env, which finds no program of this name: it says bash\r.
  if (exit_code === 127 && /\r|\\r/.test(stderr)) {
    // The script is somewhere among the words of the command.
    return scriptFailure(entry, event, "its script has Windows line endings, so its interpreter is not found");
  }
  const end = signal === null ? `it failed with exit code ${exit_code}` : `it was killed by ${signal}`;
  const words = stderr.trim();
  return scriptFailure(entry, event, words === "" ? end : `${end}: ${excerpt(words, 200)}`);
}

export function scriptFailure({ name }: ShellEntry, event: EventName, problem: string): HermesError {
  return new HermesError("HERMES_HOOK_SCRIPT", { name, event, problem });
}

/** The beginning of standard error, as the message of a block; may be empty. */
export function firstCharacters(stderr: string): string {
  return Array.from(stderr.trim()).slice(0, LONGEST_MESSAGE).join("");
}

/** A non-blank string, or undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** At most `most` characters of a text, on one line. */
export function excerpt(text: string, most: number): string {
  const characters = Array.from(text.slice(0, 2 * most).replaceAll(/\s+/g, " "));
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : characters.join("");
}
