/** Where a session that stays is found: a file that describes it and a socket, both in the home's `run/`. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import type { HookAddress } from "#core/ports/inbound";
import { isAlive, processStartOf } from "#core/process-identity";
import { readRegularFile } from "#core/regular-file";

const LONGEST_NAME = 100;
/** Of a name, in the name of its files. */
const SHOWN_LENGTH = 32;
const FILE = /^daemon-.*\.json$/;
const MOST_BYTES = 64 * 1024;
/** The longest path of a socket is 104 bytes on macOS and 108 on Linux, with a zero at its end. */
const LONGEST_SOCKET = 103;

/** The problem with a name of a session, to follow `A daemon's name `; null for a valid one. */
export function nameProblem(name: string): string | null {
  const { length } = Array.from(name);
  if (length === 0 || name.trim() === "") return "must not be empty";
  if (length > LONGEST_NAME) return `has at most ${LONGEST_NAME} characters; this one has ${length}`;
  if (/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(name)) return "must not contain control characters";
  return null;
}

/** What a running session tells about itself. */
export interface DaemonEntry {
  readonly name: string;
  readonly session_id: string;
  readonly pid: number;
  /** When the process started, in clock ticks since boot; null where the system does not tell. */
  readonly process_start: string | null;
  readonly socket: string;
  /** False in a process that runs something else, too. */
  readonly owns_process: boolean;
  readonly hooks: readonly string[];
  /** Where it takes the requests of these hooks; absent in what an older version wrote. */
  readonly addresses?: readonly HookAddress[];
  /** ISO-8601, UTC. */
  readonly started_at: string;
}

export interface DaemonFiles {
  readonly entry: string;
  /** Says which process is this session, from its start on. */
  readonly claim: string;
  readonly socket: string;
}

/** The files of a session. Its name may contain anything: their names are part of it, and a hash of all of it. */
export function daemonFiles(run: string, name: string): DaemonFiles {
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 16);
  const shown = name.replaceAll(/[^A-Za-z0-9_-]+/g, "_").slice(0, SHOWN_LENGTH);
  const stem = join(run, `daemon-${shown}-${hash}`);
  return { entry: `${stem}.json`, claim: `${stem}.pid`, socket: socketIn(run, `daemon-${shown}-${hash}.sock`) };
}

/** A home may lie deeper than the path of a socket may be long: then the socket is in the system's temporary folder. */
function socketIn(run: string, name: string): string {
  const socket = join(run, name);
  if (Buffer.byteLength(socket) <= LONGEST_SOCKET) return socket;
  const hash = createHash("sha256").update(socket).digest("hex").slice(0, 16);
  return join(tmpdir(), `hermes-run-${process.geteuid?.() ?? 0}`, `${hash}.sock`);
}

/** Makes the folder of a socket, private to this user. Throws when it is not, and what the file system throws. */
export function ensureSocketFolder(folder: string): void {
  ensureFolder(folder);
  const stats = lstatSync(folder);
  const isOurs = stats.isDirectory() && stats.uid === (process.geteuid?.() ?? stats.uid) && (stats.mode & 0o022) === 0;
  if (!isOurs) throw new Error(`${folder} belongs to another user, or others can write to it`);
}

/** Lets others find this process. Returns the undo. Throws what the file system throws. */
export function announceDaemon(file: string, entry: Omit<DaemonEntry, "pid" | "process_start">): () => void {
  const mine: DaemonEntry = { ...entry, pid: process.pid, process_start: processStartOf(process.pid) };
  writePrivateFile(file, JSON.stringify(mine));
  return () => rmSync(file, { force: true });
}

/** The running session of this name, or undefined. */
export function findDaemon(run: string, name: string): DaemonEntry | undefined {
  return readEntry(daemonFiles(run, name).entry);
}

/** The running sessions of a home, by name. */
export function listDaemons(run: string): readonly DaemonEntry[] {
  const names = namesIn(run).filter((name) => FILE.test(name));
  const entries = names.flatMap((name) => readEntry(join(run, name)) ?? []);
  return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** Undefined for a session whose process has ended, and for a file that is not of ours. */
function readEntry(file: string): DaemonEntry | undefined {
  const reading = readRegularFile(file, { mostBytes: MOST_BYTES, ours: true });
  if (reading.kind !== "read") return undefined;
  try {
    const entry = JSON.parse(reading.content.toString("utf8")) as DaemonEntry;
    return isAlive(entry.pid, entry.process_start) ? entry : undefined;
  } catch {
    // Not JSON, or without a pid: nothing that this program wrote.
    return undefined;
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A home without `run/` has no sessions that stay.
    return [];
  }
}
