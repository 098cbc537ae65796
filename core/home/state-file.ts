/** Which file holds the state of a home: that of Hermes Agent, the Python program, has the same name. */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** The name of the file, and that of the file beside it in a home that has one of Hermes Agent. */
export const STATE_FILES = ["state.db", "hermes-hooks.db"] as const;

const SQLITE = "SQLite format 3\0";
/** Of the file's header: the version that the program gives its schema, and the first page's kind and number of cells. */
const USER_VERSION_AT = 60;
const PAGE_KIND_AT = 100;
const CELLS_AT = 103;
const HEADER_BYTES = 108;
const LEAF_PAGE = 13;

/** The path of the state's file in `home`. Changes nothing. */
export function stateFile(home: string): string {
  const [file, beside] = STATE_FILES.map((name) => join(home, name)) as [string, string];
  return existsSync(beside) || isOfOtherProgram(file) ? beside : file;
}

/** A database with tables and no version: ours gets its version in the transaction that creates its first table. */
function isOfOtherProgram(file: string): boolean {
  const header = Buffer.alloc(HEADER_BYTES);
  if (!readHeader(file, header) || header.toString("latin1", 0, SQLITE.length) !== SQLITE) return false;
  const isEmpty = header[PAGE_KIND_AT] === LEAF_PAGE && header.readUInt16BE(CELLS_AT) === 0;
  return !isEmpty && header.readUInt32BE(USER_VERSION_AT) === 0;
}

function readHeader(file: string, into: Buffer): boolean {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    return readSync(descriptor, into, 0, into.length, 0) === into.length;
  } catch {
    // No file, or one that cannot be read: opening it reports why.
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
