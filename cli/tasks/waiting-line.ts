import { elapsed } from "#core/age";
import type { CliContext } from "../context.ts";
import { onStopSignal } from "../shutdown.ts";
import { ProgressLine } from "./progress.ts";

/** What is over sooner needs no explanation. */
const PATIENCE_MS = 1000;
const DRAW_MS = 200;

/** Says what a command waits for once it has waited a second. Ctrl+C ends the program after a last sentence. */
export class WaitingLine implements Disposable {
  readonly #line: ProgressLine;
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #unlisten: () => void;
  #what = "";

  constructor(context: CliContext, lastSentence: string) {
    this.#line = new ProgressLine(context);
    this.#timer = setInterval(() => this.#draw(), DRAW_MS);
    this.#unlisten = onStopSignal((code) => {
      this.#line.context.note(lastSentence);
      process.exit(code);
    });
  }

  /** What it waits for from now on: `its turn to end`. */
  isFor(what: string): void {
    this.#what = what;
  }

  #draw(): void {
    const waited = performance.now() - this.#started;
    if (waited < PATIENCE_MS || this.#what === "") return;
    const text = `waiting for ${this.#what}`;
    this.#line.show(`${text} ${elapsed(Math.floor(waited / 1000))}`, text);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#unlisten();
    this.#line[Symbol.dispose]();
  }
}
