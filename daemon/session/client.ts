/** The other side of the socket: what commands say to a session that stays. */
import { createConnection, type Socket } from "node:net";
import { HermesError, problemOf } from "#core/errors";
import { MOST_QUEUED } from "#core/ports/inbox";
import { LineSplitter } from "./lines.ts";
import type { DaemonEntry } from "./place.ts";
import type { DaemonAnswer, DaemonRequest } from "./wire.ts";

/** A frame is longer than any request, by what a tool may return. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

export class DaemonClient implements Disposable {
  readonly #name: string;
  readonly #socket: Socket;
  readonly #answers: DaemonAnswer[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  #problem: string | undefined;

  private constructor(name: string, socket: Socket) {
    this.#name = name;
    this.#socket = socket;
    const splitter = new LineSplitter({
      mostBytes: LONGEST_ANSWER,
      onLine: (line) => this.#take(line),
      onTooLong: () => socket.destroy(new Error("an answer was too long")),
    });
    socket.on("data", (chunk: Buffer) => splitter.push(chunk));
    socket.on("error", (error) => (this.#problem = problemOf(error)));
    socket.once("close", () => {
      this.#isClosed = true;
      this.#wake?.();
    });
  }

  /** Connects to a session. Throws HERMES_DAEMON_ANSWER. */
  static async connect({ name, socket: path }: Pick<DaemonEntry, "name" | "socket">): Promise<DaemonClient> {
    const socket = createConnection(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", (error) => {
        reject(new HermesError("HERMES_DAEMON_ANSWER", { name, problem: problemOf(error) }, { cause: error }));
      });
    });
    return new DaemonClient(name, socket);
  }

  say(request: DaemonRequest): void {
    this.#socket.write(`${JSON.stringify(request)}\n`);
  }

  /** The next answer; undefined when the session has closed the connection. */
  async next(): Promise<DaemonAnswer | undefined> {
    while (this.#answers.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#answers.shift();
  }

  /** The next answer, which must be of this type. Throws HERMES_DAEMON_ANSWER, and what the session refused with. */
  async expect<Type extends DaemonAnswer["type"]>(type: Type): Promise<Extract<DaemonAnswer, { type: Type }>> {
    const answer = await this.next();
    if (answer?.type === type) return answer as Extract<DaemonAnswer, { type: Type }>;
    if (answer?.type === "refused") throw refusal(this.#name, answer);
    const problem = this.#problem ?? (answer === undefined ? "it has closed the connection" : "it said something else");
    throw new HermesError("HERMES_DAEMON_ANSWER", { name: this.#name, problem });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #take(line: string): void {
    try {
      this.#answers.push(JSON.parse(line) as DaemonAnswer);
    } catch (error) {
      this.#problem = problemOf(error);
      this.#socket.destroy();
    }
    this.#wake?.();
  }
}

function refusal(name: string, { code, problem }: Extract<DaemonAnswer, { type: "refused" }>): HermesError {
  return code === "HERMES_INBOX_FULL"
    ? new HermesError("HERMES_INBOX_FULL", { name, most: MOST_QUEUED })
    : new HermesError("HERMES_DAEMON_ANSWER", { name, problem });
}
