/** The terminal of a conversation: what is drawn on, and the keys that are typed. */
import { StringDecoder } from "node:string_decoder";
import type { WriteStream } from "node:tty";
import { StdinBuffer } from "@earendil-works/pi-tui/dist/stdin-buffer.js";
import { readTyped, readWaiting } from "#allowlist/terminal-lines";
import { divertStdout } from "#core/stdout";
import { drawThrough, type ScreenPrinter } from "#core/terminal-screen";
import { TerminalFilter } from "#core/terminal-text";
import type { ScreenDevice } from "./live-screen.ts";

const PASTE_ON = "\u001b[?2004h";
const PASTE_OFF = "\u001b[?2004l";
/** Set by terminals that are known to break every line again. */
const REFLOWING = ["VTE_VERSION", "KITTY_WINDOW_ID", "ALACRITTY_WINDOW_ID", "WEZTERM_PANE"];
/** How long the rest of an escape sequence may take: over a network its bytes come apart. */
const ESCAPE_MS = 50;
const ESCAPE_NETWORK_MS = 200;

/** A terminal that is drawn on; what the rest of the process writes to it goes to `print` until the undo is called. */
export function openDevice(output: WriteStream): ScreenDevice & { capture(print: ScreenPrinter): () => void } {
  const write = output.write.bind(output);
  return {
    write: (text) => void write(text),
    get columns() {
      return output.columns || 80;
    },
    get rows() {
      return output.rows || 24;
    },
    // xterm cuts lines when it becomes narrower; it is the one that sets this variable.
    reflows: process.env["XTERM_VERSION"] === undefined && process.env["TERM"] !== "linux",
    // Others, as xterm.js, leave that line to the program. A row too few stays on the screen, one too many would be lost.
    reflowsCursorLine: REFLOWING.some((name) => process.env[name] !== undefined),
    capture: (print) => capture(print),
  };
}

/** Sends everything that this process writes to the terminal to `print`, also what plugins write by themselves. */
function capture(print: ScreenPrinter): () => void {
  const filter = new TerminalFilter();
  const undo = [drawThrough(print)];
  if (process.stdout.isTTY) undo.push(divertStdout((text) => (print(filter.take(text), "stdout"), true)));
  if (process.stderr.isTTY) undo.push(replaceWrite(process.stderr, (text) => print(filter.take(text), "stderr")));
  return () => {
    for (const back of undo.toReversed()) back();
  };
}

type Written = (error?: Error | null) => void;

function replaceWrite(stream: WriteStream, take: (text: string) => void): () => void {
  // oxlint-disable-next-line typescript/unbound-method -- kept unbound, so that the undo restores exactly this function
  const original = stream.write;
  const replaced = (chunk: string | Uint8Array, encoding?: BufferEncoding | Written, callback?: Written): boolean => {
    take(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
    const written = typeof encoding === "function" ? encoding : callback;
    if (written !== undefined) process.nextTick(written);
    return true;
  };
  stream.write = replaced;
  return () => {
    if (stream.write === replaced) stream.write = original;
  };
}

export interface Keyboard {
  /** Reads what was typed until now, as keys. */
  drain(): void;
  /** Gives the keys back to the terminal: it echoes them and makes signals of Ctrl+C and Ctrl+Z. */
  pause(): void;
  resume(): void;
  close(): void;
}

/**
 * Reads keys: each call of `onKey` is one key as the terminal sends it, or one paste between its brackets. `onEnd` is
 * called when the terminal is gone.
 */
export function openKeyboard(
  device: Pick<ScreenDevice, "write">,
  onKey: (key: string) => void,
  onEnd: () => void,
): Keyboard {
  const { stdin } = process;
  const decoder = new StringDecoder("utf8");
  const isRemote = process.env["SSH_CONNECTION"] !== undefined;
  const keys = new StdinBuffer({ escapeTimeout: isRemote ? ESCAPE_NETWORK_MS : ESCAPE_MS });
  /** What was typed before the keys were read, until somebody listens. */
  let early: string | undefined;
  const take = (chunk: Buffer | string) => {
    const text = typeof chunk === "string" ? chunk : decoder.write(chunk);
    if (early === undefined) keys.process(text);
    else early += text;
  };
  const restore = () => {
    if (!stdin.isRaw) return;
    stdin.setRawMode(false);
    device.write(PASTE_OFF);
  };
  keys.on("data", onKey);
  keys.on("paste", (text) => onKey(`\u001b[200~${text}\u001b[201~`));

  const keyboard: Keyboard = {
    drain: () => take(readWaiting(stdin.fd)),
    resume() {
      // What was typed before came through the terminal's line mode, which turns Enter into Ctrl+J.
      early = readTyped(stdin).replaceAll("\n", "\r");
      stdin.on("data", take);
      stdin.resume();
      setImmediate(() => {
        const typed = early ?? "";
        early = undefined;
        if (typed !== "") keys.process(typed);
      });
      device.write(PASTE_ON);
    },
    pause() {
      stdin.off("data", take);
      stdin.pause();
      restore();
    },
    close() {
      keyboard.pause();
      keys.destroy();
      stdin.off("end", onEnd);
      process.off("exit", restore);
    },
  };
  stdin.once("end", onEnd);
  process.on("exit", restore);
  keyboard.resume();
  return keyboard;
}
