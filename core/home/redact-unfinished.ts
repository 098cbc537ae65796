/**
 * Finds secrets that are not complete yet: where a text that is still being written ends in the middle of one.
 * redact.ts finds complete secrets only.
 */
import { FORMS, namesSecret } from "./secret-forms.ts";

/** Takes the text that follows a secret that has begun: how much of it belongs to the secret, and what may follow. */
export type SecretRest = (text: string) => { readonly length: number; readonly rest: SecretRest | null };

/** A secret that a text ends in the middle of. */
export interface UnfinishedSecret {
  /** Where its secret characters start. */
  readonly start: number;
  readonly rest: SecretRest;
}

/** Enough to recognise what comes before a secret. */
export const CONTEXT_CHARACTERS = 256;
/** Enough to find a sign that is split. */
const SIGN_CHARACTERS = 16;
const LONGEST_HEADER = 4096;
/** A JWT's header at the end of a text. It can be long. */
const HEADER = /(?<![\w-])eyJ[\w-]*\.?$/;

/** Every sign contains one of these; most text does not, and they are found three times as fast. */
const QUICK_SIGN = /[=:_-]|bearer|akia|aiza|eyj/i;
/** Something that every form of a secret contains, or that comes before it. */
const SIGN =
  /[spr]k-|gh[pousr]_|github_pat_|xox[abposr]-|akia|aiza|eyj|\d{6}:|bearer|api[_-]?key|token|secret|passw|=|:\/\//i;

/** False for a text that certainly contains no form of a secret and no lead of one. Quick. */
export function mayHoldSecret(text: string): boolean {
  return QUICK_SIGN.test(text) && SIGN.test(text);
}

/** The same for a text of which only the end, `added`, has not been checked yet. */
export function mayHoldSecretSince(text: string, added: number): boolean {
  const unchecked = Math.min(added, CONTEXT_CHARACTERS) + SIGN_CHARACTERS;
  return mayHoldSecret(text.length > unchecked ? text.slice(-unchecked) : text);
}

/** The end of a text that is needed to recognise a secret in what follows. Without a `sign` there is no long header. */
export function contextOf(text: string, sign: boolean): string {
  if (text.length <= CONTEXT_CHARACTERS) return text;
  if (!sign) return text.slice(-CONTEXT_CHARACTERS);
  const header = text.length <= LONGEST_HEADER ? text.search(HEADER) : -1;
  return text.slice(header < 0 ? -CONTEXT_CHARACTERS : Math.min(header, text.length - CONTEXT_CHARACTERS));
}

/** The secret of a well-known form that the text ends in, or that may be complete but go on. */
export function unfinishedForm(text: string): UnfinishedSecret | null {
  const found: UnfinishedSecret[] = [];
  for (const { begun, rest, needs } of FORMS) {
    if (needs !== undefined && !text.includes(needs)) continue;
    const match = begun.exec(text);
    if (match !== null && namesSecret(match.groups?.["name"]))
      found.push({ start: match.index + match[1]!.length, rest: restOfForm(rest) });
  }
  return earliest(found);
}

/** The one of these `secrets` of which the text ends with at least `least` characters, but not all of them. */
export function unfinishedValue(text: string, secrets: readonly string[], least: number): UnfinishedSecret | null {
  const found: UnfinishedSecret[] = [];
  for (const secret of secrets) {
    const length = beginningAtEnd(text, secret);
    if (length >= least) found.push({ start: text.length - length, rest: restOfValue(secret.slice(length)) });
  }
  return earliest(found);
}

/** The one that starts first. Of several, whatever may belong to one of them belongs to it. */
export function earliest(found: readonly UnfinishedSecret[]): UnfinishedSecret | null {
  if (found.length === 0) return null;
  const start = Math.min(...found.map((secret) => secret.start));
  return { start, rest: anyOf(found.filter((secret) => secret.start === start).map(({ rest }) => rest)) };
}

function anyOf(rests: readonly SecretRest[]): SecretRest {
  if (rests.length === 1) return rests[0]!;
  return (text) => {
    const taken = rests.map((rest) => rest(text));
    const left = taken.map(({ rest }) => rest).filter((rest) => rest !== null);
    return { length: Math.max(...taken.map(({ length }) => length)), rest: left.length === 0 ? null : anyOf(left) };
  };
}

function restOfForm(characters: RegExp): SecretRest {
  return function rest(text) {
    characters.lastIndex = 0;
    const { length } = characters.exec(text)![0];
    return { length, rest: length === text.length ? rest : null };
  };
}

function restOfValue(value: string): SecretRest {
  return (text) => {
    let length = 0;
    while (length < value.length && text[length] === value[length]) length++;
    const goesOn = length === text.length && length < value.length;
    return { length, rest: goesOn ? restOfValue(value.slice(length)) : null };
  };
}

/** How many of the secret's first characters the text ends with; never all of them. */
function beginningAtEnd(text: string, secret: string): number {
  const last = text.at(-1);
  if (last === undefined) return 0;
  let at = secret.lastIndexOf(last, secret.length - 2);
  while (at > 0 && !text.endsWith(secret.slice(0, at + 1))) at = secret.lastIndexOf(last, at - 1);
  return at + 1;
}
