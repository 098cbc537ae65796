/**
 * The transport to a server that runs as a process here. The SDK's own one would not end the processes that a server
 * has started, nor the server after this process was killed.
 */
import type { Socket } from "node:net";
import { deserializeMessage, serializeMessage } from "@modelcontextprotocol/sdk/shared/stdio.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import type { Wall } from "#core/ports/wall";
import { truncate } from "#core/truncate";
import { launch, type Launched } from "#sandbox/process/launch";
import { OPEN } from "#sandbox/process/pipes";
import { drained, KILL_GRACE_MS } from "#sandbox/process/run";
import { readLines } from "./line-reader.ts";

export interface StdioOptions {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The complete environment of the server. */
  readonly env: NodeJS.ProcessEnv;
  readonly wall: Wall | undefined;
  /** Takes a line of the server that isn't a message: of standard error, or a banner. */
  readonly onText: (line: string) => void;
}

/** Bytes of one message: a larger one ends the server. */
const MOST_MESSAGE_BYTES = 32 * 1024 * 1024;
const MOST_LINE_BYTES = 1024 * 1024;
const LONGEST_TEXT = 400;
/** How long a server has to end by itself when its standard input is closed, by us or by itself. */
const FAREWELL_MS = 200;

/** A message that its receiver has not got, so that it can be sent again. */
export class UnsentError extends Error {}

/** One process: it is started once, and closed or ended once. */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Why it ended, as a clause about the server; null while it runs. */
  ending: string | null = null;
  /** Bytes of messages that were sent to it so far. */
  bytesSent = 0;
  /** How many of them it has read; known at its end. */
  bytesRead: number | null = null;
  readonly #options: StdioOptions;
  #launched: Launched | undefined;
  #gone: Promise<void> = Promise.resolve();
  #exited = false;
  readonly #writing = new Set<Promise<boolean>>();
  /** How many bytes were sent before the first message that could not be written. */
  #lostFrom = Number.POSITIVE_INFINITY;
  /** The last line that was no message: usually the reason for an early end. */
  #lastText = "";

  constructor(options: StdioOptions) {
    this.#options = options;
  }

  /** Starts the process. Rejects with a clause when it cannot be started. */
  async start(): Promise<void> {
    const { argv, cwd, env, wall } = this.#options;
    const launched = await launch({ argv, cwd, env, wall, stdin: OPEN, leftovers: "kill" });
    if ("problem" in launched) {
      this.ending = launched.problem;
      throw new Error(launched.problem);
    }
    this.#launched = launched;
    const { child, stdin, stdout, stderr } = launched.start;
    const overflow = () => this.#stop(`it wrote a message of more than ${MOST_MESSAGE_BYTES / 1024 / 1024} MiB`);
    const take = readLines({
      longest: MOST_MESSAGE_BYTES,
      onLine: (line) => this.#takeLine(line),
      onOverflow: overflow,
    });
    const takeError = readLines({
      longest: MOST_LINE_BYTES,
      onLine: (line) => this.#takeText(line),
      onOverflow: () => this.#takeText("[a line of more than 1 MiB; what follows is not shown]"),
    });
    // What breaks while it is read or written shows in the end of the process.
    stdout?.on("data", take).on("error", () => undefined);
    stderr?.on("data", takeError).on("error", () => undefined);
    // Most have exited, and their exit code says more.
    stdin?.on("error", () => void setTimeout(() => this.#stop("it closed its standard input"), FAREWELL_MS));
    this.#gone = this.#watch(launched);
    // The timers of calls keep this process running, its servers do not.
    child.unref();
    for (const stream of [stdin, stdout, stderr]) (stream as Socket | null)?.unref();
  }

  /** Rejects with an {@link UnsentError} when the process cannot have read the whole message. */
  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#launched?.start.stdin;
    if (this.ending !== null || !stdin) throw new UnsentError(this.ending ?? "it was not started");
    const text = serializeMessage(message);
    const before = this.bytesSent;
    this.bytesSent += Buffer.byteLength(text);
    const writing = new Promise<boolean>((resolve) => stdin.write(text, (error) => resolve(!error)));
    this.#writing.add(writing);
    const isSent = await writing;
    this.#writing.delete(writing);
    if (isSent) return;
    this.#lostFrom = Math.min(this.#lostFrom, before);
    // Its end says why.
    await this.#gone;
    throw new UnsentError(this.ending ?? "it takes no messages");
  }

  /** Closes its standard input, and kills it and its children if it does not end by itself. Never rejects. */
  async close(): Promise<void> {
    if (this.#launched === undefined) return;
    const { start, running } = this.#launched;
    this.ending ??= "it was ended";
    start.child.ref();
    start.stdin?.destroy();
    const timer = setTimeout(() => running.terminate(KILL_GRACE_MS), FAREWELL_MS);
    await this.#gone;
    clearTimeout(timer);
  }

  /** What it wrote last that was no message, for a person; empty if there is nothing. */
  get lastText(): string {
    return this.#lastText;
  }

  #takeLine(line: string): void {
    if (line.trim() === "") return;
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(line);
    } catch {
      // A banner, or what a library of the server printed.
      return this.#takeText(line);
    }
    this.onmessage?.(message);
  }

  #takeText(line: string): void {
    const text = truncate(line.trim(), LONGEST_TEXT);
    if (text === "") return;
    this.#lastText = text;
    this.#options.onText(text);
  }

  #stop(why: string): void {
    if (this.ending !== null || this.#exited) return;
    this.ending = why;
    this.#launched?.running.terminate(KILL_GRACE_MS);
  }

  async #watch({ start, running }: Launched): Promise<void> {
    const { child, stdin, stdout, stderr, takeUnread } = start;
    const closed = [stdout, stderr].map(
      (stream) => new Promise<void>((resolve) => (stream === null ? resolve() : stream.once("close", () => resolve()))),
    );
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      child.once("exit", (...how) => resolve(how));
    });
    this.#exited = true;
    const read = this.bytesSent - takeUnread();
    running.ended();
    // An answer that it gave right before its end is still in the pipe.
    await drained(closed);
    this.ending ??= signal === null ? `it exited with code ${code}` : `it was killed by ${signal}`;
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    await Promise.all(this.#writing);
    this.bytesRead = Math.min(read, this.#lostFrom);
    this.onclose?.();
  }
}
