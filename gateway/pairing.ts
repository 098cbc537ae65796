/**
 * Pairing: an unknown user gets a one-time code in a direct message, and the operator of the gateway approves it
 * (`hermes pairing approve`). The gateway and the command line only share `state.db`.
 */
import { randomBytes, randomInt, scrypt, timingSafeEqual } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { transaction } from "#core/home/database";
import { HermesError } from "#core/errors";
import { PairingTable, type CodeRow, type PairedUser } from "./pairing-table.ts";

/** No I and O, no 0 and 1, because they are easily confused. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const CODE_LENGTH = 8;
const HOUR_MS = 3_600_000;
const CODE_MS = HOUR_MS;
const LOCKOUT_MS = HOUR_MS;
const REQUEST_EVERY_MS = 600_000;
const MOST_PENDING = 3;
const MOST_WRONG = 5;
const HASH_BYTES = 32;

/** What an unknown user gets: a code, or the reason why there is none now. */
export type PairingRequest =
  | { readonly kind: "code"; readonly code: string; readonly withdraw: () => void }
  | { readonly kind: "recent" | "full" | "locked" };

export interface PendingUser {
  readonly platform: string;
  readonly user_id: string;
  readonly created_at: string;
  readonly expires_at: string;
}

const hash = promisify(scrypt) as (code: string, salt: Buffer, length: number) => Promise<Buffer>;

/** Every method throws what SQLite throws. */
export class Pairing {
  readonly #database: DatabaseSync;
  readonly #table: PairingTable;
  readonly #now: () => number;
  #requests: Promise<unknown> = Promise.resolve();

  /** `now` gives milliseconds since 1970. */
  constructor(database: DatabaseSync, now: () => number = Date.now) {
    this.#database = database;
    this.#table = new PairingTable(database);
    this.#now = now;
  }

  isPaired(platform: string, user_id: string): boolean {
    return user_id !== "" && this.#table.isPaired(platform, user_id);
  }

  /** Handles the request of an unknown user, one at a time, so that the limits apply to all together. */
  request(platform: string, user_id: string): Promise<PairingRequest> {
    const asked = this.#requests.then(() => this.#request(platform, user_id));
    // The caller gets the failure; the next request is handled as usual.
    this.#requests = asked.catch(() => undefined);
    return asked;
  }

  async #request(platform: string, user_id: string): Promise<PairingRequest> {
    const refused = transaction(this.#database, () => this.#refusal(platform, user_id));
    if (refused !== undefined) return { kind: refused };
    const code = Array.from({ length: CODE_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
    const salt = randomBytes(16);
    const hashed = await hash(code, salt, HASH_BYTES);
    const now = this.#now();
    const id = transaction(this.#database, () => {
      this.#table.removeCodesOf(platform, user_id);
      return this.#table.addCode({
        platform,
        user_id,
        salt: salt.toString("hex"),
        hash: hashed.toString("hex"),
        created_at: iso(now),
        expires_at: iso(now + CODE_MS),
      });
    });
    return { kind: "code", code, withdraw: () => void this.#table.removeCode(id) };
  }

  #refusal(platform: string, user_id: string): "recent" | "full" | "locked" | undefined {
    const now = this.#now();
    this.#sweep(now);
    if (this.#lockedUntil(now) !== null) return "locked";
    const codes = this.#table.codes().filter((row) => row.platform === platform && isValid(row, now));
    const own = codes.find((row) => row.user_id === user_id);
    if (own !== undefined && now - Date.parse(own.created_at) < REQUEST_EVERY_MS) return "recent";
    return codes.filter((row) => row !== own).length >= MOST_PENDING ? "full" : undefined;
  }

