/** What Slack's packages log goes to our log, without the tokens. */
import type { LogLevel, Logger } from "@slack/web-api";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";

/** Their warnings and errors are details for us: what fails is reported where it matters. */
export function createPackageLogger(log: Log, redact: (text: string) => string): Logger {
  const write = (...parts: readonly unknown[]) => log.debug(`slack: ${redact(parts.map(textOf).join(" "))}`);
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: write,
    error: write,
    setLevel: () => undefined,
    setName: () => undefined,
    // An enum of theirs, which we do not load for one word.
    getLevel: () => "warn" as LogLevel,
  };
}

function textOf(part: unknown): string {
  return typeof part === "string" ? part : problemOf(part);
}
