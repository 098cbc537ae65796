/** Runs one subprocess with limits, for hooks, the terminal tool and inbound scripts. No shell is involved. */
import type { ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";
import { collectOutput } from "./output.ts";
import { launch, type Launched, type LaunchOptions } from "./launch.ts";
import type { Escaped } from "./descendants.ts";

export interface ProcessOptions extends LaunchOptions {
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs: number;
  /** For each of the two output streams. */
  readonly maxOutputBytes: number;
  /** What happens to further output: it kills the process, or it is read and dropped. */
  readonly overflow: "kill" | "truncate";
  /** How many of `maxOutputBytes` are for the end of each stream, after a note of what was omitted; 0 for none. */
  readonly tailBytes?: number;
  readonly signal?: AbortSignal;
  /** Takes the output of both streams as it comes. */
  readonly onOutput?: ((chunk: Buffer) => void) | undefined;
  /** Takes the bytes of standard output as they come. */
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  /** The delay between TERM and KILL; {@link KILL_GRACE_MS} when absent. */
  readonly killGraceMs?: number;
}

/** Why a process ended. The first reason wins. */
export type ProcessEnd = "exited" | "timeout" | "overflow" | "interrupted" | "not_started";

export interface ProcessResult {
  readonly exit_code: number | null;
  /** The signal that killed it (`SIGKILL`, …), else null. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ended: ProcessEnd;
  /** With `not_started`: a clause with the reason; else null. */
  readonly start_problem: string | null;
  /** True when output was dropped. */
  readonly truncated: boolean;
  /** Processes of a killed run that had left its group and were killed, too. */
  readonly escaped: readonly Escaped[];
  readonly duration_ms: number;
}

/** How long to wait for the pipes of a process that has exited while its children hold them open (CONTRACT §6). */
const DRAIN_MS = 200;
/** The delay between TERM and KILL. */
export const KILL_GRACE_MS = 500;
/** Node fires longer timers immediately. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs one process in its own process group and waits for it to end. Invalid UTF-8 in its output becomes U+FFFD.
 * On a timeout, an overflow or an abort the whole group gets TERM, then KILL; processes that left the group get KILL.
 * Never throws or rejects.
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  const started = performance.now();
  if (options.signal?.aborted) return withoutOutput("interrupted", null, started);
  const launched = await launch(options);
  if ("problem" in launched) return withoutOutput("not_started", launched.problem, started);
  return supervise({ ...options, ...launched, started });
}

interface Supervision extends ProcessOptions, Launched {
  readonly started: number;
}

/** Watches a running child until it has exited and its output is read. */
async function supervise({ start, running, started, ...options }: Supervision): Promise<ProcessResult> {
  const { child } = start;
  let reason: ProcessEnd | undefined;
  let alive = true;
  const end = (why: ProcessEnd) => {
    if (reason !== undefined) return;
    reason = why;
    // The process may have exited when its last output exceeds the limit; its pid may then belong to another process.
    if (alive) running.terminate(options.killGraceMs ?? KILL_GRACE_MS);
  };

  const { maxOutputBytes, overflow, tailBytes = 0 } = options;
  const onOverflow = () => {
    if (overflow === "kill") end("overflow");
  };
  const bound = { most: maxOutputBytes, tail: tailBytes, onOverflow, onChunk: options.onOutput };
  const onChunk = (chunk: Buffer) => {
    options.onOutput?.(chunk);
    options.onStdout?.(chunk);
  };
  const stdout = collectOutput(start.stdout, options.onStdout === undefined ? bound : { ...bound, onChunk });
  const stderr = collectOutput(start.stderr, bound);
  // If the event loop was busy, first check whether the child has exited in time.
  const expire = () => setImmediate(() => alive && end("timeout"));
  const timer = setTimeout(expire, Math.min(Math.max(options.timeoutMs, 0), LONGEST_TIMER_MS));
  const interrupt = () => end("interrupted");
  options.signal?.addEventListener("abort", interrupt, { once: true });
  if (options.signal?.aborted) interrupt();
  feed(start.stdin, options.stdin ?? "");

  const [exitCode, exitSignal] = await exitOf(child);
  clearTimeout(timer);
  options.signal?.removeEventListener("abort", interrupt);
  alive = false;
  const escaped = running.ended();
  await drained([stdout.closed, stderr.closed]);
  stdout.destroy();
  stderr.destroy();
  start.stdin?.destroy();
  return {
    exit_code: exitCode,
    signal: exitSignal,
    stdout: stdout.text(),
    stderr: stderr.text(),
    ended: reason ?? "exited",
    start_problem: null,
    truncated: stdout.truncated() || stderr.truncated(),
    escaped,
    duration_ms: elapsed(started),
  };
}

function feed(stdin: Writable | null, input: string | Uint8Array): void {
  // A child may exit or close its standard input without reading it (EPIPE, ECONNRESET); that is not a failure.
  // Its exit code and output tell whether it succeeded.
  stdin?.on("error", () => {});
  // Destroyed rather than ended: a pipe cannot be shut down, only closed.
  stdin?.write(input, () => stdin.destroy());
}

function exitOf(child: ChildProcess): Promise<[number | null, string | null]> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve([code, signal]));
  });
}

/** Waits for the pipes of a child that has exited to end, but no longer than {@link DRAIN_MS}. */
export async function drained(closed: readonly Promise<void>[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  // If the event loop was busy for that long, this runs before the pending output, perhaps a block, was read:
  // Node polls every pipe between a timer and an immediate.
  const timer = setTimeout(() => setImmediate(() => setImmediate(resolve)), DRAIN_MS);
  await Promise.race([Promise.all(closed), promise]);
  clearTimeout(timer);
}

function withoutOutput(ended: ProcessEnd, problem: string | null, started: number): ProcessResult {
  return {
    exit_code: null,
    signal: null,
    stdout: "",
    stderr: "",
    ended,
    start_problem: problem,
    truncated: false,
    escaped: [],
    duration_ms: elapsed(started),
  };
}

function elapsed(started: number): number {
  return Math.round((performance.now() - started) * 1000) / 1000;
}
