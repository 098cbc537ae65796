/**
 * Tells of a text that is still being written whether a secret may have begun at its end: redact.ts finds whole ones
 * only. It looks at nothing but the last two words, because it is asked for every piece of an answer.
 */

const SPACE = 0x20;
/** From here on there are scripts without spaces, and emoji: no secret goes on with them. */
const IDEOGRAPHS = 0x2e80;
/** Of a longer word the beginning need not be known. */
const LONG_WORD = 24;
/** A name, a colon and a secret, with space between them. */
const WORDS_OF_A_SECRET = 3;

/** Words that announce a secret or that one begins with, in small letters. */
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

/** A word with more in it than letters, one that may go on as one of those above, and those that may have any letters. */
const SUSPICIOUS = new RegExp(
  String.raw`[^\p{L}.,;!)]|[.,;!)]\p{L}|^(?:${[...WORDS, ...FORMS].map(anyBeginningOf).join("|")})$|^(?:xox|akia|aiza|eyj)|passw`,
  "iu",
);
/** The end of what stands before a secret, with space between. */
const ANNOUNCING =
  /[:="'\\]$|^-|bearer$|passw(?:or)?d|(?:api|secret)[_-]?key|(?:access|auth)[_-]?token|client[_-]?secret/i;

/**
 * How much of the text is settled: behind it, one of the `secrets` or another may have begun, which would show when the
 * text is written further.
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

/** Where the word begins that ends there; not looked for further than it matters. */
function startOfWord(text: string, end: number): number {
  let start = end;
  while (start > 0 && end - start <= LONG_WORD && !isSpace(text.charCodeAt(start - 1))) start--;
  return start;
}

/** Where the last word before ends. */
function endOfWord(text: string, before: number): number {
  let end = before;
  while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
  return end;
}

/** How many of the secret's first characters, but not all of them, the text ends in. */
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
