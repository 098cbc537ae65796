/** Text files as the file tools see them: UTF-8 or nothing, and never half written. */
import { access, constants, readFile } from "node:fs/promises";
import { replaceFile } from "#core/replace-file";
import { codeOf, describeFileError, type ResolvedPath, statFile } from "./resolved-path.ts";

/** Files larger than this are not loaded whole. */
const MOST_BYTES = 10 * 1024 * 1024;

/** A decoder that refuses what is not UTF-8 text; feed it chunk by chunk, then without one. Throws a sentence. */
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
      throw new Error(`${place.shown} is a binary file (it holds NUL bytes); only text can be read`);
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (error) {
      throw new Error(`${place.shown} is a binary file (not valid UTF-8); only text can be read`, { cause: error });
    }
  };
}

/** A whole text file, byte order mark included. Throws a sentence when it is missing, no file, too large or no text. */
export async function readText(place: ResolvedPath, signal: AbortSignal): Promise<string> {
  const { size } = await statFile(place);
  if (size > MOST_BYTES) {
    throw new Error(`${place.shown} has ${size} bytes; files of more than ${MOST_BYTES} bytes cannot be patched`);
  }
  const bytes = await readFile(place.path, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Error(describeFileError(error, place), { cause: error });
  });
  const decode = createTextDecoder(place);
  return decode(bytes) + decode();
}

/**
 * Replaces a file's content in one step: what fails (a full disk) leaves the old file whole. The mode of an
 * existing file stays. The place's links are resolved already. Throws a sentence.
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
