/** Removes secrets from text before it is written anywhere (log, hook log, events). */
import { settledLength } from "./redact-unfinished.ts";
import { isSecretName } from "#core/secret-names";

const MASK = "[redacted]";

/**
 * Secrets that are recognised anywhere by their form. A JSON escape may precede one; its last letter is not part of
 * the text.
 */
const SHAPES: readonly RegExp[] = [
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g,
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})gh[pousr]_[A-Za-z0-9]{20,}/g,
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})github_pat_[A-Za-z0-9_]{20,}/g,
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})xox[abposr]-[A-Za-z0-9-]{10,}/g,
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})AKIA[0-9A-Z]{16}\b/g,
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})AIza[A-Za-z0-9_-]{30,}/g,
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})\d{6,12}:[A-Za-z0-9_-]{30,}\b/g,
  /(?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}/g,
];
/** `NAME=…` of a command line; the name decides whether it is a secret. */
const ASSIGNED = /((?:^|[\s"';&]|\\[nrt])([A-Za-z_][A-Za-z0-9_]{1,100})=\\?["']?)[^\s"';&$\\]+/g;
/** `--token …`, `user:password@` and `?token=…` of an address. */
const FLAG =
  /((?:^|\s|\\[nrt])--?(?:[a-z0-9]{1,30}-){0,5}(?:api-?key|token|secret|password|passwd)(?:=|\s+)\\?["']?)(?![-"'$])[^\s"';&\\]+/gi;
const ADDRESS = /(:\/\/[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)/g;
const QUERY = /([?&](?:[\w.-]{0,60}[_.-])?(?:key|token|secret|password|passwd|signature|sig)=)[^\s"'<>&#\\]+/gi;
const BEARER = /((?<=^|\W|\\[bfnrt]|\\u[\da-f]{4})Bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi;
const NAMED =
  /((?:api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|secret[_-]?key|password|passwd)["']?\s*[:=]\s*\\?["']?)[^\s"',;&}\\]{4,}/gi;

/** Removes secrets from text. */
export interface Redactor {
  (text: string): string;
  /** The settled length of a text that is still being written; a secret that is not found yet may begin after it. */
  readonly settledLength: (text: string) => number;
}

/**
 * Creates a function that removes secrets from text: the values of `env`'s variables with secret names, the given
 * `values`, and anything that looks like a well-known kind of key.
 */
export function createRedactor(env: NodeJS.ProcessEnv, values: readonly string[] = []): Redactor {
  const named = Object.entries(env)
    .filter(([name, value]) => value !== undefined && value.length >= 8 && isSecretName(name))
    .map(([, value]) => value as string);
  // The longest first, so that a secret that begins with another one is removed as a whole.
  const plain = new Set([...named, ...values.filter((value) => value.length >= 8)]);
  const known = [...new Set([...plain].flatMap(asWritten))].toSorted((a, b) => b.length - a.length);
  const redact = (text: string) => {
    let clean = text;
    for (const secret of known) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
    for (const shape of SHAPES) clean = clean.replace(shape, MASK);
    clean = clean.replace(BEARER, `$1${MASK}`).replace(NAMED, `$1${MASK}`);
    if (clean.includes("=")) clean = clean.replace(ASSIGNED, maskAssigned);
    clean = clean.replace(FLAG, `$1${MASK}`).replace(QUERY, `$1${MASK}`);
    return clean.includes("://") ? clean.replace(ADDRESS, `$1${MASK}`) : clean;
  };
  return Object.assign(redact, { settledLength: (text: string) => settledLength(text, known) });
}

function maskAssigned(whole: string, before: string, name: string): string {
  // A name of one word is a variable's in capitals; `token=1` is a sentence.
  const isVariable = name.includes("_") || name === name.toUpperCase() || /password/i.test(name);
  return isVariable && isSecretName(name) ? before + MASK : whole;
}

/** A secret as it appears in text, in a URL, in JSON, and in JSON inside a JSON string. */
function asWritten(secret: string): readonly string[] {
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  return [secret, encodeURIComponent(secret.toWellFormed()), escaped(secret), escaped(escaped(secret))];
}
