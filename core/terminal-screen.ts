/**
 * Who draws on the terminal. A screen that keeps lines below the output, such as the line that a user types on, takes
 * everything that is meant for the terminal and puts it above them.
 */

/** Takes text without control characters other than newline and tab; it may have colours. */
export type ScreenPrinter = (text: string, stream: "stdout" | "stderr") => void;

let printer: ScreenPrinter | undefined;

/** From now on text for the terminal goes to `print`. Returns the undo. One screen at a time. */
export function drawThrough(print: ScreenPrinter): () => void {
  printer = print;
  return () => {
    if (printer === print) printer = undefined;
  };
}

/** The screen that draws on the terminal now, or undefined. */
export function screenPrinter(): ScreenPrinter | undefined {
  return printer;
}
