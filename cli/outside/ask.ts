/** Asks the hermes outside the sandbox for data that is hidden from this process (CONTRACT §15). */
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { writeStderr } from "#core/stderr";
import { commandPath } from "../command-path.ts";
import type { CliContext } from "../context.ts";
import { isAnswered, isOutsideSocket, withoutGlobalOptions, type OutsideAnswer } from "./requests.ts";

/**
 * Lets the hermes outside the sandbox run a command, and passes on its output and exit code. Returns false when the
 * command must run here, because it is not one of these commands or no process answers.
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

/** The first process that answers. Sockets of killed processes refuse connections. */
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
