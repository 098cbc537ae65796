import { declarationOf, type EventName, type Payload } from "./events.ts";
import type { Firing, FiringOrigin } from "./ports/hook.ts";

/** Values that were deeply frozen here, so that none is walked twice: a history grows, but its messages stay. */
const known = new WeakSet<object>();

/** Deeper values are rejected instead of walked (CONTRACT: bad input gets a clear error). */
const DEEPEST = 500;

/**
 * Deeply freezes plain data in place and returns it. For data that nobody else will change.
 * Throws a RangeError for data with a cycle or more than 500 levels.
 */
export function deepFreeze<Value>(value: Value, depth = 0): Value {
  if (typeof value !== "object" || value === null || known.has(value)) return value;
  refuseDepth(depth);
  for (const key in value) {
    const inner = value[key];
    if (typeof inner === "object") deepFreeze(inner, depth + 1);
  }
  Object.freeze(value);
  known.add(value);
  return value;
}

/** Like {@link deepFreeze} on a copy, for data that its creator still holds. Parts frozen here are not copied again. */
export function frozenCopy<Value>(value: Value, depth = 0): Value {
  if (typeof value !== "object" || value === null || known.has(value)) return value;
  refuseDepth(depth);
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [] : {};
  for (const key of Object.keys(value)) {
    setOwn(copy, key, frozenCopy((value as Record<string, unknown>)[key], depth + 1));
  }
  Object.freeze(copy);
  known.add(copy);
  return copy as Value;
}

function refuseDepth(depth: number): void {
  if (depth > DEEPEST) throw new RangeError(`data nested deeper than ${DEEPEST} levels, or in a cycle`);
}

/** Sets an own property of the object, even `__proto__`. */
function setOwn(target: unknown[] | Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true });
  else (target as Record<string, unknown>)[key] = value;
}

class PayloadFiring<Name extends EventName> implements Firing<Name> {
  readonly event: Name;
  readonly payload: Payload<Name>;
  readonly origin: FiringOrigin | undefined;
  #frozen: Readonly<Payload<Name>> | undefined;
  #forms: Map<symbol, unknown> | undefined;

  constructor(event: Name, payload: Payload<Name>, origin: FiringOrigin | undefined) {
    this.event = event;
    this.payload = payload;
    this.origin = origin;
  }

  get session_id(): string {
    return (this.payload as { session_id?: string | null }).session_id ?? "";
  }

  get tool_name(): string | null {
    return (this.payload as { tool_name?: string | null }).tool_name ?? null;
  }

  get tool_call_id(): string | null {
    return (this.payload as { tool_call_id?: string | null }).tool_call_id ?? null;
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

/** Creates the firing of an event. It owns the payload from now on, which is frozen when the first callback gets it. */
export function createFiring<Name extends EventName>(
  event: Name,
  payload: Payload<Name>,
  origin?: FiringOrigin,
): Firing<Name> {
  return new PayloadFiring(event, payload, origin);
}

function freezePayload<Name extends EventName>(event: Name, payload: Payload<Name>): Readonly<Payload<Name>> {
  const { live } = declarationOf(event);
  if (live === undefined) return deepFreeze(payload);
  const data: Record<string, unknown> = { ...payload };
  const references: Record<string, unknown> = {};
  for (const field of live) {
    if (field in data) references[field] = data[field];
    delete data[field];
  }
  return Object.freeze({ ...deepFreeze(data), ...references }) as Readonly<Payload<Name>>;
}
