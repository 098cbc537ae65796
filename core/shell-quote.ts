/** Writes words as they would be typed in a POSIX shell, for commands that a user can copy. */

/** The word, in quotes if it has a character that a shell would interpret. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : inQuotes(word);
}

/** The word in single quotes, whatever it contains. */
export function inQuotes(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
