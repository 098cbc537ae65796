/**
 * What becomes of a context on its way to the dashboard: JSON of bounded size without secrets. Most contexts are plain
 * and small, which a quick look finds out, and go through `JSON.stringify` as they are. Only the others are copied with
 * care, value by value, and a value that JSON cannot hold loses itself, never the event.
 */
import { problemOf } from "#core/errors";
import { isSecretName } from "#core/secret-names";

/** What a careful copy may hold. Counted in characters of keys and texts, roughly those of the JSON text. */
export interface CopyLimits {
  readonly characters: number;
  readonly longestText: number;
}

const DEEPEST = 50;
/** What a key, a number or a pair of brackets counts for beside its text. */
const OVERHEAD = 4;
const MASK = "[redacted]";
/** A secret that begins before the end of a shortened text is found whole if it is no longer than this. */
const LONGEST_SECRET = 512;
/** A documented key of `session:*` events that only sounds like a secret. */
const NO_SECRET = "session_key";

/** Names of keys are few; more than these are not remembered at a time. */
const MOST_NAMES = 2048;
const secretNames = new Map<string, boolean>();

function namesSecret(key: string): boolean {
  const known = secretNames.get(key);
  if (known !== undefined) return known;
  const secret = key !== NO_SECRET && key.length < LONGEST_SECRET && isSecretName(key);
  if (secretNames.size >= MOST_NAMES) secretNames.clear();
  secretNames.set(key, secret);
  return secret;
}

/**
 * The size of a value of objects, arrays, texts and numbers without a key that names a secret: it may be given to
 * `JSON.stringify`. Null when it is something else or larger than `most`, which is found out without reading further,
 * so that 10 MB cost no more than 100 KB.
 */
export function plainSize(value: unknown, most: number): number | null {
  try {
    const left = leftOver(value, most, 0);
    return left < 0 ? null : most - left;
  } catch {
    // A getter or a proxy that throws: the careful copy finds out which.
    return null;
  }
}

/** What is left of `left` after the value; negative when it is too large or not plain. */
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
 * A copy that `JSON.stringify` takes: secrets masked, by the name of their key or by `redact`, texts and lists
 * shortened where they are too long, cycles cut, what cannot be read named. Never throws.
 */
export function copyWithCare(value: unknown, redact: (text: string) => string, limits: CopyLimits): unknown {
  return new CarefulCopy(redact, limits).of(value, false);
}

/** By its shape, as one of another realm has it; JSON would make nothing of it. */
function isError(value: object): boolean {
  const { message, stack } = value as { message?: unknown; stack?: unknown };
  return typeof message === "string" && typeof stack === "string";
}

class CarefulCopy {
  readonly #redact: (text: string) => string;
  readonly #longestText: number;
  #left: number;
  /** The objects that the present one is in. */
  readonly #around: object[] = [];

  constructor(redact: (text: string) => string, { characters, longestText }: CopyLimits) {
    this.#redact = redact;
    this.#left = characters;
    this.#longestText = longestText;
  }

  of(value: unknown, secret: boolean): unknown {
    this.#left -= OVERHEAD;
    if (typeof value === "string") return secret && value !== "" ? MASK : this.#text(value);
    // A larger one takes longer to write down than anybody should wait.
    if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? String(value) : "[big integer]";
    if (typeof value !== "object" || value === null) return value;
    if (this.#around.includes(value)) return "[circular]";
    if (this.#around.length > DEEPEST) return "[too deep]";
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    this.#around.push(value);
    try {
      return this.#held(value, secret);
    } catch {
      // A hostile getter, proxy or toJSON: this value is lost, those beside it are not.
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
      if (this.#left <= 0) return [...copied, `… (${list.length - index} more)`];
      copied.push(this.#read(() => list[index], secret));
    }
    return copied;
  }

  #object(value: object, secret: boolean): Record<string, unknown> {
    // Without a prototype, so that a key `__proto__` is a key.
    const copied = Object.create(null) as Record<string, unknown>;
    const keys = Object.keys(value);
    for (const [index, key] of keys.entries()) {
      if (this.#left <= 0) {
        copied["…"] = `(${keys.length - index} more)`;
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
      // A getter that throws: only its own value is lost.
      return "[unreadable]";
    }
  }

  #text(text: string): string {
    const most = Math.max(0, Math.min(this.#longestText, this.#left));
    const clean = this.#redact(text.length > most ? text.slice(0, most + LONGEST_SECRET) : text);
    const kept = text.length > most ? clean.slice(0, most) : clean;
    this.#left -= kept.length;
    return text.length > most ? `${kept}… (${text.length - most} more characters)` : kept;
  }
}
