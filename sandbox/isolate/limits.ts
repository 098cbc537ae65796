/** Every bound of the isolate tier in one place; docs/sandbox.md lists those that authors of handlers meet. */

const KIB = 1024;
export const MIB = 1024 * KIB;

/** Of one process that hosts isolates, seen from the program that started it. */
export const HOST_LIMITS = {
  /** Hooks that share a process. They lose their globals together when it ends. */
  hooks: 8,
  /** How long its start may take: a machine under load, not a measure of quality. */
  startMs: 20_000,
  /** How long it may take to end an isolate before it is killed as a whole. */
  endMs: 1000,
  /** How long a process without hooks is kept: a reload closes a hook and opens it again at once. */
  lingerMs: 2000,
  /** What it may say before it dies, for the message about its death. */
  stderrBytes: 4 * KIB,
} as const;

/** Of one frame in either direction, above all that may travel in one. */
export const MOST_WIRE_BYTES = 8 * MIB;

/** What travels. Characters where it is measured inside the isolate, bytes where it is measured outside. */
export const SIZE_LIMITS = {
  contextBytes: 4 * MIB,
  callBytes: 7 * MIB,
  answer: MIB,
  answerDepth: 100,
  outputText: 8 * KIB,
  problem: 2 * KIB,
} as const;

/** Of a handler's own modules. */
export const SOURCE_LIMITS = { modules: 100, fileBytes: 512 * KIB, allBytes: 2 * MIB } as const;

/** Of one run; what is still open at the run's deadline ends there. */
export const RUN_LIMITS = {
  outputLines: 200,
  strays: 20,
  timersAtOnce: 100,
  timers: 1000,
  valueCallsAtOnce: 100,
  valueCalls: 1000,
  fetchesAtOnce: 8,
  fetches: 50,
  /** CPU time; a run has its deadline besides. */
  cpuMs: 5000,
} as const;

/** Of `host.kv`, for each hook. */
export const VALUE_LIMITS = { keys: 1000, keyBytes: 256, valueBytes: 64 * KIB, allBytes: MIB } as const;

/** Of `host.fetch`. */
export const FETCH_LIMITS = {
  urlLength: 8 * KIB,
  bodyBytes: MIB,
  headers: 50,
  headerBytes: 16 * KIB,
  redirects: 5,
} as const;

/** What the isolate itself can keep: part of the settings it starts with. */
export const GUEST_LIMITS = {
  ...RUN_LIMITS,
  answer: SIZE_LIMITS.answer,
  outputText: SIZE_LIMITS.outputText,
  problem: SIZE_LIMITS.problem,
  body: FETCH_LIMITS.bodyBytes,
  value: VALUE_LIMITS.valueBytes,
} as const;

/** Of the process's memory, beyond what it needed when it was ready: for V8's and its own needs, and for each hook. */
export const MEMORY_LIMITS = { spareBytes: 128 * MIB, perHook: 3, lookMs: 50 } as const;
