/** Runs one subprocess with limits, for hooks, the terminal tool and inbound scripts. No shell is involved. */
import type { ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";
import type { Wall, WalledCommand } from "#core/ports/wall";
import { collectOutput } from "./output.ts";
import { findStartProblem, startChild, type Started, type StartOptions } from "./start.ts";
import { markEnvironment, newRunId, type Escaped } from "./descendants.ts";
import { trackRun, type Running } from "./terminate.ts";
import { guardRun } from "./watchdog.ts";

export interface ProcessOptions extends StartOptions {
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
  /** The delay between TERM and KILL; 500 when absent. */
  readonly killGraceMs?: number;
  /** What the process may see and write; everything when absent. */
  readonly wall?: Wall | undefined;
  /** What becomes of processes that it leaves behind at its own end. Behind a wall they always end. */
  readonly leftovers?: "kill" | "leave";
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
const KILL_GRACE_MS = 500;
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
  const walled = await enclose(options);
  if (walled !== null && "problem" in walled) return withoutOutput("not_started", walled.problem, started);
  const id = newRunId();
  const onGone = guardRun(id);
  const { argv0: _own, ...others } = options;
  const command = walled === null ? options : { ...others, argv: walled.argv };
  const start = await startChild({ ...command, env: markEnvironment(options.env, id) });
  if ("problem" in start) {
    onGone();
    return withoutOutput("not_started", start.problem, started);
  }
  const ownsProcesses = walled?.ownsProcesses ?? false;
  const tracking = { id, onGone, ownsProcesses, endsLeftovers: options.leftovers === "kill" };
  return supervise({ ...options, start, running: trackRun(start.child, tracking), started });
}

/** The command behind its wall; null without one. A command that cannot start is found here: the wall would hide why. */
async function enclose(options: ProcessOptions): Promise<WalledCommand | { readonly problem: string } | null> {
  const walled = (await options.wall?.enclose(options)) ?? null;
  if (walled === null || "problem" in walled) return walled;
  const problem = await findStartProblem(options);
  return problem === null ? walled : { problem };
}

interface Supervision extends ProcessOptions {
  readonly start: Started;
  readonly running: Running;
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

/** Waits for the pipes to end, but no longer than {@link DRAIN_MS}. */
async function drained(closed: readonly Promise<void>[]): Promise<void> {
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
