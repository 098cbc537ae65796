/** Starts a child in its own process group, or says why it cannot be started. */
import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { constants, existsSync } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { windowsLineEndings } from "#core/line-endings";
import { takePipes, type Input, type Pipes } from "./pipes.ts";

export interface Started {
  readonly child: ChildProcess;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Takes the input that the child has left unread at its end, and counts its bytes; 0 where that cannot be told. */
  readonly takeUnread: () => number;
}

export type Start = Started | { readonly problem: string };

/** What to start; `run.ts` applies the limits. */
export interface StartOptions {
  readonly argv: readonly [string, ...string[]];
  /** The child's `argv[0]`; the first of `argv` when absent. */
  readonly argv0?: string;
  readonly cwd: string;
  /** The complete environment of the child; only the run's marker is added. */
  readonly env: NodeJS.ProcessEnv;
  /** Written to standard input, a string as UTF-8; `OPEN` stays open for writing; standard input is empty when absent. */
  readonly stdin?: Input;
}

/** Never rejects. The problem is a clause such as `not found: ./guard.sh`. */
export async function startChild(options: StartOptions): Promise<Start> {
  const bad = findBadWord(options);
  if (bad !== null) return { problem: bad };
  // Slow the first time only.
  const pipes = await takePipes(options.stdin);
  try {
    const child = spawnDetached(options, pipes);
    // Without a pid it was not started, and says why in its next turn.
    if (child.pid === undefined) throw await errorOf(child);
    return { child, ...streamsOf(child, pipes) };
  } catch (error) {
    destroy(pipes);
    const { code = "", message } = error as NodeJS.ErrnoException;
    return { problem: await describeStartFailure(code, message, options) };
  } finally {
    pipes?.closeChildEnds();
  }
}

/** Detached makes the child the leader of a new process group. Throws what the system refuses at once. */
function spawnDetached({ argv, argv0, cwd, env, stdin }: StartOptions, pipes: Pipes | undefined): ChildProcess {
  const [file, ...words] = argv;
  const sockets = [stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"] as const;
  const stdio: StdioOptions = [...(pipes?.childEnds ?? sockets)];
  return spawn(file, words, { ...(argv0 === undefined ? {} : { argv0 }), cwd, env, detached: true, stdio });
}

async function errorOf(child: ChildProcess): Promise<Error> {
  const [error] = (await once(child, "error")) as [Error];
  return error;
}

function streamsOf(child: ChildProcess, pipes: Pipes | undefined): Omit<Started, "child"> {
  return pipes ?? { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, takeUnread: () => 0 };
}

function destroy(pipes: Pipes | undefined): void {
  pipes?.stdin?.destroy();
  pipes?.stdout.destroy();
  pipes?.stderr.destroy();
}

/** Why the command cannot be started, as a clause; null when it can be, as far as files tell. Never rejects. */
export async function findStartProblem(options: StartOptions): Promise<string | null> {
  const bad = findBadWord(options) ?? (await describeFolder(options.cwd));
  if (bad !== null) return bad;
  const file = await locate(options.argv[0], options);
  if (file === undefined) return `not found: ${options.argv[0]}`;
  const mayRun = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  const interpreter = await interpreterOf(file).catch(() => undefined);
  const code = mayRun && (interpreter === undefined || existsSync(interpreter)) ? null : mayRun ? "ENOENT" : "EACCES";
  if (code === null) return (await stat(file)).isDirectory() ? `not executable: ${file} is a directory` : null;
  return describeStartFailure(code, "no reason given", options);
}

function findBadWord(options: StartOptions): string | null {
  const nul = findNul(options);
  if (nul !== undefined) return `NUL byte in ${nul}`;
  return options.argv[0] === "" ? "the command's first word is empty" : null;
}

async function describeFolder(cwd: string): Promise<string | null> {
  const folder = await stat(cwd).catch(() => undefined);
  if (folder === undefined) return `the working directory ${cwd} does not exist`;
  return folder.isDirectory() ? null : `the working directory ${cwd} is not a directory`;
}

/** Explains ENOENT, EACCES and the like: the same code can mean a missing script, interpreter or folder. */
async function describeStartFailure(code: string, message: string, options: StartOptions): Promise<string> {
  const { argv, cwd } = options;
  const folder = await describeFolder(cwd);
  if (folder !== null) return folder;
  if (code === "E2BIG") return `not started: the arguments or environment of ${argv[0]} are too long`;
  if (code !== "ENOENT" && code !== "EACCES") return `not started: ${message}`;
  const file = await locate(argv[0], options);
  if (file === undefined) return `not found: ${argv[0]}`;
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory()) return `not executable: ${file} is a directory`;
  const executable = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return `not executable: ${file} (run: chmod +x ${file})`;
  const interpreter = await interpreterOf(file).catch(() => undefined);
  if (interpreter?.endsWith("\\r")) return windowsLineEndings(file);
  if (interpreter !== undefined) {
    return code === "EACCES"
      ? `the interpreter of ${file} cannot be executed: ${interpreter}`
      : `the interpreter of ${file} is missing: ${interpreter}`;
  }
  return code === "EACCES" ? `not executable: ${file}` : `not started: ${file} or a loader that it needs is missing`;
}

/** The file that a command's first word refers to: a path relative to the working directory, or a name in PATH. */
async function locate(word: string, options: StartOptions): Promise<string | undefined> {
  const candidates = word.includes("/")
    ? [resolve(options.cwd, word)]
    : (options.env["PATH"] ?? "/usr/bin:/bin")
        .split(delimiter)
        .map((folder) => join(resolve(options.cwd, folder), word));
  for (const candidate of candidates) {
    const found = await stat(candidate).catch(() => undefined);
    if (found !== undefined && (found.isFile() || word.includes("/"))) return candidate;
  }
  return undefined;
}

/** The text after `#!`, or undefined for a file without such a line. */
async function interpreterOf(file: string): Promise<string | undefined> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    const line = buffer.toString("utf8", 0, bytesRead).split("\n", 1)[0] ?? "";
    if (!line.startsWith("#!")) return undefined;
    // A carriage return at the end of the line is part of the name; the usual reason for a missing interpreter.
    const [, interpreter = ""] = /^#![ \t]*([^ \t]*)/.exec(line) ?? [];
    return JSON.stringify(interpreter).slice(1, -1);
  } finally {
    await handle.close();
  }
}

function findNul({ argv, cwd, env }: StartOptions): string | undefined {
  if (argv.some((word) => word.includes("\0"))) return "the command";
  if (cwd.includes("\0")) return "the working directory";
  const bad = Object.entries(env).find(([name, value]) => name.includes("\0") || value?.includes("\0"));
  return bad === undefined ? undefined : `the environment variable ${JSON.stringify(bad[0])}`;
}
