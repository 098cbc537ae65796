/** Reasoning that a server leaves in the text, between `<think>` and `</think>` at the start of an answer. */

const OPEN = "<think>";
const CLOSE = "</think>";

export interface SplitText {
  readonly reasoning: string;
  readonly content: string;
}

/** Takes the text of an answer in pieces. Tags later in the text are text: the model may be talking about them. */
export class ThinkTags {
  #state: "start" | "thinking" | "after" | "text" = "start";
  #held = "";

  take(piece: string): SplitText {
    this.#held += piece;
    this.#open();
    const reasoning = this.#think();
    return { reasoning, content: this.#speak() };
  }

  /** What is still held when the answer ends. */
  end(): SplitText {
    const rest = this.#held;
    this.#held = "";
    return this.#state === "thinking" ? { reasoning: rest, content: "" } : { reasoning: "", content: rest };
  }

  /** Decides whether the answer begins with the tag, unless it is too short. */
  #open(): void {
    if (this.#state !== "start") return;
    const begun = this.#held.trimStart();
    if (begun.startsWith(OPEN)) {
      this.#held = begun.slice(OPEN.length);
      this.#state = "thinking";
    } else if (!OPEN.startsWith(begun)) this.#state = "text";
  }

  /** The text up to the closing tag, or up to what may be its beginning. */
  #think(): string {
    if (this.#state !== "thinking") return "";
    const close = this.#held.indexOf(CLOSE);
    if (close !== -1) {
      const reasoning = this.#held.slice(0, close);
      this.#held = this.#held.slice(close + CLOSE.length);
      this.#state = "after";
      return reasoning;
    }
    const length = this.#held.length - overlap(this.#held, CLOSE);
    const reasoning = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return reasoning;
  }

  /** The text outside; the blank lines after the closing tag belong to the tag. */
  #speak(): string {
    if (this.#state !== "after" && this.#state !== "text") return "";
    const content = this.#state === "after" ? this.#held.trimStart() : this.#held;
    if (content !== "") this.#state = "text";
    this.#held = "";
    return content;
  }
}

/** How many characters at the end of `text` are the beginning of `tag`. */
function overlap(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}
