/**
 * Runs inside the isolate, before and around the handler; `guest-isolate.ts` compiles this file's source there, so it
 * imports types only. The handler shares its realm and may replace anything it can reach. So everything needed later
 * is saved here first, nothing is looked up on a prototype, and only strings and numbers leave. None of this is the
 * security boundary: the isolate is. Its only way out is `post`, and everything posted is validated outside.
 */
import type { GUEST_LIMITS } from "./limits.ts";

/** Sends a message to the process: a kind, a number (of a run, a call, a timer) and strings. Never throws. */
type Post = (kind: string, number: number, text: string, more: string) => void;
type Handle = (event_type: string, context: unknown, host: unknown) => unknown;

interface Settings {
  readonly limits: typeof GUEST_LIMITS;
  readonly fetch: boolean;
  readonly kv: boolean;
  /** Null without a grant. */
  readonly env: Readonly<Record<string, string>> | null;
}

interface Call {
  /** The deadline of its run. */
  readonly until: number;
  readonly kind: "values" | "fetches";
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

interface Timer {
  readonly until: number;
  readonly callback: (...args: unknown[]) => unknown;
  readonly args: unknown[];
}

const { parse, stringify } = JSON;
const { apply, deleteProperty } = Reflect;
const { freeze, keys, defineProperty } = Object;
const { isArray } = Array;
const { isFinite } = Number;
const {
  Promise: PromiseOf,
  Error: ErrorOf,
  TypeError: TypeErrorOf,
  RangeError: RangeErrorOf,
  String: textOf,
} = globalThis;
// oxlint-disable-next-line typescript/unbound-method -- called with `apply`, so that nothing is looked up then
const { slice, toLowerCase } = String.prototype;

let post: Post;
let limits: typeof GUEST_LIMITS;
let handle: Handle | undefined;
let host: object;
let calls: Record<number, Call>;
let timers: Record<number, Timer>;
/**
 * The deadline, by the process's clock, of the run that the current code belongs to: the current run, or the run whose
 * timer or call just completed. Nothing else can run before the code is done: the isolate has no other threads.
 */
let until = 0;
let callNumber = 0;
let timerNumber = 0;
const used = { lines: 0, timers: 0, values: 0, fetches: 0 };
const open = { timers: 0, values: 0, fetches: 0 };

/** The first code that runs in the isolate. */
export function boot(toProcess: Post, settings: string, deadline: number): void {
  post = toProcess;
  until = deadline;
  const { limits: given, env, fetch, kv } = parse(settings) as Settings;
  limits = given;
  // Objects without a prototype, where the handler could define a setter.
  calls = { __proto__: null } as never;
  timers = { __proto__: null } as never;
  for (const name of ["WebAssembly", "SharedArrayBuffer", "Atomics"]) deleteProperty(globalThis, name);
  // `await` looks it up on a promise; with this it never calls the handler's code.
  void defineProperty(PromiseOf.prototype, "constructor", { writable: false, configurable: false });
  const log = freeze({ __proto__: null, ...writers(["debug", "info", "warn", "error"]) });
  host = freeze({
    __proto__: null,
    log,
    ...(env === null ? {} : { env: freeze({ __proto__: null, ...env }) }),
    ...(kv ? { kv: freeze({ __proto__: null, get: getValue, set: setValue, delete: deleteValue }) } : {}),
    ...(fetch ? { fetch: fetchUrl } : {}),
  });
  install("console", { ...writers(["debug", "info", "warn", "error"]), log: write("info"), trace: write("debug") });
  install("setTimeout", setTimer);
  install("clearTimeout", clearTimer);
}

/** The last step before the handler can be called: its module is loaded, including top-level awaits. */
export function start(namespace: { readonly handle?: unknown }): void {
  const found = namespace.handle;
  if (typeof found === "function") handle = found as Handle;
  post("loaded", 0, typeof found, "");
}

/** Calls the handler and posts the outcome. */
export function run(number: number, event_type: string, context: string, deadline: number): void {
  until = deadline;
  used.lines = used.timers = used.values = used.fetches = 0;
  void answer(number, event_type, context);
}

/** Settles a call, unless its run's deadline has passed. */
export function reply(number: number, ok: boolean, text: string, now: number): void {
  const call = calls[number];
  if (call === undefined) return;
  deleteProperty(calls, number);
  open[call.kind]--;
  if (now > call.until) return;
  ({ until } = call);
  if (ok) call.resolve(text);
  else call.reject(new ErrorOf(text));
}

/** Fires a timer, unless its run's deadline has passed. */
export function fireTimer(number: number, now: number): void {
  const timer = timers[number];
  open.timers--;
  if (timer === undefined) return;
  deleteProperty(timers, number);
  if (now > timer.until) return;
  ({ until } = timer);
  try {
    apply(timer.callback, undefined, timer.args);
  } catch (thrown) {
    post("stray", 0, describe(thrown), "");
  }
}

async function answer(number: number, event_type: string, context: string): Promise<void> {
  try {
    const value = await handle!(event_type, parse(context), host);
    post("answer", number, toJson(value, event_type), "");
  } catch (thrown) {
    post("failed", number, describe(thrown), "");
  }
}

/** The answer as JSON. A value that is not plain data is an error where answers are used, else no answer. */
function toJson(value: unknown, event_type: string): string {
  if (value === undefined) return "null";
  const counts = apply(slice, event_type, [0, 8]) === "command:";
  try {
    const text = stringify(value) as string | undefined;
    if (typeof text !== "string") throw new ErrorOf(`it returned a ${typeof value}, which is not plain data`);
    if (text.length > limits.answer) throw new ErrorOf(`its answer has ${text.length} characters of JSON`);
    return text;
  } catch (thrown) {
    if (counts) throw thrown;
    return "null";
  }
}

/** A thrown value as JSON of its name, message and stack. This may run the handler's code, which may throw again. */
function describe(thrown: unknown): string {
  const most = limits.problem;
  try {
    if ((typeof thrown === "object" && thrown !== null) || typeof thrown === "function") {
      const { name, message, stack } = thrown as Partial<Error>;
      if (message !== undefined) {
        return stringify([cut(textOf(name), most), cut(textOf(message), most), cut(textOf(stack), 2 * most)]);
      }
    }
    return stringify(["", cut(`it threw ${show(thrown)}`, most), ""]);
  } catch {
    return '["","it threw something that cannot be shown",""]';
  }
}

function show(value: unknown): string {
  if (typeof value === "string") return stringify(value);
  if (typeof value !== "object" || value === null) return textOf(value);
  return stringify(value) ?? "an object";
}

function cut(text: string, most: number): string {
  return text.length > most ? `${apply(slice, text, [0, most])}…` : text;
}

function install(name: string, value: unknown): void {
  defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

function writers(levels: readonly string[]): Record<string, (...values: unknown[]) => void> {
  const made: Record<string, (...values: unknown[]) => void> = {};
  for (const level of levels) made[level] = write(level);
  return made;
}

/** For `host.log` and `console`: formats the arguments as one log line. */
function write(level: string) {
  return (...values: unknown[]): void => {
    // One more than may be shown, which tells the other side that there was more.
    if (++used.lines > limits.outputLines + 1) return;
    let text = "";
    for (let index = 0; index < values.length; index++) {
      if (index > 0) text += " ";
      text += cut(printed(values[index]), limits.outputText);
      if (text.length > limits.outputText) break;
    }
    post("output", 0, cut(text, limits.outputText), level);
  };
}

function printed(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    if (value instanceof ErrorOf) return textOf(value.stack ?? value.message);
    return show(value);
  } catch {
    return "[a value that cannot be shown]";
  }
}

function setTimer(callback: unknown, delay: unknown, ...args: unknown[]): number {
  if (typeof callback !== "function") throw new TypeErrorOf("setTimeout expects a function");
  if (open.timers >= limits.timersAtOnce) throw new RangeErrorOf(`more than ${limits.timersAtOnce} timers at a time`);
  if (++used.timers > limits.timers) throw new RangeErrorOf(`more than ${limits.timers} timers in one run`);
  const ms = typeof delay === "number" && isFinite(delay) && delay > 0 ? delay : 0;
  open.timers++;
  timers[++timerNumber] = { until, callback: callback as Timer["callback"], args };
  post("timer", timerNumber, `${ms}`, `${until}`);
  return timerNumber;
}

/** Its slot is free again when it would have fired. */
function clearTimer(number: unknown): void {
  if (typeof number === "number") deleteProperty(timers, number);
}

async function getValue(key: unknown): Promise<string | null> {
  return parse(await ask("values", "kv.get", [checked(key, "key")])) as string | null;
}

async function setValue(key: unknown, value: unknown): Promise<void> {
  await ask("values", "kv.set", [checked(key, "key"), checked(value, "value")]);
}

async function deleteValue(key: unknown): Promise<boolean> {
  return parse(await ask("values", "kv.delete", [checked(key, "key")])) as boolean;
}

function checked(value: unknown, what: string): string {
  if (typeof value !== "string")
    throw new TypeErrorOf(`host.kv expects strings; the ${what} is of type ${typeof value}`);
  if (value.length > limits.value) throw new RangeErrorOf(`the ${what} is longer than ${limits.value} characters`);
  return value;
}

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function fetchUrl(url: unknown, init?: { method?: unknown; headers?: object; body?: unknown }): Promise<unknown> {
  const { method = "GET", headers = {}, body = null } = init ?? {};
  if (body !== null && typeof body !== "string") throw new TypeErrorOf(`host.fetch expects a string as its body`);
  if (body !== null && body.length > limits.body) {
    throw new RangeErrorOf(`the body is longer than ${limits.body} characters`);
  }
  const sent: [string, string][] = [];
  const names = keys(headers);
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!;
    const pair: unknown = (headers as Record<string, unknown>)[name];
    const isPair = isArray(headers) && isArray(pair);
    sent[index] = isPair ? [textOf(pair[0]), textOf(pair[1])] : [name, textOf(pair)];
  }
  const response = parse(await ask("fetches", "fetch", [textOf(url), textOf(method), sent, body])) as Response;
  const received = { __proto__: null, ...response.headers } as Record<string, unknown>;
  const get = (name: unknown) => received[apply(toLowerCase, textOf(name), [])] ?? null;
  if (received["get"] === undefined) defineProperty(received, "get", { value: get });
  return freeze({
    __proto__: null,
    status: response.status,
    ok: response.status >= 200 && response.status < 300,
    headers: freeze(received),
    text: async () => response.body,
    json: async () => parse(response.body) as unknown,
  });
}

/** Makes a call to the program. The answer is a string, so the handler's own `then` is never called. */
function ask(kind: Call["kind"], method: string, args: readonly unknown[]): Promise<string> {
  const isValue = kind === "values";
  const atOnce = isValue ? limits.valueCallsAtOnce : limits.fetchesAtOnce;
  const most = isValue ? limits.valueCalls : limits.fetches;
  const what = isValue ? "calls of host.kv" : "calls of host.fetch";
  if (open[kind] >= atOnce) throw new RangeErrorOf(`more than ${atOnce} ${what} at a time`);
  if (++used[kind] > most) throw new RangeErrorOf(`more than ${most} ${what} in one run`);
  return new PromiseOf((resolve, reject) => {
    open[kind]++;
    calls[++callNumber] = { until, kind, resolve, reject };
    post("call", callNumber, method, stringify(args));
  });
}
