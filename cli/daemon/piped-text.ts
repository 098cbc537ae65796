import { LONGEST_MESSAGE } from "#daemon/session/wire";

/**
 * What is piped into standard input, when it has ended; undefined for nothing, for blanks, and on a terminal. Rejects for
 * more than a message may hold, with a sentence.
 */
export async function pipedText(): Promise<string | undefined> {
  if (process.stdin.isTTY) return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin) {
    bytes += (part as Buffer).length;
    if (bytes > LONGEST_MESSAGE + 1) throw new Error("it is larger than 1 MiB");
    parts.push(part as Buffer);
  }
  const text = Buffer.concat(parts)
    .toString("utf8")
    .replace(/\r?\n$/, "");
  if (Buffer.byteLength(text) > LONGEST_MESSAGE) throw new Error("it is larger than 1 MiB");
  return text.trim() === "" ? undefined : text;
}
