/**
 * Prepares a context for the dashboard: JSON of limited size without secrets. Most contexts are plain and small, which
 * a quick check detects, and are passed to `JSON.stringify` directly. Others are copied value by value; a value that
 * JSON cannot represent is lost, but not the event.
 */
import { memoize } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import { isSecretName } from "#core/secret-names";

/** The size limits of a copy, in characters of keys and strings, which is roughly that of the JSON text. */
export interface CopyLimits {
  readonly characters: number;
  readonly longestText: number;
}

const DEEPEST = 50;
/** The size of a key, a number or a pair of brackets in addition to its text. */
const OVERHEAD = 4;
const MASK = "[redacted]";
/** A secret that starts before the cut is recognised completely if it is not longer than this. */
const LONGEST_SECRET = 512;
/** A documented key of `session:*` events that is not a secret, despite its name. */
const NO_SECRET = "session_key";

/** Key names are few, so this many are cached. */
const MOST_NAMES = 2048;
const namesSecret = memoize(
  (key: string) => key !== NO_SECRET && key.length < LONGEST_SECRET && isSecretName(key),
  MOST_NAMES,
);

/**
 * The size of a value that can be passed to `JSON.stringify`: only objects, arrays, strings and numbers, without keys
 * that are named like secrets. Null for others and when it is larger than `most`; then it stops reading, so that 10 MB
 * cost no more than 100 KB.
 */
export function plainSize(value: unknown, most: number): number | null {
  try {
    const left = leftOver(value, most, 0);
    return left < 0 ? null : most - left;
  } catch {
    // A getter or proxy threw; the copy finds out which.
    return null;
  }
}

/** The rest of `left` after the value; negative when it is too large or not plain. */
function leftOver(value: unknown, left: number, depth: number): number {
  if (typeof value === "string") return left - value.length - OVERHEAD;
  if (typeof value === "bigint") return -1;
  if (typeof value !== "object" || value === null) return left - OVERHEAD;
  if (depth > DEEPEST) return -1;
  let rest = left - OVERHEAD;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && rest >= 0; index++) rest = leftOver(value[index], rest, depth + 1);
    return rest;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return -1;
  for (const key in value) {
    const held = (value as Record<string, unknown>)[key];
    if (key === "toJSON" ? typeof held === "function" : namesSecret(key)) return -1;
    rest = leftOver(held, rest - key.length, depth + 1);
    if (rest < 0) return rest;
  }
  return rest;
}

/**
 * A copy for `JSON.stringify`: with secrets masked by key name or by `redact`, long strings and lists shortened, cycles
 * cut, and unreadable values replaced with a note. Never throws.
 */
export function copyWithCare(value: unknown, redact: (text: string) => string, limits: CopyLimits): unknown {
  return new CarefulCopy(redact, limits).of(value, false);
}

/** Recognised by shape, as it may come from another realm. */
function isError(value: object): boolean {
  const { message, stack } = value as { message?: unknown; stack?: unknown };
  return typeof message === "string" && typeof stack === "string";
}

/** Like {@link copyWithCare}, and says whether something was left out because of its size or depth. */
export function copyInPart(
  value: unknown,
  redact: (text: string) => string,
  limits: CopyLimits,
): { readonly copy: unknown; readonly cut: boolean } {
  const careful = new CarefulCopy(redact, limits);
  const copy = careful.of(value, false);
  return { copy, cut: careful.cut };
}

class CarefulCopy {
  cut = false;
  readonly #redact: (text: string) => string;
  readonly #longestText: number;
  #left: number;
  /** The ancestors of the current object. */
  readonly #around: object[] = [];

  constructor(redact: (text: string) => string, { characters, longestText }: CopyLimits) {
    this.#redact = redact;
    this.#left = characters;
    this.#longestText = longestText;
  }

  of(value: unknown, secret: boolean): unknown {
    this.#left -= OVERHEAD;
    if (typeof value === "string") return secret && value !== "" ? MASK : this.#text(value);
    // Serialising a larger one would take too long.
    if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? String(value) : "[big integer]";
    if (typeof value !== "object" || value === null) return value;
    if (this.#around.includes(value)) return "[circular]";
    if (this.#around.length > DEEPEST) return this.#cutTo("[too deep]");
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    this.#around.push(value);
    try {
      return this.#held(value, secret);
    } catch {
      // A hostile getter, proxy or toJSON: only this value is lost.
      return "[unreadable]";
    } finally {
      this.#around.pop();
    }
  }

  #held(value: object, secret: boolean): unknown {
    const { toJSON } = value as { toJSON?: unknown };
    const stand: unknown = typeof toJSON === "function" ? Reflect.apply(toJSON, value, [""]) : value;
    if (stand !== value) return this.of(stand, secret);
    if (isError(value)) return this.#text(problemOf(value));
    return Array.isArray(value) ? this.#list(value, secret) : this.#object(value, secret);
  }

  #list(list: readonly unknown[], secret: boolean): unknown[] {
    const copied: unknown[] = [];
    for (let index = 0; index < list.length; index++) {
      if (this.#left <= 0) return [...copied, this.#cutTo(`… (${list.length - index} more)`)];
      copied.push(this.#read(() => list[index], secret));
    }
    return copied;
  }

  #object(value: object, secret: boolean): Record<string, unknown> {
    // Without a prototype, so that `__proto__` is an ordinary key.
    const copied = Object.create(null) as Record<string, unknown>;
    const keys = Object.keys(value);
    for (const [index, key] of keys.entries()) {
      if (this.#left <= 0) {
        copied["…"] = this.#cutTo(`(${keys.length - index} more)`);
        break;
      }
      const held = this.#read(() => (value as Record<string, unknown>)[key], secret || namesSecret(key));
      copied[this.#text(key)] = held;
    }
    return copied;
  }

  #read(read: () => unknown, secret: boolean): unknown {
    try {
      return this.of(read(), secret);
    } catch {
      // A getter threw: only its own value is lost.
      return "[unreadable]";
    }
  }

  #text(text: string): string {
    const most = Math.max(0, Math.min(this.#longestText, this.#left));
    const clean = this.#redact(text.length > most ? text.slice(0, most + LONGEST_SECRET) : text);
    const kept = text.length > most ? clean.slice(0, most) : clean;
    this.#left -= kept.length;
    return text.length > most ? this.#cutTo(`${kept}… (${text.length - most} more characters)`) : kept;
  }

  #cutTo(rest: string): string {
    this.cut = true;
    return rest;
  }
}
