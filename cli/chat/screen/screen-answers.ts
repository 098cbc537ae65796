/** Shows answers on the screen while they arrive: rendered, or as they are with `--no-render`. */
import { wrapTextWithAnsi } from "@earendil-works/pi-tui/dist/utils.js";
import { TerminalFilter } from "#core/terminal-text";
import type { CliContext } from "../../context.ts";
import { plainAnswers, type AnswerOutput, type Renderer } from "../renderers.ts";
import type { AnswerView } from "./answer-view.ts";
import type { ChatScreen } from "./chat-screen.ts";

export interface ScreenAnswers extends AnswerOutput {
  /** Loads what rendering needs, which takes as long as a third of a start; to be awaited before the first answer. */
  prepare(): Promise<void>;
}

/**
 * Answers for a screen. With `renders`, their Markdown is rendered, where standard output is this terminal; otherwise
 * they go to standard output as they are. Reasoning is wrapped at words and faint in any case.
 */
export function screenAnswers(screen: ChatScreen, context: CliContext, renders: boolean): ScreenAnswers {
  const plain = plainAnswers(context);
  const thoughts = new Thoughts(screen);
  const isRendered = renders && process.stdout.isTTY;
  let view: AnswerView | undefined;
  const end = () => (view === undefined ? plain.end() : view.finish());
  return {
    async prepare() {
      if (!isRendered || view !== undefined) return;
      const { openAnswerView } = await import("./answer-view.ts");
      view ??= openAnswerView(screen);
    },
    words(text) {
      thoughts.end();
      if (view === undefined) plain.words(text);
      else view.add(text);
    },
    thoughts(text) {
      end();
      thoughts.add(text);
    },
    end() {
      thoughts.end();
      end();
    },
  };
}

/** The model's reasoning: its last rows while it arrives, all of it when it is complete. */
class Thoughts {
  readonly #screen: ChatScreen;
  readonly #filter = new TerminalFilter();
  #text = "";

  constructor(screen: ChatScreen) {
    this.#screen = screen;
  }

  add(delta: string): void {
    const text = this.#filter.take(delta);
    const lines = (this.#text === "" ? text.trimStart() : text).split("\n");
    this.#text += lines.map(this.#screen.palette.dim).join("\n");
    this.#screen.setTail((width, height) => this.#rows(width).slice(-height));
  }

  end(): void {
    if (this.#text === "") return;
    const rows = this.#rows(this.#screen.columns);
    this.#screen.setTail(undefined);
    this.#screen.printRows(rows);
    this.#text = "";
  }

  #rows(width: number): string[] {
    return wrapTextWithAnsi(this.#text.trimEnd(), width);
  }
}

/**
 * Keeps the status in step with what `renderer` shows, and parts an answer from the tool calls above it. `visible` says
 * whether a part of an answer is shown at once.
 */
export function withActivity(
  screen: ChatScreen,
  renderer: Renderer,
  visible: () => boolean,
  prepare: () => Promise<void>,
): Renderer {
  let isBelowTool = false;
  return {
    prepare,
    show(frame) {
      const isAnswer = (frame.type === "assistant" && frame.content !== "") || (frame.type === "text" && visible());
      if (isAnswer && isBelowTool) screen.printRows([""]);
      if (isAnswer || frame.type === "tool_result") isBelowTool = !isAnswer;
      screen.activity.show(frame);
      renderer.show(frame);
      screen.refresh();
    },
    progress(progress) {
      screen.activity.progress(progress);
      renderer.progress?.(progress);
    },
    finish() {
      isBelowTool = false;
      renderer.finish();
    },
  };
}
