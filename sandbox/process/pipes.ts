/**
 * Standard streams for a child that can be opened by name. Node gives children sockets, which Linux cannot open:
 * `jq . < /dev/stdin` and `echo no > /dev/stderr`, which scripts are full of, would fail. Node has no pipe(2), so
 * output goes through nameless FIFOs, which mkfifo makes once and later runs use again; input is a nameless file,
 * because a FIFO whose writer is done cannot be opened again.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";

export interface Pipes {
  /** What the child gets as its standard input, output and error. */
  readonly childEnds: readonly [stdin: number | "ignore", stdout: number, stderr: number];
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** To be called once the child has its ends, or will not come to have them. */
  closeChildEnds(): void;
}

/** For eight runs at a time; mkfifo makes many as quickly as one. */
const BATCH = 16;
/** So many wait for their next use at most. */
const MOST_SPARE = 48;
const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** FIFOs that nobody writes to, each held open for reading by the descriptor that stands here. */
const spare: number[] = [];
let filling: Promise<boolean> | undefined;
/** False where sockets can be opened by name (macOS), or when the first try here failed. */
let possible = process.platform === "linux";

/** Streams for one child whose input is `text`, or undefined where there are none: then Node's sockets have to do. */
export async function takePipes(text: string | undefined): Promise<Pipes | undefined> {
  while (spare.length < 2) if (!possible || !(await (filling ??= fill()))) return undefined;
  const holders = spare.splice(-2);
  const childEnds: number[] = [];
  const ourEnds: Socket[] = [];
  try {
    const input = text === undefined ? "ignore" : openInput(text);
    if (input !== "ignore") childEnds.push(input);
    for (const holder of holders) {
      childEnds.push(reopen(holder, O_WRONLY));
      ourEnds.push(new Socket({ fd: reopen(holder, O_RDONLY | O_NONBLOCK), readable: true, writable: false }));
    }
    const [output, errors] = childEnds.slice(-2) as [number, number];
    const [stdout, stderr] = ourEnds as [Socket, Socket];
    for (const [index, end] of ourEnds.entries()) recycle(end, holders[index]!);
    return { childEnds: [input, output, errors], stdout, stderr, closeChildEnds: () => closeAll(childEnds) };
  } catch {
    // No place for the input or no descriptors left: this child gets sockets.
    for (const end of ourEnds) end.destroy();
    closeAll([...childEnds, ...holders]);
    return undefined;
  }
}

/** A FIFO that was read to its end is empty and has no writer any more: the next run may have it. */
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

/** The text as a file that has no name any more, in memory where there is a place for such. */
function openInput(text: string): number {
  const name = join(
    (inputFolder ??= existsSync("/dev/shm") ? "/dev/shm" : tmpdir()),
    `hermes-input-${process.pid}-${process.hrtime.bigint()}`,
  );
  const file = openSync(name, O_CREAT | O_EXCL | O_WRONLY, 0o600);
  try {
    const input = openSync(name, O_RDONLY);
    try {
      rmSync(name);
      const bytes = Buffer.from(text);
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

/** A descriptor of its own for what another one stands for, so that each can be closed for itself. */
function reopen(descriptor: number, flags: number): number {
  return openSync(`/proc/self/fd/${descriptor}`, flags);
}

/** False when there are no more. */
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
    // No mkfifo, no temporary folder that can be written, no descriptors left: scripts run all the same, with
    // sockets, and only those notice that open their streams by name.
    possible = worked;
    return false;
  } finally {
    filling = undefined;
  }
}

function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