  /**
   * Gives access to the user with this code. Throws HERMES_PAIRING_UNKNOWN for an unknown code (the fifth one in a row
   * locks pairing for an hour), HERMES_PAIRING_EXPIRED, and HERMES_PAIRING_LOCKED for any code while pairing is locked.
   */
  async approve(code: string, platform?: string): Promise<PairedUser> {
    const typed = code.replaceAll(/[\s-]/g, "").toUpperCase();
    const rows = this.#table.codes().filter((row) => platform === undefined || row.platform === platform);
    const matches = await Promise.all(rows.map((row) => isCodeOf(row, typed)));
    const match = rows.find((_, index) => matches[index]);
    // Thrown after the transaction, which must record the wrong code.
    const outcome = transaction(this.#database, () => this.#settle(match));
    if (outcome instanceof HermesError) throw outcome;
    return outcome;
  }

  #settle(match: CodeRow | undefined): PairedUser | HermesError {
    const now = this.#now();
    const until = this.#lockedUntil(now);
    if (until !== null) return new HermesError("HERMES_PAIRING_LOCKED", { until });
    if (match === undefined) return this.#wrongCode(now);
    const { id, platform, user_id } = match;
    if (!isValid(match, now)) return new HermesError("HERMES_PAIRING_EXPIRED", { platform, user: user_id });
    // If two approve the same code at the same time, only one succeeds.
    if (!this.#table.removeCode(id)) return this.#wrongCode(now);
    const user = { platform, user_id, approved_at: iso(now) };
    this.#table.pair(user);
    this.#table.setLockout({ wrong_codes: 0, locked_until: null });
    return user;
  }

  #wrongCode(now: number): HermesError {
    const wrong = this.#table.lockout().wrong_codes + 1;
    const isLast = wrong >= MOST_WRONG;
    this.#table.setLockout({
      wrong_codes: isLast ? 0 : wrong,
      locked_until: isLast ? iso(now + LOCKOUT_MS) : null,
    });
    const left = MOST_WRONG - wrong;
    const then = isLast
      ? "Pairing is now locked for an hour"
      : `${left} more wrong ${left === 1 ? "code locks" : "codes lock"} pairing for an hour`;
    const problem = `Unknown pairing code. ${then}. Run "hermes pairing list" to see pending codes.`;
    return new HermesError("HERMES_PAIRING_UNKNOWN", { problem });
  }

  /** Removes a user's access or pending code. False when there was neither. */
  revoke(platform: string, user_id: string): boolean {
    return transaction(this.#database, () => {
      const waited = this.#table.removeCodesOf(platform, user_id);
      return this.#table.unpair(platform, user_id) || waited;
    });
  }

  /** Pending codes, paired users, and until when pairing is locked. */
  list(): { readonly pending: PendingUser[]; readonly paired: PairedUser[]; readonly locked_until: string | null } {
    const now = this.#now();
    const pending = this.#table
      .codes()
      .filter((row) => isValid(row, now))
      .map(({ platform, user_id, created_at, expires_at }) => ({ platform, user_id, created_at, expires_at }));
    const { locked_until } = this.#table.lockout();
    const isLocked = locked_until !== null && locked_until > iso(now);
    return { pending, paired: this.#table.paired(), locked_until: isLocked ? locked_until : null };
  }

  /** Expired codes are kept for an hour, to tell "expired" from "unknown". */
  #sweep(now: number): void {
    this.#table.sweepCodes(iso(now - CODE_MS), iso(now));
  }

  /** A lockout lasts at most an hour from now, even if the clock was set back. */
  #lockedUntil(now: number): string | null {
    const { locked_until } = this.#table.lockout();
    if (locked_until === null || locked_until <= iso(now)) return null;
    const latest = iso(now + LOCKOUT_MS);
    if (locked_until <= latest) return locked_until;
    this.#table.setLockout({ wrong_codes: 0, locked_until: latest });
    return latest;
  }
}

/** A code from the future was created under another clock, so it is as invalid as an expired one. */
function isValid({ created_at, expires_at }: CodeRow, now: number): boolean {
  const moment = iso(now);
  return created_at <= moment && moment < expires_at;
}

async function isCodeOf(row: CodeRow, typed: string): Promise<boolean> {
  const expected = Buffer.from(row.hash, "hex");
  const given = await hash(typed, Buffer.from(row.salt, "hex"), HASH_BYTES);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
