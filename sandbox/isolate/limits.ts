/** All limits of the isolate tier; docs/sandbox.md lists those that matter to authors of handlers. */

const KIB = 1024;
export const MIB = 1024 * KIB;

/** Limits of a process that hosts isolates. */
export const HOST_LIMITS = {
  /** Hooks per process. They all lose their globals when it ends. */
  hooks: 8,
  /** How long it may take to start; generous, for a machine under load. */
  startMs: 20_000,
  /** How long it may take to end an isolate before the whole process is killed. */
  endMs: 1000,
  /** How long a process without hooks is kept, since a reload closes a hook and opens it again immediately. */
  lingerMs: 2000,
  /** How much of its last output is kept for the error message. */
  stderrBytes: 4 * KIB,
} as const;

/** Sizes of messages: characters if measured inside the isolate, bytes if measured outside. */
export const SIZE_LIMITS = {
  contextBytes: 4 * MIB,
  callBytes: 7 * MIB,
  answer: MIB,
  answerDepth: 100,
  outputText: 8 * KIB,
  problem: 2 * KIB,
} as const;

/** Limits of a handler's own modules. */
export const SOURCE_LIMITS = { modules: 100, fileBytes: 512 * KIB, allBytes: 2 * MIB } as const;

/** Limits of one run; anything still pending at the run's deadline ends then. */
export const RUN_LIMITS = {
  outputLines: 200,
  strays: 20,
  timersAtOnce: 100,
  timers: 1000,
  valueCallsAtOnce: 100,
  valueCalls: 1000,
  fetchesAtOnce: 8,
  fetches: 50,
  /** CPU time; a run also has its deadline. */
  cpuMs: 5000,
} as const;

/** Limits of `host.kv` per hook. */
export const VALUE_LIMITS = { keys: 1000, keyBytes: 256, valueBytes: 64 * KIB, allBytes: MIB } as const;

/** Limits of `host.fetch`. */
export const FETCH_LIMITS = {
  urlLength: 8 * KIB,
  bodyBytes: MIB,
  headers: 50,
  headerBytes: 16 * KIB,
  redirects: 5,
} as const;

/** The limits that the isolate itself applies; part of the settings it starts with. */
export const GUEST_LIMITS = {
  ...RUN_LIMITS,
  answer: SIZE_LIMITS.answer,
  outputText: SIZE_LIMITS.outputText,
  problem: SIZE_LIMITS.problem,
  body: FETCH_LIMITS.bodyBytes,
  value: VALUE_LIMITS.valueBytes,
} as const;

/** The process's memory in addition to what it needed when it was ready: a fixed part, and a part per hook. */
export const MEMORY_LIMITS = { spareBytes: 128 * MIB, perHook: 3, lookMs: 50 } as const;
