/**
 * Tells whether a secret may have begun at the end of a text that is still being written; redact.ts finds complete
 * secrets only. It looks at the last words only, because it runs for every piece of an answer.
 */

const SPACE = 0x20;
/** From here on there are scripts without spaces, and emoji: no secret contains them. */
const IDEOGRAPHS = 0x2e80;
/** A longer word is suspicious whatever it begins with. */
const LONG_WORD = 24;
/** A name, a colon and a secret, with space between them. */
const WORDS_OF_A_SECRET = 3;

/** Words that announce a secret, or that a secret begins with, in lower case. */
const WORDS = [
  "bearer",
  "passw",
  "apikey",
  "accesstoken",
  "authtoken",
  "clientsecret",
  "secretkey",
  "token",
  "key",
  "github",
];
const FORMS = ["sk", "pk", "rk", "ghp", "gho", "ghu", "ghs", "ghr", "xox", "akia", "aiza", "eyj"];

/** A word with more than letters in it, or that may become one of those above. */
const SUSPICIOUS = new RegExp(
  String.raw`[^\p{L}.,;!)]|[.,;!)]\p{L}|^(?:${[...WORDS, ...FORMS].map(anyBeginningOf).join("|")})$|^(?:xox|akia|aiza|eyj)|passw`,
  "iu",
);
/** The end of a word that announces a secret after a space. */
const ANNOUNCING =
  /[:="'\\]$|^-|bearer$|passw(?:or)?d|(?:api|secret)[_-]?key|(?:access|auth)[_-]?token|client[_-]?secret/i;

/**
 * The length of the settled text. After it, one of the `secrets` or another secret may have begun, which only the rest
 * of the text would show.
 */
export function settledLength(text: string, secrets: readonly string[]): number {
  let settled = endsSuspiciously(text) ? startOfLastWords(text) : text.length;
  for (const secret of secrets) settled = Math.min(settled, text.length - beginningAtEnd(text, secret));
  return settled;
}

function endsSuspiciously(text: string): boolean {
  const word = startOfWord(text, text.length);
  if (text.length - word > LONG_WORD || SUSPICIOUS.test(text.slice(word))) return true;
  const end = endOfWord(text, word);
  return ANNOUNCING.test(text.slice(startOfWord(text, end), end));
}

function startOfLastWords(text: string): number {
  let start = text.length;
  for (let word = 0; word < WORDS_OF_A_SECRET; word++) {
    start = endOfWord(text, start);
    while (start > 0 && !isSpace(text.charCodeAt(start - 1))) start--;
  }
  return start;
}

function isSpace(code: number): boolean {
  return code <= SPACE || code >= IDEOGRAPHS;
}

/** The start of the word that ends at `end`; stops searching where it no longer matters. */
function startOfWord(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start <= LONG_WORD && !isSpace(text.charCodeAt(start - 1))) start--;
  return start;
}

/** The end of the last word before `before`. */
function endOfWord(text: string, before: number): number {
  let end = before;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
}

/** How many of the secret's first characters the text ends with; never all of them. */
function beginningAtEnd(text: string, secret: string): number {
  const last = text.at(-1);
  if (last === undefined) return 0;
  let at = secret.lastIndexOf(last, secret.length - 2);
  while (at > 0 && !text.endsWith(secret.slice(0, at + 1))) at = secret.lastIndexOf(last, at - 1);
  return at + 1;
}

function anyBeginningOf(word: string): string {
  return word.split("").reduceRight((after, letter) => (after === "" ? letter : `${letter}(?:${after})?`), "");
}
