/** What a person sees while a command waits: one line of the terminal, redrawn in place and gone at the end. */
import { canRedraw, redrawLine } from "#core/stderr";
import type { CliContext } from "../context.ts";
import { fitLine } from "../text-width.ts";

const DEFAULT_WIDTH = 80;

/** A line below the output. On a terminal that cannot redraw it is printed when it changes, elsewhere never. */
export class ProgressLine implements Disposable {
  /** The context to print with meanwhile: it makes room for what it prints. */
  readonly context: CliContext;
  readonly #plain: Pick<CliContext, "faint">;
  readonly #redraws = canRedraw();
  #shown = "";
  /** True while the last line of output is not complete: nothing can be drawn below it. */
  #isOpen = false;

  constructor(context: CliContext) {
    this.#plain = context;
    this.context = this.#redraws ? this.#makingRoom(context) : context;
  }

  /** Shows a text instead of the last one. `state` is the part of it that is printed where lines cannot be redrawn. */
  show(text: string, state: string): void {
    if (this.#redraws) this.#draw(text);
    else if (process.stderr.isTTY && state !== this.#shown) {
      this.#plain.faint(state);
      this.#shown = state;
    }
  }

  /** Removes the line. */
  clear(): void {
    if (this.#redraws) this.#draw("");
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  #draw(text: string): void {
    const line = fitLine(text, (process.stderr.columns || DEFAULT_WIDTH) - 1);
    if (this.#isOpen || line === this.#shown) return;
    redrawLine(line);
    this.#shown = line;
  }

  #makingRoom(context: CliContext): CliContext {
    const isShown = process.stdout.isTTY;
    const before =
      (print: (text: string) => void, on: { readonly terminal: boolean; readonly ends?: true }) => (text: string) => {
        if (text !== "" || on.ends) this.clear();
        print(text);
        if (on.terminal && (text !== "" || on.ends)) this.#isOpen = on.ends !== true && !text.endsWith("\n");
      };
    return {
      ...context,
      write: before(context.write, { terminal: isShown }),
      out: before(context.out, { terminal: isShown, ends: true }),
      note: before(context.note, { terminal: true, ends: true }),
      faint: before(context.faint, { terminal: true, ends: true }),
      faintPart: before(context.faintPart, { terminal: true }),
      styled: (lines) => before(() => context.styled(lines), { terminal: true, ends: true })("\n"),
    };
  }
}
