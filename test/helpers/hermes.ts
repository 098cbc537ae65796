/** Starts the real program in a home of its own. */
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { schemaFor } from "./shared-database.ts";
import { startOnPty, type Pty } from "./pty.ts";

export const ROOT = resolve(import.meta.dirname, "../..");
export const BIN = join(ROOT, "cli/bin.js");
/** Generous: a start takes a second of processor time, of which a busy machine gives little. */
const SEEN_WITHIN_MS = 60_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Standard output so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when standard output (or error) holds the text. */
  sees(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

export interface HomeOptions {
  /** `embedded` for a test of what is in `state.db`: it keeps it, also when the tests run with a database. */
  readonly storage?: "embedded" | undefined;
}

/** A temporary home, its working folder, and the program to run in it; both are removed after the test. */
export class Home {
  readonly path: string;
  /** The folder that the program runs in, and `$HOME`. */
  readonly work: string;
  readonly #root: string;
  /** Where its tasks are stored when the tests run with a database. */
  readonly #database: NodeJS.ProcessEnv;

  constructor(t: Pick<TestContext, "after">, { storage }: HomeOptions = {}) {
    this.#database = storage === "embedded" ? {} : schemaFor(t);
    this.#root = mkdtempSync(join(tmpdir(), "hermes-test-"));
    this.path = join(this.#root, ".hermes");
    this.work = join(this.#root, "work");
    mkdirSync(this.path, { mode: 0o700 });
    mkdirSync(this.work);
    t.after(() => rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 }));
  }

  /** Writes a file of the home; the path is relative to it. */
  write(path: string, text: string, mode?: number): string {
    const file = join(this.path, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (mode !== undefined) chmodSync(file, mode);
    return file;
  }

  /** Writes an executable script below `agent-hooks/`; gives its path. */
  script(name: string, text: string): string {
    return this.write(join("agent-hooks", name), text.startsWith("#!") ? text : `#!/bin/sh\n${text}`, 0o755);
  }

  /** Writes a plugin and enables nothing. `entry` is the text of its index file. */
  plugin(name: string, entry: string, options: { file?: string; manifest?: string } = {}): void {
    this.write(join("plugins", name, "plugin.yaml"), options.manifest ?? `name: ${name}\n`);
    this.write(join("plugins", name, options.file ?? "index.ts"), entry);
  }

  read(path: string): string {
    return readFileSync(join(this.path, path), "utf8");
  }

  has(path: string): boolean {
    return existsSync(join(this.path, path));
  }

  env(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      HOME: this.#root,
      HERMES_HOME: this.path,
      NO_COLOR: "1",
      ...this.#database,
      ...extra,
    };
    const vendors = ["OPENAI", "ANTHROPIC", "OPENROUTER"].flatMap((name) => [`${name}_API_KEY`, `${name}_BASE_URL`]);
    for (const name of [...vendors, "HERMES_ACCEPT_HOOKS"]) {
      if (!(name in extra)) delete env[name];
    }
    // The program fills a cache of its own, in the repository instead of the test's home: starts stay quick.
    delete env["NODE_COMPILE_CACHE"];
    env["XDG_CACHE_HOME"] = join(ROOT, "node_modules/.cache");
    return env;
  }

  /** Starts `hermes ARGS`; standard input is `input`, or empty. */
  start(args: readonly string[], options: StartOptions = {}): Running {
    const child = spawn(process.execPath, [BIN, ...args], {
      cwd: options.cwd ?? this.work,
      env: this.env(options.env),
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    let watchers: (() => void)[] = [];
    const grown = () => {
      const woken = watchers;
      watchers = [];
      for (const check of woken) check();
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      grown();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      grown();
    });
    // A program that ends without reading its input is no failure of the test's.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    const ended = new Promise<Ended>((resolveEnd) => {
      child.once("close", (code, signal) => {
        resolveEnd({ code, signal, stdout, stderr });
        grown();
      });
    });
    return {
      pid: child.pid ?? 0,
      ended,
      stdout: () => stdout,
      stderr: () => stderr,
      sees: (text) =>
        new Promise((found, lost) => {
          const timer = setTimeout(
            () => lost(new Error(`never saw ${text}; stdout:\n${stdout}\nstderr:\n${stderr}`)),
            SEEN_WITHIN_MS,
          );
          const check = () => {
            if (!stdout.includes(text) && !stderr.includes(text)) return void watchers.push(check);
            clearTimeout(timer);
            found();
          };
          check();
        }),
      kill: (signal) => void child.kill(signal),
    };
  }

  /** Runs `hermes ARGS` to its end. */
  run(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Runs `hermes ARGS` on a pseudo-terminal. */
  terminal(
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    options: { readonly columns?: number; readonly rows?: number; readonly cwd?: string } = {},
  ): Pty {
    return startOnPty([process.execPath, BIN, ...args], { env: this.env(env), cwd: this.work, ...options });
  }
}

/** The JSON lines of a `stream-json` run. */
export function framesOf({ stdout }: Pick<Ended, "stdout">): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
