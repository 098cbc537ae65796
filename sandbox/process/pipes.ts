/**
 * Standard streams for a child that it can open by name. Node gives children sockets, which Linux cannot open:
 * `jq . < /dev/stdin` and `echo no > /dev/stderr`, which are common in scripts, would fail. Node has no pipe(2), so
 * output goes through unlinked FIFOs, which mkfifo creates once and later runs reuse. Input is an unlinked file,
 * because a FIFO cannot be opened again once its writer has closed it; input that comes bit by bit is a FIFO, too.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, existsSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";

/** Standard input that stays open for writing. */
export const OPEN = Symbol("open input");
export type Input = string | Uint8Array | typeof OPEN;

export interface Pipes {
  /** The child's standard input, output and error. */
  readonly childEnds: readonly [stdin: number | "ignore", stdout: number, stderr: number];
  /** For {@link OPEN}, else null. */
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** For {@link OPEN}: takes the input that the child has left unread at its end, and counts its bytes, at most 64 KiB. */
  readonly takeUnread: () => number;
  /** Must be called once the child has its ends, or if it could not be started. */
  closeChildEnds(): void;
}

/** Enough for eight runs at a time; mkfifo creates many as fast as one. */
const BATCH = 16;
/** How many are kept for reuse. */
const MOST_SPARE = 48;
/** Of a FIFO, in bytes. */
const CAPACITY = 65_536;
const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** FIFOs without a writer, each held open for reading by this descriptor. */
const spare: number[] = [];
let filling: Promise<boolean> | undefined;
/** False where sockets can be opened by name (macOS), or when the first attempt failed. */
let possible = process.platform === "linux";

/** Streams for one child with this input, or undefined when none can be created: then Node's sockets are used. */
export async function takePipes(given: Input | undefined): Promise<Pipes | undefined> {
  const needed = given === OPEN ? 3 : 2;
  while (spare.length < needed) if (!possible || !(await (filling ??= fill()))) return undefined;
  const holders = spare.splice(-needed);
  const childEnds: number[] = [];
  const ourEnds: Socket[] = [];
  try {
    let stdin: Socket | null = null;
    let takeUnread = () => 0;
    if (given === OPEN) {
      // Our own reader goes at once: with it, a write would succeed after the child has closed its standard input.
      const reader = holders.pop()!;
      childEnds.push(reader);
      const fd = reopen(reader, O_WRONLY | O_NONBLOCK);
      const input = new Socket({ fd, readable: false, writable: true });
      ourEnds.push(input);
      childEnds[0] = reopen(reader, O_RDONLY);
      closeSync(reader);
      takeUnread = () => (input.destroyed ? 0 : countUnread(fd));
      stdin = input;
    } else if (given !== undefined) childEnds.push(openInput(given));
    const streams = holders.map((holder) => {
      childEnds.push(reopen(holder, O_WRONLY));
      const end = new Socket({ fd: reopen(holder, O_RDONLY | O_NONBLOCK), readable: true, writable: false });
      ourEnds.push(end);
      return end;
    });
    const input = childEnds.length > 2 ? childEnds[0]! : "ignore";
    const [output, errors] = childEnds.slice(-2) as [number, number];
    const [stdout, stderr] = streams as [Socket, Socket];
    for (const [index, end] of streams.entries()) recycle(end, holders[index]!);
    const closeChildEnds = () => closeAll(childEnds);
    return { childEnds: [input, output, errors], stdin, stdout, stderr, takeUnread, closeChildEnds };
  } catch {
    // No space for the input, or no file descriptors left: this child gets sockets.
    for (const end of ourEnds) end.destroy();
    closeAll([...childEnds, ...holders]);
    return undefined;
  }
}

/** What is in a FIFO stays there while its writer has it open. */
function countUnread(writer: number): number {
  let reader: number | undefined;
  try {
    reader = reopen(writer, O_RDONLY | O_NONBLOCK);
    return readSync(reader, Buffer.alloc(CAPACITY));
  } catch {
    // EAGAIN: it is empty.
    return 0;
  } finally {
    if (reader !== undefined) closeSync(reader);
  }
}

/** A FIFO that was read to its end is empty and has no writer, so the next run may reuse it. */
function recycle(end: Socket, holder: number): void {
  let finished = false;
  end.once("end", () => {
    finished = true;
  });
  end.once("close", () => {
    if (finished && spare.length < MOST_SPARE) spare.push(holder);
    else closeSync(holder);
  });
}

let worked = false;
let inputFolder: string | undefined;

/** The input as an unlinked file, in memory if there is a file system for that. */
function openInput(text: string | Uint8Array): number {
  const name = join(
    (inputFolder ??= existsSync("/dev/shm") ? "/dev/shm" : tmpdir()),
    `hermes-input-${process.pid}-${process.hrtime.bigint()}`,
  );
  const file = openSync(name, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  try {
    const input = openSync(name, O_RDONLY);
    try {
      rmSync(name);
      const bytes = typeof text === "string" ? Buffer.from(text) : text;
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      return input;
    } catch (error) {
      closeSync(input);
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** A second descriptor for the same file, so that each can be closed separately. */
function reopen(descriptor: number, flags: number): number {
  return openSync(`/proc/self/fd/${descriptor}`, flags);
}

/** False when no more can be created. */
async function fill(): Promise<boolean> {
  try {
    const folder = mkdtempSync(join(tmpdir(), "hermes-pipes-"));
    try {
      const names = Array.from({ length: BATCH }, (_, index) => join(folder, String(index)));
      // The system's own program first: an agent may have put another into a folder of PATH.
      const env = { PATH: `/usr/bin:/bin:${process.env["PATH"] ?? ""}` };
      await promisify(execFile)("mkfifo", ["-m", "600", ...names], { env });
      for (const name of names) spare.push(openSync(name, O_RDONLY | O_NONBLOCK));
      worked = true;
      return true;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch {
    // No mkfifo, no writable temporary folder, or no file descriptors left: scripts then run with sockets. Only
    // scripts that open their streams by name are affected.
    possible = worked;
    return false;
  } finally {
    filling = undefined;
  }
}

function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
