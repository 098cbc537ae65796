import { declarationOf, type EventName, type Payload } from "./events.ts";
import type { Firing } from "./ports.ts";

/** Copies that this file froze, so that what is frozen all the way down is not copied again. */
const known = new WeakSet<object>();

/** Deeper values than this are refused rather than walked (CONTRACT: bad input gets a clear error). */
const DEEPEST = 500;

/**
 * A deeply frozen copy of plain data: objects and arrays are copied, primitives and functions kept.
 * A copy made here is returned as it is. Throws a RangeError for data nested deeper than 500 levels or in a cycle.
 */
export function frozenCopy<Value>(value: Value, depth = 0): Value {
  if (typeof value !== "object" || value === null || known.has(value)) return value;
  if (depth > DEEPEST) throw new RangeError(`data nested deeper than ${DEEPEST} levels, or in a cycle`);
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [] : {};
  if (Array.isArray(copy)) {
    for (const item of value as unknown[]) copy.push(frozenCopy(item, depth + 1));
  } else {
    for (const key of Object.keys(value))
      setOwn(copy, key, frozenCopy((value as Record<string, unknown>)[key], depth + 1));
  }
  Object.freeze(copy);
  known.add(copy);
  return copy as Value;
}

/** Sets a key as a property of the object's own, also `__proto__`. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true });
  else target[key] = value;
}

class PayloadFiring<Name extends EventName> implements Firing<Name> {
  readonly event: Name;
  readonly payload: Payload<Name>;
  #frozen: Readonly<Payload<Name>> | undefined;
  #forms: Map<symbol, unknown> | undefined;

  constructor(event: Name, payload: Payload<Name>) {
    this.event = event;
    this.payload = payload;
  }

  get session_id(): string {
    return (this.payload as { session_id?: string | null }).session_id ?? "";
  }

  frozen(): Readonly<Payload<Name>> {
    return (this.#frozen ??= freezePayload(this.event, this.payload));
  }

  form<Form>(key: symbol, make: (payload: Payload<Name>) => Form): Form {
    this.#forms ??= new Map();
    if (!this.#forms.has(key)) this.#forms.set(key, make(this.payload));
    return this.#forms.get(key) as Form;
  }
}

/** Makes the firing of one event. The payload is not copied until a hook asks for a form of it. */
export function createFiring<Name extends EventName>(event: Name, payload: Payload<Name>): Firing<Name> {
  return new PayloadFiring(event, payload);
}

function freezePayload<Name extends EventName>(event: Name, payload: Payload<Name>): Readonly<Payload<Name>> {
  const { live } = declarationOf(event);
  if (live === undefined) return frozenCopy(payload);
  const data: Record<string, unknown> = { ...payload };
  const references: Record<string, unknown> = {};
  for (const field of live) {
    if (field in data) references[field] = data[field];
    delete data[field];
  }
  return Object.freeze({ ...frozenCopy(data), ...references }) as Readonly<Payload<Name>>;
}
