/** Carries out the calls that an isolated handler was granted in its `HOOK.yaml`. */
import { problemOf } from "#core/errors";
import type { Allowances } from "#core/ports/tier";
import type { HookFetch } from "./fetch.ts";
import { RUN_LIMITS } from "./limits.ts";
import type { HookValues } from "./values.ts";
import type { GuestSettings } from "./wire.ts";

export interface CapabilityServices {
  readonly env: NodeJS.ProcessEnv;
  readonly values: HookValues;
  readonly fetch: HookFetch;
}

export interface CallAnswer {
  readonly ok: boolean;
  /** The value as JSON, or what went wrong. */
  readonly body: string;
}

/** The grants of one hook. It checks every call itself; the checks inside the isolate are only a convenience. */
export class Capabilities {
  readonly #hook: string;
  readonly #allow: Allowances;
  readonly #services: CapabilityServices;
  #deadline = 0;
  #valueCalls = 0;
  #fetches = 0;
  #fetchesOpen = 0;

  constructor(hook: string, allow: Allowances, services: CapabilityServices) {
    this.#hook = hook;
    this.#allow = allow;
    this.#services = services;
  }

  /** What the isolate starts with; only the named environment variables. */
  settings(memoryMb: number): GuestSettings {
    const { env: variables } = this.#services;
    const named = this.#allow.env.flatMap((name) => (Object.hasOwn(variables, name) ? [[name, variables[name]!]] : []));
    const { kv, fetch, env } = this.#allow;
    const granted = env.length === 0 ? null : (Object.fromEntries(named) as Record<string, string>);
    return { memoryMb, kv, fetch: fetch.length > 0, env: granted };
  }

  /** Starts a run: resets the call counters; its calls end with it, `remainingMs` from now. */
  begin(remainingMs: number): void {
    this.#deadline = performance.now() + remainingMs;
    this.#valueCalls = this.#fetches = 0;
  }

  /** Carries out a call, until `gone` aborts because nobody waits for it any more. Never rejects. */
  async call(method: string, args: string, gone: AbortSignal): Promise<CallAnswer> {
    try {
      const given: unknown = JSON.parse(args);
      if (!Array.isArray(given)) throw new TypeError("the arguments are not an array");
      const value = method === "fetch" ? await this.#fetch(given, gone) : this.#value(method, given);
      return { ok: true, body: JSON.stringify(value ?? null) };
    } catch (error) {
      return { ok: false, body: problemOf(error) };
    }
  }

  #value(method: string, [key, value]: readonly unknown[]): unknown {
    if (!this.#allow.kv) throw new Error("host.kv is not allowed");
    if (++this.#valueCalls > RUN_LIMITS.valueCalls) throw new RangeError("too many calls of host.kv in one run");
    if (typeof key !== "string") throw new TypeError("the key is not a string");
    const { values } = this.#services;
    if (method === "kv.get") return values.get(this.#hook, key);
    if (method === "kv.delete") return values.delete(this.#hook, key);
    if (method !== "kv.set") throw new TypeError("unknown call");
    if (typeof value !== "string") throw new TypeError("the value is not a string");
    return values.set(this.#hook, key, value);
  }

  async #fetch([url, method, headers, body]: readonly unknown[], gone: AbortSignal): Promise<unknown> {
    if (this.#allow.fetch.length === 0) throw new Error("host.fetch is not allowed");
    if (++this.#fetches > RUN_LIMITS.fetches) throw new RangeError("too many calls of host.fetch in one run");
    if (this.#fetchesOpen >= RUN_LIMITS.fetchesAtOnce) throw new RangeError("too many calls of host.fetch at a time");
    if (typeof url !== "string" || typeof method !== "string") throw new TypeError("the URL is not a string");
    if (!isPairs(headers)) throw new TypeError("the headers are not pairs of strings");
    if (body !== null && typeof body !== "string") throw new TypeError("the body is not a string");
    const remainingMs = Math.max(0, Math.ceil(this.#deadline - performance.now()));
    const signal = AbortSignal.any([gone, AbortSignal.timeout(remainingMs)]);
    this.#fetchesOpen += 1;
    try {
      return await this.#services.fetch.fetch({ url, method, headers, body }, this.#allow.fetch, signal);
    } finally {
      this.#fetchesOpen -= 1;
    }
  }
}

function isPairs(value: unknown): value is [string, string][] {
  return (
    Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every(isString))
  );
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
