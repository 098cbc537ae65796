/** Reads and writes text files for the file tools: UTF-8 only, and never half written. */
import { access, constants, readFile } from "node:fs/promises";
import { replaceFile } from "#core/replace-file";
import { codeOf, describeFileError, type ResolvedPath, statFile } from "./resolved-path.ts";

/** Larger files are not loaded completely. */
const MOST_BYTES = 10 * 1024 * 1024;

/** A decoder that rejects anything but UTF-8. Call it with each chunk, then without one. Throws a readable error. */
export function createTextDecoder(place: ResolvedPath): (chunk?: Uint8Array) => string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let first = true;
  return (chunk) => {
    if (first && chunk !== undefined) {
      first = false;
      const [a, b] = chunk;
      if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
        throw new Error(`${place.shown} is UTF-16 text; only UTF-8 can be read`);
      }
    }
    if (chunk?.includes(0))
      throw new Error(`${place.shown} is a binary file (it contains NUL bytes); only text can be read`);
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (error) {
      throw new Error(`${place.shown} is a binary file (not valid UTF-8); only text can be read`, { cause: error });
    }
  };
}

/** Reads a whole text file with its byte order mark. Throws when it is missing, not a file, too large or not text. */
export async function readText(place: ResolvedPath, signal: AbortSignal): Promise<string> {
  const { size } = await statFile(place);
  if (size > MOST_BYTES) {
    throw new Error(`${place.shown} has ${size} bytes; files larger than ${MOST_BYTES} bytes cannot be patched`);
  }
  const bytes = await readFile(place.path, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Error(describeFileError(error, place), { cause: error });
  });
  const decode = createTextDecoder(place);
  return decode(bytes) + decode();
}

/**
 * Replaces a file's content atomically: a failure (a full disk) leaves the old file intact. The mode of an existing
 * file is kept. The links of the path are already resolved. Throws an error to show.
 */
export async function writeText(place: ResolvedPath, content: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    // A rename would replace a file that its owner made read-only.
    await access(place.path, constants.W_OK).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
    });
    await replaceFile(place.path, content, { signal });
  } catch (error) {
    throw new Error(describeFileError(error, place), { cause: error });
  }
}
