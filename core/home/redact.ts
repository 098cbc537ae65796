/** Removes secrets from text before it is written anywhere (log, hook log, events). */
import { earliest, unfinishedForm, unfinishedValue, type UnfinishedSecret } from "./redact-unfinished.ts";
import { FORMS, namesSecret, type SecretForm } from "./secret-forms.ts";
import { isSecretName } from "#core/secret-names";

/** What is written instead of a secret. */
export const MASK = "[redacted]";

/** What a text that is still being written ends in the middle of. */
export interface UnfinishedOptions {
  /** False when the text has no sign of a well-known form (`mayHoldSecret`). */
  readonly forms: boolean;
  /** How many characters of a known value there must be. */
  readonly least: number;
}

/** Removes secrets from text. */
export interface Redactor {
  (text: string): string;
  /** The secret that a text ends in the middle of; null for none. */
  readonly unfinished: (text: string, options: UnfinishedOptions) => UnfinishedSecret | null;
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
    for (const form of FORMS) clean = maskForm(clean, form);
    return clean;
  };
  const unfinished = (text: string, { forms, least }: UnfinishedOptions) => {
    const found = [forms ? unfinishedForm(text) : null, unfinishedValue(text, known, least)];
    return earliest(found.filter((secret) => secret !== null));
  };
  return Object.assign(redact, { unfinished });
}

function maskForm(text: string, { complete, whole, needs }: SecretForm): string {
  if (needs === undefined) return text.replace(complete, whole ? MASK : `$1${MASK}`);
  return text.includes(needs) ? text.replace(complete, maskNamed) : text;
}

/** The arguments of a replacer, the last of which are the groups, if there are named ones. */
function maskNamed(match: string, lead: string, ...others: readonly unknown[]): string {
  const groups = others.at(-1);
  const name = typeof groups === "object" ? (groups as { readonly name?: string }).name : undefined;
  return namesSecret(name) ? lead + MASK : match;
}

/** A secret as it appears in text, in a URL, in JSON, and in JSON inside a JSON string. */
function asWritten(secret: string): readonly string[] {
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1);
  return [secret, encodeURIComponent(secret.toWellFormed()), escaped(secret), escaped(escaped(secret))];
}
