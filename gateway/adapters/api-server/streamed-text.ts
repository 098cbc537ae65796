/** Decides which text of a turn a stream shows; the shown text always ends with the answer. */
import type { Frame } from "#core/frames";

export interface StreamedWords {
  /** Shows the text that the frame adds, if any. */
  take(frame: Frame): void;
  /** Shows the rest of the answer. */
  finish(answer: string): void;
}

/**
 * Shows the model's text as it arrives. Text before a tool call is part of the stream, followed by a blank line. An
 * answer that differs from the streamed text (because a hook replaced it) is shown as a whole afterwards. Without
 * `live`, nothing is shown before the answer, because hooks may replace it.
 */
export function streamWords(show: (text: string) => void, live: boolean): StreamedWords {
  /** The text shown since the last tool call. */
  let current = "";
  /** True when text was shown before that. */
  let after = false;

  function add(text: string): void {
    if (text === "") return;
    show(current === "" && after ? `\n\n${text}` : text);
    current += text;
  }

  function breakOff(): void {
    after ||= current !== "";
    current = "";
  }

  return {
    take(frame) {
      if (!live) return;
      if (frame.type === "text") add(frame.delta);
      if (frame.type === "tool_use" || frame.type === "injected") breakOff();
    },
    finish(answer) {
      if (answer.startsWith(current)) return add(answer.slice(current.length));
      breakOff();
      add(answer);
    },
  };
}
