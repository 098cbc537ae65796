/** Runs the scripts of requests that were answered already, and joins what belongs together. Every run is a row. */
import { setTimeout as pause } from "node:timers/promises";
import { problemOf } from "#core/errors";
import type { InboundRecord } from "#core/home/inbound-log";
import type { Log } from "#core/home/log";
import type { ClaimedRun, InboundRunStore, RunGroup } from "#core/ports/inbound";
import { ANSWERS } from "./answers.ts";
import { deliver, requestKey, runKey, type WebhookInbox } from "./deliver.ts";
import type { InboundHook } from "./hooks.ts";
import { errorTail, outcomeOf, type RunScript, type ScriptEnd } from "./script.ts";
import type { Slots } from "./slots.ts";

export interface AsyncRunsOptions {
  readonly session: string;
  readonly hooks: readonly InboundHook[];
  readonly run: RunScript;
  readonly inbox: WebhookInbox;
  readonly runs: InboundRunStore;
  readonly log: Log;
  readonly record: (record: InboundRecord) => void;
  readonly onStored?: () => void;
  readonly slotsOf: (hook: string) => Slots;
  /** Aborts the scripts. */
  readonly cut: AbortSignal;
}

const KEPT_MS = 24 * 60 * 60 * 1000;
const PRUNE_EVERY_MS = 60 * 60 * 1000;
/** How long a full inbox, or one that cannot be written, is left alone. */
const AGAIN_MS = 2000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class AsyncRuns {
  readonly #options: AsyncRunsOptions;
  /** Hooks whose queue is being looked at, and whether to look again. */
  readonly #pumping = new Map<string, boolean>();
  readonly #working = new Set<Promise<void>>();
  /** Hooks whose queue is looked at again soon. */
  readonly #waking = new Map<string, NodeJS.Timeout>();
  #flushing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #pruning: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: AsyncRunsOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier process has left. Rejects with what the store throws. */
  async start(): Promise<void> {
    const hooks = this.#options.hooks.filter(({ answersFirst }) => answersFirst);
    if (hooks.length === 0) return;
    await this.#options.runs.releaseAll(this.#options.session);
    await this.#prune();
    this.#pruning = setInterval(() => this.#later(() => this.#prune()), PRUNE_EVERY_MS).unref();
    for (const hook of hooks) this.wake(hook);
    this.#flush();
  }

  /** Starts what is queued for a hook, as far as it may run. */
  wake(hook: InboundHook): void {
    if (this.#stopped) return;
    const isPumping = this.#pumping.has(hook.name);
    this.#pumping.set(hook.name, isPumping);
    if (isPumping) return;
    this.#later(async () => {
      try {
        do {
          this.#pumping.set(hook.name, false);
          await this.#pump(hook);
        } while (this.#pumping.get(hook.name) === true);
      } catch (error) {
        // What is queued was acknowledged: it does not wait for the next request.
        this.#wakeLater(hook);
        throw error;
      } finally {
        this.#pumping.delete(hook.name);
      }
    });
  }

  #wakeLater(hook: InboundHook): void {
    clearTimeout(this.#waking.get(hook.name));
    this.#waking.set(
      hook.name,
      setTimeout(() => this.wake(hook), AGAIN_MS),
    );
  }

  /** Resolves when every script has ended. What is queued stays for the next process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#pruning);
    for (const timer of this.#waking.values()) clearTimeout(timer);
    while (this.#working.size > 0) await Promise.allSettled(this.#working);
    clearTimeout(this.#timer);
    await this.#flushing;
  }

  async #pump(hook: InboundHook): Promise<void> {
    const slots = this.#options.slotsOf(hook.name);
    while (!this.#stopped && slots.running < hook.concurrency) {
      await slots.enter();
      const run = await this.#options.runs.claim(this.#options.session, hook.name).catch((error: unknown) => {
        slots.leave();
        throw error;
      });
      if (run === undefined) return slots.leave();
      this.#later(async () => {
        try {
          await this.#execute(hook, run);
        } finally {
          slots.leave();
          this.wake(hook);
        }
      });
    }
  }

  async #execute(hook: InboundHook, { id, variables, body }: ClaimedRun): Promise<void> {
    const { runs, run, cut } = this.#options;
    const started = { time: new Date().toISOString(), at: performance.now() };
    const end = await run({ hook, variables, body, signal: cut });
    const outcome = outcomeOf(end, hook);
    const code = end.kind === "ran" ? end.result.exit_code : null;
    const record = (status: number, problem: string | null) =>
      this.#record(hook, { id, variables, started, end, status, problem });
    switch (outcome.kind) {
      case "cut":
        return runs.release(id);
      case "failed":
        await this.#untilStored(() => runs.end([id], { state: "failed", status: outcome.answer.status }, code));
        return record(outcome.answer.status, outcome.problem);
      case "blank":
        await this.#untilStored(() => runs.keepOutput(id, "", code ?? 0));
        record(ANSWERS.nothing.status, null);
        break;
      default:
        await this.#untilStored(() => runs.keepOutput(id, outcome.text, code ?? 0));
        record(ANSWERS.ok.status, null);
    }
    this.#flush();
  }

  /** A script is not run twice because the database cannot be used for a while. Rejects only on the way out. */
  async #untilStored(change: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await change();
      } catch (error) {
        if (this.#stopped) throw error;
        this.#report(error);
        await pause(AGAIN_MS);
      }
    }
  }

  /** Makes messages of what is whole, one flush after another, and comes back when the next window ends. */
  #flush(): void {
    this.#flushing = this.#flushing.then(async () => {
      let again: number | undefined;
      try {
        const { runs, session } = this.#options;
        for (const group of await runs.wholeGroups(session)) if (!(await this.#store(group))) again = AGAIN_MS;
        const next = await runs.nextWindowEnd(session);
        again = Math.min(again ?? LONGEST_TIMER_MS, next ?? LONGEST_TIMER_MS);
      } catch (error) {
        this.#report(error);
        again = AGAIN_MS;
      }
      clearTimeout(this.#timer);
      if (!this.#stopped && again < LONGEST_TIMER_MS) this.#timer = setTimeout(() => this.#flush(), again + 1);
    });
  }

  /** False when there is no place for the message now. */
  async #store({ hook, runs: members }: RunGroup): Promise<boolean> {
    const { inbox, runs, session, onStored } = this.#options;
    const dedup = members.flatMap(({ id, dedupId }) => [
      runKey(id),
      ...(dedupId === null ? [] : [requestKey(hook, dedupId)]),
    ]);
    const text = members
      .map(({ output }) => output)
      .filter((output) => output !== "")
      .join("\n\n");
    const kind = text === "" ? "stored" : await deliver(inbox, { session, hook, text, dedup });
    if (kind === "full") return false;
    if (text === "") await inbox.remember(dedup);
    else onStored?.();
    const [blank, spoken] = [
      members.filter(({ output }) => output === ""),
      members.filter(({ output }) => output !== ""),
    ];
    await runs.end(
      blank.map(({ id }) => id),
      { state: "done", status: ANSWERS.nothing.status },
    );
    await runs.end(
      spoken.map(({ id }) => id),
      { state: "done", status: ANSWERS.ok.status },
    );
    return true;
  }

  async #prune(): Promise<void> {
    await this.#options.runs.prune(new Date(Date.now() - KEPT_MS));
  }

  #later(work: () => Promise<void>): void {
    const working = work().catch((error: unknown) => this.#report(error));
    this.#working.add(working);
    void working.then(() => this.#working.delete(working));
  }

  #report(error: unknown): void {
    this.#options.log.error(`inbound webhooks: a run: ${problemOf(error)}`);
  }

  #record(
    hook: InboundHook,
    run: {
      readonly id: string;
      readonly variables: ClaimedRun["variables"];
      readonly started: { readonly time: string; readonly at: number };
      readonly end: ScriptEnd;
      readonly status: number;
      readonly problem: string | null;
    },
  ): void {
    const { id, variables, started, end, status, problem } = run;
    const detail = problem === null ? null : [problem, errorTail(end)].filter((part) => part !== null).join("; ");
    if (detail !== null) this.#options.log.warn(`inbound webhook "${hook.name}", run ${id}: ${detail}`);
    this.#options.record({
      time: started.time,
      hook: hook.name,
      session: this.#options.session,
      method: variables["HOOK_METHOD"] ?? "",
      path: variables["HOOK_PATH"] ?? "",
      status,
      exit_code: end.kind === "ran" ? end.result.exit_code : null,
      duration_ms: Math.round(performance.now() - started.at),
      run_id: id,
      detail,
    });
  }
}
