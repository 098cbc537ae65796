import { constants } from "node:os";
import { describeEscaped } from "#sandbox/process/descendants";
import { filterEnvironment } from "#sandbox/process/environment";
import { type ProcessResult, runProcess } from "#sandbox/process/run";
import { markAgentEnvironment } from "#core/agent-mark";
import type { Tool } from "#core/ports/agent";
import { existsSync } from "node:fs";
import { flagArgument, optionalText, textArgument, type ToolArguments } from "./arguments.ts";
import type { BackgroundCommands } from "./background.ts";
import { findPlace, statPlace, type ToolDeps } from "./resolved-path.ts";

const DEFAULT_SECONDS = 180;
const MOST_SECONDS = 600;
/** Bytes of output kept: two thirds from its beginning, the rest from its end, where errors stand. */
const MOST_BYTES = 100_000;
const TAIL_BYTES = 33_000;

/** `terminal`: runs a shell command in its own process group, bounded in time and output. */
export function createTerminal(deps: ToolDeps): Tool {
  return {
    name: "terminal",
    description:
      "Runs a shell command (bash where there is one) and gives its output, standard error included, and exit code. " +
      "Each call is a shell of its own; standard input is empty, so nothing interactive works.",
    parameters: {
      type: "object",
      properties: {
        command: { type: "string", description: "The command line" },
        timeout: {
          type: "number",
          exclusiveMinimum: 0,
          description: `Seconds until it is stopped; ${DEFAULT_SECONDS} when absent, ${MOST_SECONDS} at most`,
        },
        workdir: { type: "string", description: "The folder to run in; the working folder when absent" },
        background: {
          type: "boolean",
          description:
            "Return at once with an id and the file that the output goes to. The command ends with the session, or with stop. " +
            "Without it, processes that a command leaves behind are killed",
        },
        stop: { type: "string", description: "The id of a background command to end, instead of a command" },
      },
      additionalProperties: false,
    },
    async execute(args, call) {
      const stop = optionalText(args, "stop");
      if (stop !== undefined) return backgroundOf(deps).stop(stop, call.session_id);
      const command = textArgument(args, "command");
      if (command.trim() === "") throw new Error('"command" must not be empty');
      const seconds = readTimeout(args);
      const cwd = await findFolder(optionalText(args, "workdir"));
      const walled = (await deps.wall?.stands()) ?? false;
      const variables = deps.sessionVariables?.(call.session_id) ?? {};
      const refusal = await deps.guard.refuseCommand(command, cwd, { walled, variables });
      if (refusal !== null) throw new Error(refusal);
      const passed = filterEnvironment(deps.env, deps.envPassthrough);
      const env = markAgentEnvironment({ ...passed, ...variables }, deps.home);
      const process = { argv: shellWords(command), cwd, env, wall: deps.wall, leftovers: "kill" } as const;
      if (flagArgument(args, "background")) {
        return backgroundOf(deps).start(process, { command, session_id: call.session_id });
      }
      const result = await runProcess({
        ...process,
        timeoutMs: seconds * 1000,
        maxOutputBytes: MOST_BYTES,
        tailBytes: TAIL_BYTES,
        overflow: "truncate",
        signal: call.signal,
      });
      return describeResult(result, seconds);

      async function findFolder(workdir: string | undefined): Promise<string> {
        const place = findPlace(workdir === undefined || workdir === "" ? "." : workdir, "read", call, deps);
        const shown = workdir === undefined || workdir === "" ? { ...place, shown: call.cwd } : place;
        const stats = await statPlace(shown);
        if (!stats.isDirectory()) throw new Error(`${shown.shown} is not a folder; no command can run in it`);
        // Not the resolved one, so that `pwd` prints the path as the user knows it.
        return place.spelled;
      }
    },
  };
}

function backgroundOf({ background }: ToolDeps): BackgroundCommands {
  if (background === undefined) throw new Error("background commands are not available here");
  return background;
}

/** An outer shell joins standard error to standard output, which keeps the order in which they were written. */
function shellWords(command: string): [string, ...string[]] {
  const shell = findShell();
  // `sh` starts in half the time of bash.
  return ["/bin/sh", "-c", 'exec "$0" -c "$1" 2>&1', shell, command];
}

function findShell(): string {
  return (
    ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/opt/homebrew/bin/bash"].find((path) => existsSync(path)) ??
    "/bin/sh"
  );
}

function readTimeout(args: ToolArguments): number {
  const timeout = args["timeout"] ?? DEFAULT_SECONDS;
  if (typeof timeout !== "number" || !(timeout > 0)) throw new Error('"timeout" must be a number of seconds above 0');
  return Math.min(timeout, MOST_SECONDS);
}

function describeResult(result: ProcessResult, seconds: number): Readonly<Record<string, unknown>> {
  const output = result.stdout + result.stderr;
  const escaped = describeEscaped(result.escaped);
  const truncated = result.truncated ? { truncated: true } : {};
  switch (result.ended) {
    case "not_started":
      return { error: `the command could not be started: ${result.start_problem ?? "no reason given"}` };
    case "timeout":
      return {
        error: `the command did not finish within ${seconds} s and was stopped.${escaped}`,
        output,
        ...truncated,
      };
    case "interrupted":
      return { error: `interrupted; the command was stopped.${escaped}`, output, ...truncated };
    default:
      return { output, exit_code: exitCodeOf(result), ...truncated };
  }
}

/** A command that a signal ended has 128 and the signal's number, as shells count. */
function exitCodeOf({ exit_code, signal }: ProcessResult): number | null {
  if (exit_code !== null || signal === null) return exit_code;
  const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
  return number === undefined ? null : 128 + number;
}
