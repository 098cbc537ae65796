/** Ids as a person writes them: whole, or as much of the beginning as tells them apart (CONTRACT §10). */
import { HermesError } from "./errors.ts";

/** Long enough that a typing error rarely names something else. */
const SHORTEST = 4;

/** Ids of tasks, deliveries and schedules. */
const SHORT_ID = /^[a-z0-9]{1,16}$/;

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
  const candidates = mayBeginId(written, SHORT_ID) ? await find(written) : [];
  const id = chooseId(written, candidates);
  if (id === undefined) throw new HermesError("HERMES_ID_UNKNOWN", { noun, id: written, list });
  return id;
}

/** False for a text that is too short, or that no id of this form can begin with. */
export function mayBeginId(written: string, form: RegExp): boolean {
  return written.length >= SHORTEST && form.test(written);
}

/**
 * The one id of those that begin with what was written; undefined when there is none. Throws HERMES_ID_AMBIGUOUS when
 * there are several and none is exactly that.
 */
export function chooseId(written: string, candidates: readonly string[]): string | undefined {
  if (candidates.includes(written)) return written;
  if (candidates.length > 1) throw new HermesError("HERMES_ID_AMBIGUOUS", { id: written, candidates });
  return candidates[0];
}
