import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { command } from "./command.ts";
import type { Topic } from "./topic.ts";

const MEGABYTE = 1024 * 1024;

/** A home with one shell hook and a log of so many megabytes, more than hermes writes before it rotates. */
function fill(home: string, megabytes: number): void {
  const script = join(home, "guard.sh");
  writeFileSync(script, "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(home, "config.yaml"), `hooks:\n  pre_tool_call: [{ command: ${script} }]\n`);
  mkdirSync(join(home, "logs"));
  const run = {
    time: "2026-01-01T00:00:00.000Z",
    event: "pre_tool_call",
    source: "shell",
    name: script,
    command: script,
    outcome: "ok",
    cause: null,
    detail: null,
    duration_ms: 12.5,
    exit_code: 0,
    session_id: "20260101_000000_aaaaaa",
    tool_name: "terminal",
    tool_call_id: "call_1",
  };
  const line = `${JSON.stringify(run)}\n`;
  const piece = line.repeat(Math.floor(MEGABYTE / line.length));
  const file = openSync(join(home, "logs", "hooks.jsonl"), "w", 0o600);
  for (let count = 0; count < megabytes; count++) writeSync(file, piece);
  closeSync(file);
}

/** The log of hook runs, as commands read it. */
export const log: Topic = {
  title: "hooks.jsonl",
  input: "megabytes",
  sizes: [0, 1, 5, 25, 100],
  lines: [["hermes hooks list", ["hooks", "list"]] as const, ["hermes hooks log", ["hooks", "log"]] as const].map(
    ([name, args]) => ({
      name,
      prepare: (size, home) => {
        fill(home, size);
        return command(args, home);
      },
    }),
  ),
};
