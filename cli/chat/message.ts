/** The user's message in a one-shot run: `-q`, `--query-file`, standard input, or two of them together. */
import { fstatSync, readFileSync } from "node:fs";
import { HermesError, problemOf } from "#core/errors";

export interface MessageOptions {
  readonly query?: string;
  readonly queryFile?: string;
}

/** How long to wait for a silent pipe when `-q` is given; a parent that never closes it must not hang the run. */
const SILENCE_MS = 2000;

/**
 * The message of a one-shot run, or undefined on a terminal, where a conversation starts instead.
 * Throws HERMES_NO_MESSAGE when the message is empty, HERMES_USAGE when the file cannot be read.
 */
export async function readFirstMessage(
  options: MessageOptions,
  note: (text: string) => void,
): Promise<string | undefined> {
  const given = options.queryFile === undefined ? options.query : await readQueryFile(options.queryFile);
  const fromFile = options.queryFile === "-";
  if (given === undefined) {
    if (process.stdin.isTTY) return undefined;
    return required(await readStdin(null, note));
  }
  const context = process.stdin.isTTY || fromFile || !isReadable() ? "" : await readStdin(SILENCE_MS, note);
  if (given.trim() === "") return required(context);
  return context.trim() === "" ? given : `${given}\n\n${context}`;
}

async function readQueryFile(file: string): Promise<string> {
  if (file === "-") return readStdin(null, () => undefined);
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new HermesError(
      "HERMES_USAGE",
      { problem: `--query-file ${file} cannot be read: ${problemOf(error)}` },
      { cause: error },
    );
  }
}

function required(text: string): string {
  if (text.trim() === "") throw new HermesError("HERMES_NO_MESSAGE", {});
  return text;
}

/** False for a standard input that is closed or no pipe, file or socket, such as /dev/null. */
function isReadable(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile() || stats.isSocket();
  } catch {
    // There is no standard input.
    return false;
  }
}

/** Reads standard input to its end; gives up on one that stays silent for `silence` milliseconds. */
async function readStdin(silence: number | null, note: (text: string) => void): Promise<string> {
  const chunks: Buffer[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { stdin } = process;
  const timer =
    silence === null
      ? undefined
      : setTimeout(() => {
          note(`hermes: no data on standard input after ${silence / 1000} s; continuing without it.`);
          resolve();
        }, silence);
  stdin.on("data", (chunk: Buffer) => {
    clearTimeout(timer);
    chunks.push(chunk);
  });
  stdin.once("end", resolve);
  stdin.once("error", () => resolve());
  await promise;
  clearTimeout(timer);
  stdin.removeAllListeners("data");
  stdin.pause();
  return Buffer.concat(chunks).toString("utf8");
}
