/** Frames for a reader that may stop reading: a daemon neither waits for it nor keeps everything for it. */
import type { Frame } from "#core/frames";
import type { Log } from "#core/home/log";

export interface BoundedFramesOptions {
  readonly show: (frame: Frame) => void;
  /** The bytes that the reader has not taken. */
  readonly unread: () => number;
  readonly log: Pick<Log, "warn">;
}

/** What the reader of standard output may leave unread, in bytes; the same as a client of `attach`. */
export const MOST_UNREAD = 16 * 1024 * 1024;

/**
 * Shows frames, and leaves out those that come while {@link MOST_UNREAD} are unread. The log says when that begins, and
 * how many there were when it is over.
 */
export function boundFrames({ show, unread, log }: BoundedFramesOptions): (frame: Frame) => void {
  let omitted = 0;
  return (frame) => {
    if (unread() > MOST_UNREAD) {
      if (omitted++ === 0) log.warn("standard output is not read: frames are left out");
      return;
    }
    if (omitted > 0) log.warn("standard output is read again", { omitted });
    omitted = 0;
    show(frame);
  };
}
