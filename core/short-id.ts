/** Ids as a person writes them: whole, or as much of the beginning as tells them apart (CONTRACT §10). */
import { HermesError } from "./errors.ts";

const SHORTEST = 4;
const LONGEST = 16;
const WELL_FORMED = /^[a-z0-9]+$/;

export interface IdKind {
  /** What it is the id of, such as `delivery`. */
  readonly noun: string;
  /** The command that lists the ids. */
  readonly list: string;
  /** Every id that begins like this. Not asked for a text that no id can begin with. */
  readonly find: (beginning: string) => Promise<readonly string[]>;
}

/** The whole id. Throws HERMES_ID_UNKNOWN, also for a malformed one, and HERMES_ID_AMBIGUOUS. */
export async function wholeId(written: string, { noun, list, find }: IdKind): Promise<string> {
  const mayBegin = WELL_FORMED.test(written) && written.length >= SHORTEST && written.length <= LONGEST;
  const candidates = mayBegin ? await find(written) : [];
  const [id] = candidates;
  if (id === undefined) throw new HermesError("HERMES_ID_UNKNOWN", { noun, id: written, list });
  if (candidates.includes(written)) return written;
  if (candidates.length > 1) throw new HermesError("HERMES_ID_AMBIGUOUS", { id: written, candidates });
  return id;
}
