/**
 * Standard streams for a child that can be opened by name. Node gives children sockets, which Linux cannot open:
 * `jq . < /dev/stdin` and `echo no > /dev/stderr`, which scripts are full of, would fail. Node has no pipe(2), so
 * output goes through FIFOs made by mkfifo, a batch at a time; input is a file, because a FIFO whose writer is
 * done cannot be opened again. All of them are unlinked before the child exists.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
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

/** For twelve runs: one start of mkfifo is then a small part of what each costs. */
const BATCH = 24;
/** Early enough that a run seldom waits for it. */
const REFILL_BELOW = 8;
const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

/** Unlinked FIFOs that nobody uses yet, each held open at both ends. */
const spare: number[] = [];
let filling: Promise<void> | undefined;
/** False where sockets can be opened by name (macOS), or once this proved impossible here. */
let possible = process.platform === "linux";

/** Streams for one child whose input is `text`, or undefined where there are none: then Node's sockets have to do. */
export async function takePipes(text: string | undefined): Promise<Pipes | undefined> {
  while (possible && spare.length < 2) await (filling ??= fill());
  if (!possible) return undefined;
  const [output, errors] = spare.splice(0, 2) as [number, number];
  if (spare.length < REFILL_BELOW) filling ??= fill();
  const open: number[] = [output, errors];
  const ours: Socket[] = [];
  try {
    const input = text === undefined ? "ignore" : openInput(text);
    if (input !== "ignore") open.push(input);
    const childEnd = (holder: number): number => {
      const end = reopen(holder, O_WRONLY);
      open.push(end);
      return end;
    };
    const ourEnd = (holder: number): Socket => {
      const end = new Socket({ fd: reopen(holder, O_RDONLY | O_NONBLOCK), readable: true, writable: false });
      ours.push(end);
      return end;
    };
    return {
      childEnds: [input, childEnd(output), childEnd(errors)],
      stdout: ourEnd(output),
      stderr: ourEnd(errors),
      closeChildEnds: () => closeAll(open),
    };
  } catch {
    // No place for the input or no descriptors left: this child gets sockets.
    for (const socket of ours) socket.destroy();
    closeAll(open);
    return undefined;
  }
}

let inputFolder: string | undefined;

/** The text as a file that has no name any more, in memory where there is a place for such. */
function openInput(text: string): number {
  const name = join(
    (inputFolder ??= existsSync("/dev/shm") ? "/dev/shm" : tmpdir()),
    `hermes-input-${process.pid}-${process.hrtime.bigint()}`,
  );
  const file = openSync(name, O_CREAT | O_EXCL | O_RDWR, 0o600);
  try {
    rmSync(name);
    writeFileSync(file, text);
    return reopen(file, O_RDONLY);
  } finally {
    closeSync(file);
  }
}

/** A descriptor of its own for what another one stands for, so that each can be closed for itself. */
function reopen(descriptor: number, flags: number): number {
  return openSync(`/proc/self/fd/${descriptor}`, flags);
}

async function fill(): Promise<void> {
  try {
    const folder = mkdtempSync(join(tmpdir(), "hermes-pipes-"));
    try {
      const names = Array.from({ length: BATCH }, (_, index) => join(folder, String(index)));
      await promisify(execFile)("mkfifo", ["-m", "600", ...names]);
      for (const name of names) spare.push(openSync(name, O_RDWR | O_NONBLOCK));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch {
    // No mkfifo, no temporary folder that can be written, no descriptors left: scripts run all the same, with
    // sockets, and only those notice that open their streams by name.
    possible = spare.length >= 2;
  } finally {
    filling = undefined;
  }
}

function closeAll(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) closeSync(descriptor);
}
