/** How a damaged database shows. Apart from what needs SQLite, so that small commands start fast. */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** True for an error that SQLite threw because the file is damaged, or for one that was caused by it. */
export function isDamage(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { errcode, cause } = error as { errcode?: unknown; cause?: unknown };
  // The upper bits say more precisely what is damaged.
  if (typeof errcode === "number" && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errcode & 0xff)) return true;
  return cause !== error && isDamage(cause);
}
