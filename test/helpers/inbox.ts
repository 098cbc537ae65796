/** What adapters get of a gateway, without one: an inbox that notes what comes and answers as a test says. */
import type { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import type { InboundMessage, Inbox, Reply } from "#core/ports/platform";

export interface Received {
  readonly message: InboundMessage;
  readonly reply: Reply | undefined;
}

export type Answering = (received: Received) => Promise<void> | void;

/** An inbox whose answers `answering` gives; without it every message is answered with its own text. */
export class TestInbox implements Inbox {
  readonly received: Received[] = [];
  answering: Answering;
  open = true;
  moved?: (from: string, to: string) => void;
  #watchers: (() => void)[] = [];

  constructor(answering: Answering = ({ message, reply }) => end(reply, `you said: ${message.text}`)) {
    this.answering = answering;
  }

  async receive(message: InboundMessage, reply?: Reply): Promise<void> {
    const received = { message, reply };
    this.received.push(received);
    for (const wake of this.#watchers.splice(0)) wake();
    await this.answering(received);
  }

  isOpen(): boolean {
    return this.open;
  }

  /** Resolves when that many messages have come. */
  async count(most: number): Promise<readonly Received[]> {
    while (this.received.length < most) await new Promise<void>((wake) => this.#watchers.push(wake));
    return this.received;
  }

  get texts(): readonly string[] {
    return this.received.map(({ message }) => message.text);
  }
}

export function end(reply: Reply | undefined, text: string | null, problem: HermesError | null = null): void {
  reply?.onEnd({ text, problem });
}

export const SESSION = "20261121_090000_abcdef";

/** The frames of a turn: the body of each without its session, in order. */
export function show(reply: Reply | undefined, ...frames: readonly Record<string, unknown>[]): void {
  for (const frame of frames) reply?.onFrame?.({ session_id: SESSION, ...frame } as unknown as Frame);
}

export const OPENING = { type: "session", model: "test-model", platform: "api_server", resumed: false };
export const COST = { type: "cost", input_tokens: 7, output_tokens: 3 };

/** Notes what is logged, as text with everything that the line carries. */
export function noteLog() {
  const lines: string[] = [];
  const at = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message}${fields === undefined ? "" : ` ${JSON.stringify(fields)}`}`);
  const log = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => log,
  };
  return { lines, log };
}
