/** The SQL of pairing. Every method throws what SQLite throws. Times are ISO-8601 UTC, which sorts like time. */
import type { DatabaseSync } from "node:sqlite";

export interface CodeRow {
  readonly id: number;
  readonly platform: string;
  readonly user_id: string;
  readonly salt: string;
  readonly hash: string;
  readonly created_at: string;
  readonly expires_at: string;
}

export interface PairedUser {
  readonly platform: string;
  readonly user_id: string;
  readonly approved_at: string;
}

export interface LockoutRow {
  readonly wrong_codes: number;
  readonly locked_until: string | null;
}

/** A code is entered without its platform, so wrong ones count for all platforms together. */
const EVERYWHERE = "*";

export class PairingTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  codes(): CodeRow[] {
    return this.#database
      .prepare(`SELECT id, platform, user_id, salt, hash, created_at, expires_at FROM pairing_codes ORDER BY id`)
      .all() as unknown as CodeRow[];
  }

  addCode({ platform, user_id, salt, hash, created_at, expires_at }: Omit<CodeRow, "id">): number {
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO pairing_codes (platform, user_id, salt, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(platform, user_id, salt, hash, created_at, expires_at);
    return Number(lastInsertRowid);
  }

  removeCode(id: number): boolean {
    return this.#changes(this.#database.prepare("DELETE FROM pairing_codes WHERE id = ?").run(id));
  }

  removeCodesOf(platform: string, user_id: string): boolean {
    return this.#changes(
      this.#database.prepare("DELETE FROM pairing_codes WHERE platform = ? AND user_id = ?").run(platform, user_id),
    );
  }

  /** Deletes codes that expired before, and those from a clock that was ahead, which are never valid again. */
  sweepCodes(expiredBefore: string, madeAfter: string): void {
    this.#database
      .prepare("DELETE FROM pairing_codes WHERE expires_at < ? OR created_at > ?")
      .run(expiredBefore, madeAfter);
  }

  isPaired(platform: string, user_id: string): boolean {
    const found = this.#database
      .prepare("SELECT 1 FROM paired_users WHERE platform = ? AND user_id = ?")
      .get(platform, user_id);
    return found !== undefined;
  }

  paired(): PairedUser[] {
    return this.#database
      .prepare("SELECT platform, user_id, approved_at FROM paired_users ORDER BY approved_at, platform, user_id")
      .all()
      .map((row) => Object.assign({}, row) as unknown as PairedUser);
  }

  pair({ platform, user_id, approved_at }: PairedUser): void {
    this.#database
      .prepare("INSERT OR IGNORE INTO paired_users (platform, user_id, approved_at) VALUES (?, ?, ?)")
      .run(platform, user_id, approved_at);
  }

  unpair(platform: string, user_id: string): boolean {
    return this.#changes(
      this.#database.prepare("DELETE FROM paired_users WHERE platform = ? AND user_id = ?").run(platform, user_id),
    );
  }

  lockout(): LockoutRow {
    const row = this.#database
      .prepare("SELECT wrong_codes, locked_until FROM pairing_lockouts WHERE platform = ?")
      .get(EVERYWHERE) as LockoutRow | undefined;
    return row ?? { wrong_codes: 0, locked_until: null };
  }

  setLockout({ wrong_codes, locked_until }: LockoutRow): void {
    this.#database
      .prepare(
        `INSERT INTO pairing_lockouts (platform, wrong_codes, locked_until) VALUES (?1, ?2, ?3)
         ON CONFLICT (platform) DO UPDATE SET wrong_codes = ?2, locked_until = ?3`,
      )
      .run(EVERYWHERE, wrong_codes, locked_until);
  }

  #changes({ changes }: { readonly changes: number | bigint }): boolean {
    return Number(changes) > 0;
  }
}
