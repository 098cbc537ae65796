/** A log of failures that come in crowds: one line a minute, with the number of those that it stands for. */
const ERROR_INTERVAL_MS = 60_000;

export interface RareLogOptions {
  readonly write: (sentence: string) => void;
  /** A clock that never jumps, in milliseconds. */
  readonly now?: () => number;
}

/** Gives a function that writes a sentence, or counts it when one was written less than a minute ago. */
export function createRareLog({ write, now = () => performance.now() }: RareLogOptions): (sentence: string) => void {
  let writtenAt = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (sentence) => {
    const moment = now();
    if (moment - writtenAt < ERROR_INTERVAL_MS) {
      suppressed++;
      return;
    }
    write(suppressed === 0 ? sentence : `${sentence} (${suppressed} similar errors suppressed)`);
    writtenAt = moment;
    suppressed = 0;
  };
}
