/**
 * The registered hooks of each running process and their last runs: `run/<pid>.json`, written by the process itself,
 * read by `hermes hooks list --live`. Files of processes that are gone are ignored and removed by readers.
 */
import { readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { HookIdentity, RunSink } from "#core/ports/hook";
import { quoteWord } from "#core/shell-quote";
import { ensureFolder } from "./paths.ts";
import { writePrivateFile } from "./private-files.ts";
import { readRegularFile } from "#core/regular-file";
import { isAlive, processStartOf } from "#core/process-identity";

export interface LiveHook {
  readonly event: string;
  readonly source: string;
  readonly name: string;
  readonly command: string | null;
  readonly matcher: string | null;
  /** When it last ran (ISO-8601, UTC) and the outcome; null before that. */
  readonly last_fired_at: string | null;
  readonly last_outcome: string | null;
  readonly last_cause: string | null;
  readonly last_duration_ms: number | null;
  /** Number of events that its full queue dropped; absent for hooks without a queue. */
  readonly dropped?: number;
}

export interface LiveProcess {
  readonly pid: number;
  /** Its command line, without secrets. */
  readonly command: string;
  /** ISO-8601, UTC. */
  readonly started_at: string;
  /** True for a process that accepts reload requests. */
  readonly reloads: boolean;
  readonly hooks: readonly LiveHook[];
}

export interface LiveOptions {
  /** The home's `run/`. */
  readonly folder: string;
  /** The words of its command line. */
  readonly argv: readonly string[];
  readonly hooks: () => readonly HookIdentity[];
  /** Whether this process accepts reload requests; false when absent. */
  readonly reloads?: boolean;
  readonly redact: (text: string) => string;
  /** Called once when the snapshot cannot be written; there is no retry. */
  readonly onError: (error: unknown) => void;
}

export interface LiveSnapshot {
  /** Records the outcome of a hook's run. */
  readonly sink: RunSink;
  /** Announces that hooks were registered or removed. */
  readonly changed: () => void;
  /** Removes the snapshot and writes nothing more. */
  readonly close: () => void;
}

type LastRun = Pick<LiveHook, "last_fired_at" | "last_outcome" | "last_cause" | "last_duration_ms">;

const LEAST_GAP_MS = 500;
const LONGEST_COMMAND = 500;
const MOST_BYTES = 16 * 1024 * 1024;
const NEVER: LastRun = { last_fired_at: null, last_outcome: null, last_cause: null, last_duration_ms: null };

/** Maintains this process's snapshot: written after changes, at most every 500 ms, with no timer otherwise. */
export function openLive({ folder, argv, hooks, reloads = false, redact, onError }: LiveOptions): LiveSnapshot {
  const file = join(folder, `${process.pid}.json`);
  const started_at = new Date(Date.now() - process.uptime() * 1000).toISOString();
  const command = redact(argv.map((word) => quoteWord(redact(word))).join(" ")).slice(0, LONGEST_COMMAND);
  const lastRuns = new WeakMap<HookIdentity, LastRun>();
  let timer: NodeJS.Timeout | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let closed = false;
  process.once("exit", close);

  function changed(): void {
    if (closed) return;
    const wait = Math.max(0, writtenAt + LEAST_GAP_MS - performance.now());
    timer ??= setTimeout(write, wait).unref();
  }

  function write(): void {
    timer = undefined;
    if (closed) return;
    try {
      writtenAt = performance.now();
      ensureFolder(folder);
      writePrivateFile(file, snapshot());
    } catch (error) {
      close();
      onError(error);
    }
  }

  function snapshot(): string {
    const entries = hooks().map((hook): LiveHook => {
      const { event, source, name, command: line, matcher = null } = hook;
      const clean = { name: redact(name), command: line === null ? null : redact(line) };
      const dropped = hook.dropped === undefined ? {} : { dropped: hook.dropped };
      return { event, source, ...clean, matcher, ...(lastRuns.get(hook) ?? NEVER), ...dropped };
    });
    const process_start = processStartOf(process.pid);
    const about = { pid: process.pid, process_start, command, started_at, reloads };
    return `${JSON.stringify({ ...about, hooks: entries }, null, 2)}\n`;
  }

  function close(): void {
    if (closed) return;
    closed = true;
    clearTimeout(timer);
    process.off("exit", close);
    remove(file);
  }

  return {
    sink(run, hook) {
      if (closed) return;
      lastRuns.set(hook, {
        last_fired_at: new Date(run.at).toISOString(),
        last_outcome: run.outcome,
        last_cause: run.cause,
        last_duration_ms: run.duration_ms,
      });
      changed();
    },
    changed,
    close,
  };
}

/** The running processes by pid. Removes snapshots of processes that are gone, if possible. */
export function readLive(folder: string): readonly LiveProcess[] {
  return list(folder)
    .map((pid) => readSnapshot(join(folder, `${pid}.json`), pid))
    .filter((found) => found !== undefined)
    .toSorted((left, right) => left.pid - right.pid);
}

function list(folder: string): readonly number[] {
  try {
    return readdirSync(folder).flatMap((name) =>
      /^[1-9]\d{0,9}\.json$/.test(name) ? [Number.parseInt(name, 10)] : [],
    );
  } catch {
    // The folder is missing or not readable, so no process is known.
    return [];
  }
}

function readSnapshot(file: string, pid: number): LiveProcess | undefined {
  const found = parse(file);
  if (found?.pid === pid && isAlive(pid, found.process_start)) {
    const { command, started_at, reloads, hooks } = found;
    return { pid, command, started_at, reloads, hooks };
  }
  // An invalid file of a live process may be about to be replaced; all others are leftovers.
  if (found !== undefined || !isAlive(pid, null)) remove(file);
  return undefined;
}

type Snapshot = LiveProcess & { readonly process_start: string | null };

/** The snapshot in a file, if it is valid. */
function parse(file: string): Snapshot | undefined {
  try {
    const reading = readRegularFile(file, { mostBytes: MOST_BYTES, ours: true });
    if (reading.kind !== "read") return undefined;
    const value = JSON.parse(reading.content.toString("utf8")) as Partial<Snapshot> | null;
    const { pid, command, started_at, reloads, hooks, process_start = null } = value ?? {};
    if (typeof pid !== "number" || typeof command !== "string" || typeof started_at !== "string") return undefined;
    if (!Array.isArray(hooks)) return undefined;
    return { pid, command, started_at, reloads: reloads === true, hooks: hooks.filter(isLiveHook), process_start };
  } catch {
    // Not JSON: then it tells nothing.
    return undefined;
  }
}

function isLiveHook(value: unknown): value is LiveHook {
  if (typeof value !== "object" || value === null) return false;
  const { event, source, name } = value as Partial<LiveHook>;
  return typeof event === "string" && typeof source === "string" && typeof name === "string";
}

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Never written, removed by another reader, or the folder is read-only: leftovers are ignored anyway.
  }
}
