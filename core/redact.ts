/** Takes secrets out of text before it is written anywhere (log, hook log, events). */

const MASK = "[redacted]";

/** Names of variables and keys that hold secrets (CONTRACT §6). */
const SECRET_NAME = /(?:^|_)(?:key|token|secret)$|password/i;

/** Secrets that are recognised wherever they stand, by their form. */
const SHAPES: readonly RegExp[] = [
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/g,
  /\bxox[abposr]-[A-Za-z0-9-]{10,}/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /\bAIza[A-Za-z0-9_-]{30,}/g,
  /\b\d{6,12}:[A-Za-z0-9_-]{30,}\b/g,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}/g,
];
/** `NAME_TOKEN=…` and `--token …` of a command line, and `user:password@` of an address. */
const ASSIGNED =
  /((?:^|[\s"';&])[A-Za-z0-9_]{0,100}(?:_KEY|_TOKEN|_SECRET|PASSWORD[A-Za-z0-9_]{0,40})=\\?["']?)[^\s"';&$\\]+/gi;
const FLAG =
  /((?:^|\s)--?(?:[a-z0-9]{1,30}-){0,5}(?:api-?key|token|secret|password|passwd)(?:=|\s+)\\?["']?)(?![-"'$])[^\s"';&\\]+/gi;
const ADDRESS = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@]{0,100}:)[^\s/@]{1,200}(?=@)/gi;
const BEARER = /(\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi;
const NAMED =
  /((?:api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret|secret[_-]?key|password|passwd)["']?\s*[:=]\s*\\?["']?)[^\s"',;&}\\]{4,}/gi;

/** True for a variable or key whose value is a secret by its name: `*_KEY`, `*_TOKEN`, `*_SECRET`, `*PASSWORD*`. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Makes a function that takes secrets out of text: the values of `env`'s variables with secret names, further
 * `values`, and what has the form of a well-known key.
 */
export function createRedactor(env: NodeJS.ProcessEnv, values: readonly string[] = []): (text: string) => string {
  const named = Object.entries(env)
    .filter(([name, value]) => value !== undefined && value.length >= 8 && isSecretName(name))
    .map(([, value]) => value as string);
  // The longest first, so that a secret which begins with another one goes as a whole.
  const known = [...new Set([...named, ...values.filter((value) => value.length >= 8)])].toSorted(
    (a, b) => b.length - a.length,
  );
  return (text) => {
    let clean = text;
    for (const secret of known) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
    for (const shape of SHAPES) clean = clean.replace(shape, MASK);
    for (const pattern of [BEARER, NAMED, ASSIGNED, FLAG, ADDRESS]) clean = clean.replace(pattern, `$1${MASK}`);
    return clean;
  };
}
