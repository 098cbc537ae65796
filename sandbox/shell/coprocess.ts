/** Runs an entry with `coprocess: true`: one process for all its events, which it gets in order and one at a time. */
import { statSync } from "node:fs";
import type { ResolvedCommand } from "#allowlist/grant";
import { isMapping } from "#core/mapping";
import { startCoprocess, type Answered, type Coprocess } from "#sandbox/process/coprocess";
import { notStarted } from "#sandbox/process/prepared";
import type { ProcessResult } from "#sandbox/process/run";
import { Backoff } from "./backoff.ts";
import { WIRES } from "./codecs.ts";
import type { ShellEntry } from "./entries.ts";
import { excerpt, MOST_OUTPUT_BYTES } from "./outcome.ts";
import { parseOutput } from "./output.ts";
import { commandOf, launchOptions, placeOf, type ShellRun } from "./run.ts";

export interface CoprocessRun {
  /** The answer as its standard output; no exit code. */
  readonly result: ProcessResult;
  /** Why there is no answer, as a clause, where the result does not tell; else null. */
  readonly problem: string | null;
  /** What became of the process that ran before, as a sentence. */
  readonly note?: string;
}

interface Running {
  readonly process: Coprocess;
  /** The command and the state of the script with which it was started. */
  readonly version: string;
}

/** Finds the script among the words of a command; null for none. */
export type FindScript = (argv: readonly string[]) => string | null;

export class EntryCoprocess {
  readonly #entry: ShellEntry;
  readonly #findScript: FindScript;
  /** The file that the process is restarted for when it changes. */
  #script: string | null = null;
  readonly #backoff = new Backoff();
  #running: Running | undefined;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isStale = false;

  constructor(entry: ShellEntry, findScript: FindScript = () => null) {
    this.#entry = entry;
    this.#findScript = findScript;
  }

  /** Sends the firing once the earlier ones have their answers; starts the process if none runs. */
  async run(job: ShellRun): Promise<CoprocessRun> {
    const before = this.#last;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#last = before.then(() => done);
    this.#waiting += 1;
    try {
      if (this.#waiting > 1) await doneOrAborted(before, job.signal);
      if (job.signal.aborted) return { result: resultOf("interrupted", performance.now()), problem: null };
      return await this.#serve(job);
    } finally {
      this.#waiting -= 1;
      resolve();
      if (this.#isStale) this.restart();
    }
  }

  /** Ends the process once it has answered what waits; the next event starts another. */
  restart(): void {
    this.#isStale = this.#waiting > 0;
    if (!this.#isStale) void this.close();
  }

  /** Ends the process now. Never rejects. */
  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.process.close();
  }

  async #serve(job: ShellRun): Promise<CoprocessRun> {
    const started = performance.now();
    const command = commandOf(job);
    if ("problem" in command) {
      await this.close();
      return { result: notStarted(command.problem), problem: null };
    }
    if (this.#running === undefined) this.#script = this.#findScript(this.#entry.argv ?? []);
    const version = JSON.stringify([command, this.#script === null ? null : stateOf(this.#script)]);
    if (this.#running !== undefined && this.#running.version !== version) {
      await this.close();
      this.#backoff.reset();
    }
    const { process } = this.#running ?? {};
    const answered = process && (await this.#askAgain(process, job));
    if (process !== undefined && answered !== undefined) return this.#judge(process, answered, started);
    const refusal = this.#backoff.refusal();
    if (refusal !== null) return { result: resultOf("exited", started), problem: refusal };
    const fresh = await this.#start(job, command);
    if ("problem" in fresh) return { result: notStarted(fresh.problem), problem: null };
    this.#running = { process: fresh, version };
    const run = await this.#judge(fresh, await this.#ask(fresh, job), started);
    return process === undefined ? run : { ...run, note: `Its process was started again: ${process.ending}.` };
  }

  /** Undefined when the process has ended since its last answer: then it has not read the question. */
  async #askAgain(process: Coprocess, job: ShellRun): Promise<Answered | undefined> {
    await process.settled();
    if (process.ending === null) {
      const answered = await this.#ask(process, job);
      if (answered.ended !== "broken" || !process.unread) return answered;
    }
    this.#running = undefined;
    await process.kill("it was ended");
    return undefined;
  }

  async #ask(process: Coprocess, job: ShellRun): Promise<Answered> {
    const { firing, signal } = job;
    const question = WIRES[this.#entry.protocol].document(firing, await placeOf(job), this.#entry);
    return process.ask(question, { timeoutMs: this.#entry.timeoutSeconds * 1000, signal });
  }

  /** Its environment names no file of a session: it serves all of them. */
  #start(job: ShellRun, command: ResolvedCommand): ReturnType<typeof startCoprocess> {
    const place = { ...job.shellContext, sessionFiles: undefined };
    return startCoprocess({ ...launchOptions(job, command, place), maxOutputBytes: MOST_OUTPUT_BYTES });
  }

  /** What the answer comes to. Without one that is a JSON object, the process is ended. */
  async #judge(process: Coprocess, answered: Answered, started: number): Promise<CoprocessRun> {
    const { ended, stderr } = answered;
    const garbage = ended === "answered" ? findGarbage(answered.line) : null;
    if (garbage !== null) await process.kill(garbage);
    if (process.ending !== null && this.#running?.process === process) this.#running = undefined;
    if (ended === "answered" && garbage === null) this.#backoff.reset();
    else if (ended !== "interrupted") this.#backoff.failed();
    const result = resultOf(ended === "answered" || ended === "broken" ? "exited" : ended, started, answered);
    return {
      result,
      problem: garbage ?? (ended === "broken" ? withWords(process.ending ?? "it ended", stderr) : null),
    };
  }
}

/** Waits for the earlier events, which go on if this one is given up. */
async function doneOrAborted(before: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const giveUp = () => resolve();
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  await Promise.race([before, aborted]);
  signal.removeEventListener("abort", giveUp);
}

/** Why a line is no JSON object, as a clause; null for one that is. */
function findGarbage(line: string): string | null {
  const output = parseOutput(line);
  if ("problem" in output) return output.problem.replace("its output", "its answer");
  return isMapping(output.answer) ? null : "its answer is empty, not one JSON object";
}

function withWords(problem: string, stderr: string): string {
  const words = stderr.trim();
  return words === "" ? problem : `${problem}: ${excerpt(words, 200)}`;
}

function stateOf(path: string): unknown {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs];
}

function resultOf(ended: ProcessResult["ended"], started: number, answered?: Answered): ProcessResult {
  return {
    exit_code: null,
    signal: null,
    stdout: answered?.line ?? "",
    stderr: answered?.stderr ?? "",
    ended,
    start_problem: null,
    truncated: false,
    escaped: answered?.escaped ?? [],
    duration_ms: performance.now() - started,
  };
}
