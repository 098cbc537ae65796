/** What a conversation needs of the line that the user types on, whichever terminal it is on. */

/** Shows a prompt and returns the line that is typed. Rejects when the signal aborts. */
export type ReadAnswer = (prompt: string, signal: AbortSignal) => Promise<string>;

export interface InputLine {
  /** Shows the prompt for the next message. */
  prompt(): void;
  /** Called when a message is taken up: it becomes part of the output, and what is typed from now on is a draft. */
  begin(text: string): void;
  /** Asks a question during a turn. Rejects with HERMES_INTERRUPTED when `signal` aborts or the line is closed. */
  readonly answer: ReadAnswer;
  /** Called with each message. */
  onMessage(listener: (text: string) => void): void;
  /** Called for Ctrl+C. */
  onInterrupt(listener: () => void): void;
  /** Called for Esc, where the terminal tells it from other keys. */
  onEscape(listener: () => void): void;
  /** Called for Ctrl+D on an empty line, and when the terminal is gone. */
  onEnd(listener: () => void): void;
  /** The messages that wait for the turn that runs. */
  showQueued(messages: readonly string[]): void;
  /** Puts messages that were not sent back on the line, before what is typed on it. False where that is impossible. */
  putBack(messages: readonly string[]): boolean;
  close(): void;
}
