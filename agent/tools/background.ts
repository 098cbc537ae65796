/** Commands that the `terminal` tool leaves running: each ends with its session, by its id, or with the program. */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProcess, type ProcessOptions, type ProcessResult } from "#sandbox/process/run";

/** Bytes of output that are written to a command's file. */
const MOST_FILE_BYTES = 10 * 1024 * 1024;
/** Commands that run at the same time in one session. */
const MOST_COMMANDS = 20;
/** Longer timers fire at once in Node: about 24 days. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;
const STOP_GRACE_MS = 2000;

export interface BackgroundCommands extends AsyncDisposable {
  /** Starts a command. Gives its id and the file its output goes to, or an `error` when it could not be started. */
  start(process: BackgroundProcess, call: BackgroundCall): Promise<Readonly<Record<string, unknown>>>;
  /** Ends a command of a session and gives its exit code. Throws a sentence for an id that the session does not have. */
  stop(id: string, sessionId: string): Promise<Readonly<Record<string, unknown>>>;
  /** Ends the commands of a session. */
  endSession(sessionId: string): Promise<void>;
}

export type BackgroundProcess = Pick<ProcessOptions, "argv" | "cwd" | "env" | "wall" | "leftovers">;

export interface BackgroundCall {
  readonly command: string;
  readonly session_id: string;
}

interface Running {
  readonly command: string;
  readonly session: string;
  readonly file: string;
  readonly stop: AbortController;
  readonly result: Promise<ProcessResult>;
  /** Set when it has ended. */
  ended?: ProcessResult;
}

export function createBackgroundCommands(): BackgroundCommands {
  const commands = new Map<string, Running>();
  let folder: Promise<string> | undefined;

  const ofSession = (session: string) => [...commands].filter(([, each]) => each.session === session);

  async function end(running: Running): Promise<ProcessResult> {
    running.stop.abort();
    return running.result;
  }

  async function endAll(entries: readonly (readonly [string, Running])[]): Promise<void> {
    for (const [id] of entries) commands.delete(id);
    await Promise.all(entries.map(([, running]) => end(running)));
  }

  return {
    async start(process, { command, session_id: session }) {
      const active = ofSession(session).filter(([, { ended }]) => ended === undefined);
      if (active.length >= MOST_COMMANDS) {
        throw new Error(`${MOST_COMMANDS} background commands run in this session; stop one first`);
      }
      const id = `bg-${randomBytes(4).toString("hex")}`;
      folder ??= mkdtemp(join(tmpdir(), "hermes-background-"));
      const file = join(await folder, `${id}.log`);
      const output = openOutput(file);
      const stop = new AbortController();
      const result = runProcess({
        ...process,
        timeoutMs: NO_TIMEOUT_MS,
        maxOutputBytes: 0,
        overflow: "truncate",
        onOutput: output.write,
        signal: stop.signal,
        killGraceMs: STOP_GRACE_MS,
      });
      const running: Running = { command, session, file, stop, result };
      commands.set(id, running);
      void result.then((ended) => {
        running.ended = ended;
        output.end(ended);
      });
      // What cannot be started is known by then.
      const early = await Promise.race([result, new Promise<null>((resolve) => setTimeout(resolve, 50, null))]);
      if (early?.ended === "not_started") {
        commands.delete(id);
        return { error: `the command could not be started: ${early.start_problem ?? "no reason given"}` };
      }
      return { id, output_file: file, status: "running" };
    },

    async stop(id, session) {
      const running = commands.get(id);
      if (running === undefined || running.session !== session) {
        const known = ofSession(session).map(([each]) => each);
        const list = known.length === 0 ? "this session has none" : `this session has ${known.join(", ")}`;
        throw new Error(`there is no background command ${JSON.stringify(id)}; ${list}`);
      }
      commands.delete(id);
      const hadEnded = running.ended !== undefined;
      const { exit_code, signal } = await end(running);
      return { id, output_file: running.file, status: hadEnded ? "had ended" : "stopped", exit_code, signal };
    },

    endSession: (session) => endAll(ofSession(session)),

    async [Symbol.asyncDispose]() {
      await endAll([...commands]);
      if (folder !== undefined) rmSync(await folder, { recursive: true, force: true });
    },
  };
}

interface OutputFile {
  readonly write: (chunk: Buffer) => void;
  /** Writes how the command ended, and closes the file. */
  readonly end: (result: ProcessResult) => void;
}

/** The file of a command's output, private to the user. A full disk loses output, not the command. */
function openOutput(path: string): OutputFile {
  const file = openSync(path, "ax", 0o600);
  let room = MOST_FILE_BYTES;
  let problem: string | undefined;
  const append = (bytes: Buffer) => {
    try {
      writeSync(file, bytes);
    } catch (error) {
      problem ??= error instanceof Error ? error.message : String(error);
    }
  };
  return {
    write(chunk) {
      const kept = chunk.subarray(0, room);
      room -= kept.length;
      if (kept.length > 0) append(kept);
    },
    end({ exit_code, signal }) {
      if (room === 0) append(Buffer.from(`\n[more than ${MOST_FILE_BYTES} bytes: the rest was omitted]\n`));
      if (problem !== undefined) append(Buffer.from(`\n[output was lost: ${problem}]\n`));
      append(Buffer.from(`\n[ended: ${signal ?? `exit code ${exit_code}`}]\n`));
      closeSync(file);
    },
  };
}
