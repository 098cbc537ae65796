/** Drives a program on a real pseudo-terminal, with `script` of util-linux. */
import { spawn, spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";

/** Generous, as in hermes.ts: a program may have to start before it shows something. */
const SEEN_WITHIN_MS = 60_000;

export interface PtyOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Pty {
  /** Types text as it is; `\r` is Enter, `\x03` Ctrl+C, `\x04` Ctrl+D. */
  type(text: string): void;
  /** Waits until the screen's text since the last match holds this. Rejects with what was seen after `ms`. */
  see(wanted: string | RegExp, ms?: number): Promise<string>;
  /** The exit code of the program. */
  readonly exited: Promise<number>;
  /** Everything that was written to the terminal, without escape sequences of the line editor. */
  output(): string;
  /** Everything that was written to the terminal, unchanged. */
  raw(): string;
  /** Changes the size of the terminal; the program gets SIGWINCH. */
  resize(columns: number, rows: number): void;
  /** The process of the program itself, below `script`. */
  pid(): number | undefined;
  kill(): void;
}

/** A reason to skip tests that need a terminal, or false where there is one. */
export const noPty: string | false =
  spawnSync("script", ["-qfec", "true", "/dev/null"], { stdio: "ignore" }).status === 0
    ? false
    : "there is no `script` of util-linux here";

// eslint-disable-next-line no-control-regex -- escape sequences are what is taken out
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]|\u001b[=>]/g;

export function startOnPty(argv: readonly string[], options: PtyOptions = {}): Pty {
  const command = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = spawn(
    "script",
    ["-qfec", `stty cols ${options.columns ?? 120} rows ${options.rows ?? 40}; exec ${command}`, "/dev/null"],
    {
      env: { ...process.env, TERM: "xterm", ...options.env },
      cwd: options.cwd,
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  // Whoever types while the program ends types into nothing.
  child.stdin.on("error", () => undefined);
  let seen = "";
  let raw = "";
  let position = 0;
  let waiters: (() => void)[] = [];
  const wake = () => {
    const woken = waiters;
    waiters = [];
    for (const check of woken) check();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    raw += text;
    seen += text.replaceAll(ESCAPES, "");
    wake();
  });
  const exited = new Promise<number>((resolve) => {
    child.once("close", (code, signal) => {
      resolve(code ?? (signal === "SIGKILL" ? 137 : 1));
      wake();
    });
  });

  function see(wanted: string | RegExp, ms = SEEN_WITHIN_MS): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`the terminal did not show ${String(wanted)}; it shows:\n${seen.slice(position)}`));
      }, ms);
      const check = () => {
        const rest = seen.slice(position);
        const found = typeof wanted === "string" ? rest.indexOf(wanted) : rest.search(wanted);
        if (found === -1) return void waiters.push(check);
        const length = typeof wanted === "string" ? wanted.length : (wanted.exec(rest)?.[0].length ?? 0);
        position += found + length;
        clearTimeout(timer);
        resolve(rest.slice(0, found + length));
      };
      check();
    });
  }

  return {
    type: (text) => void child.stdin.write(text),
    see,
    exited,
    output: () => seen,
    raw: () => raw,
    resize(columns, rows) {
      const terminal = readlinkSync(`/proc/${childOf(child.pid)}/fd/0`);
      spawnSync("stty", ["-F", terminal, "cols", String(columns), "rows", String(rows)]);
    },
    pid: () => childOf(child.pid),
    kill: () => void child.kill("SIGKILL"),
  };
}

function childOf(pid: number | undefined): number | undefined {
  const { stdout } = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" });
  const child = Number(stdout.trim().split("\n")[0]);
  return child > 0 ? child : undefined;
}
