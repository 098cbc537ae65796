/**
 * A question takes the line that is typed on only when nobody has typed for a moment: who types while it appears means
 * the draft. An answer that was begun and sent after it was on the screen is one at once, though.
 */

/** How long nobody types until the question takes the line. */
const QUIET_MS = 300;
/** `yes`, or the number of a choice; a message to the model is longer. */
const LONGEST_ANSWER = 3;

/** Calls `run` after this time and after whatever was typed until then. Returns what prevents it. */
export type Later = (ms: number, run: () => void) => () => void;

export interface QuietMomentOptions {
  /** True when nothing is typed on the line: what is typed from now on may answer the question. */
  readonly isEmpty: boolean;
  /** The question takes the line. */
  readonly over: () => void;
  readonly later?: Later | undefined;
}

export class QuietMoment {
  readonly #over: () => void;
  readonly #later: Later;
  readonly #isFresh: boolean;
  #cancel: () => void = () => undefined;
  #isOver = false;

  /** Begins when the question has been drawn, and what was typed before that was read. */
  constructor({ isEmpty, over, later = afterKeys }: QuietMomentOptions) {
    this.#later = later;
    this.#over = over;
    this.#isFresh = isEmpty;
    this.#wait();
  }

  /** A key was typed. */
  typed(): void {
    if (!this.#isOver) this.#wait();
  }

  /** True when Enter makes an answer of what is on the line, although the question does not have it yet. */
  isAnswer(text: string): boolean {
    const { length } = text.trim();
    return !this.#isOver && this.#isFresh && length > 0 && length <= LONGEST_ANSWER;
  }

  cancel(): void {
    this.#isOver = true;
    this.#cancel();
  }

  #wait(): void {
    this.#cancel();
    this.#cancel = this.#later(QUIET_MS, () => {
      this.#isOver = true;
      this.#over();
    });
  }
}

/** A process that was busy may have keys to read when its timers are due: they come first. */
export const afterKeys: Later = (ms, run) => {
  let immediate: NodeJS.Immediate | undefined;
  const next = (callback: () => void) => void (immediate = setImmediate(callback));
  const timer = setTimeout(() => next(() => next(run)), ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
};
