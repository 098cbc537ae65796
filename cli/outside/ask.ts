/** Asks the hermes outside the sandbox for what is hidden from this one (CONTRACT §15). */
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { HermesError } from "#core/errors";
import { writeStderr } from "#core/stderr";
import { commandPath } from "../command-path.ts";
import type { CliContext } from "../context.ts";
import { isAnswered, isOutsideSocket, withoutGlobalOptions, type OutsideAnswer } from "./requests.ts";

/**
 * Has a command of a process in the sandbox run by the hermes outside. Prints its output and sets its exit code; false
 * when the command must run here, because it is no such command or nobody answers.
 */
export async function askOutside(command: Command, words: readonly string[], context: CliContext): Promise<boolean> {
  if (!isAnswered(commandPath(command))) return false;
  const socket = await connectOutside(context.paths(command).run);
  if (socket === undefined) return false;
  socket.write(`${JSON.stringify({ words: withoutGlobalOptions(words) })}\n`);
  let code: number | undefined;
  for await (const line of createInterface({ input: socket })) {
    const part = parseAnswer(line);
    if (part === undefined) break;
    if ("stdout" in part) context.write(part.stdout);
    else if ("stderr" in part) writeStderr(part.stderr);
    else code = part.exit_code;
  }
  socket.destroy();
  if (code === undefined) throw new HermesError("HERMES_HIDDEN", { what: `hermes ${commandPath(command)}` });
  context.exit(code);
  return true;
}

/** Undefined for a line that was cut, because the hermes outside ended. */
function parseAnswer(line: string): OutsideAnswer | undefined {
  try {
    return JSON.parse(line) as OutsideAnswer;
  } catch {
    return undefined;
  }
}

/** The first process that answers: sockets of processes that were killed refuse. */
async function connectOutside(run: string): Promise<Socket | undefined> {
  if (!existsSync(run)) return undefined;
  for (const name of readdirSync(run).filter(isOutsideSocket)) {
    const socket = connect(join(run, name));
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      socket.destroy();
    }
  }
  return undefined;
}
