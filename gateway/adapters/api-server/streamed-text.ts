/** Which words of a turn a stream shows, so that what it showed always ends with the answer. */
import type { Frame } from "#core/frames";

export interface StreamedWords {
  /** Shows what the frame adds to the answer, if anything. */
  take(frame: Frame): void;
  /** Shows what the stream still lacks of the answer. */
  finish(answer: string): void;
}

/**
 * The model's words are shown as they come. What it says before it calls a tool is part of the stream, and a blank
 * line stands before what it says next. An answer that is not what was streamed (a hook replaced it after all)
 * follows as a whole. Without `live`, nothing is shown before the answer: hooks that may replace it see it first.
 */
export function streamWords(show: (text: string) => void, live: boolean): StreamedWords {
  /** What was shown of the words since the last tool call. */
  let current = "";
  /** True when something was shown before these words. */
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
