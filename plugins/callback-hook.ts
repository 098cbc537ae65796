/** A plugin's callback as a {@link Hook}. This is the hot path: no promise and no closure for a sync callback. */
import type { AsyncResource } from "node:async_hooks";
import type { EventName } from "#core/events";
import { NO_REPLY, type Firing, type Hook, type HookReply } from "#core/ports/hook";
import { isThenable } from "#core/thenable";
import type { BlockWatch } from "./block-watch.ts";

export type Callback = (payload: unknown) => unknown;

export interface CallbackHookOptions {
  readonly source?: "plugin" | "python";
  /** The plugin's name. */
  readonly name: string;
  readonly event: EventName;
  readonly callback: Callback;
  readonly onFailure: "skip" | "block";
  readonly deadlineSeconds: number;
  readonly scope: AsyncResource;
  readonly watch: BlockWatch;
}

const asReply = (answer: unknown): HookReply => ({ answer });

export class CallbackHook implements Hook {
  readonly source: "plugin" | "python";
  readonly name: string;
  readonly event: EventName;
  readonly command = null;
  readonly onFailure: "skip" | "block";
  readonly deadlineSeconds: number;
  readonly sideBySide = false;
  readonly background = false;
  readonly #callback: Callback;
  readonly #scope: AsyncResource;
  readonly #watch: BlockWatch;
  /** A synchronous callback's time is in its run's record; the synchronous part of an async one is not. */
  #async: boolean;

  constructor({
    source = "plugin",
    name,
    event,
    callback,
    onFailure,
    deadlineSeconds,
    scope,
    watch,
  }: CallbackHookOptions) {
    this.source = source;
    this.name = name;
    this.event = event;
    this.onFailure = onFailure;
    this.deadlineSeconds = deadlineSeconds;
    this.#callback = callback;
    this.#scope = scope;
    this.#watch = watch;
    this.#async = callback.constructor.name === "AsyncFunction";
  }

  matches(): boolean {
    return true;
  }

  run(firing: Firing): HookReply | Promise<HookReply> {
    if (this.#async) return this.#runAsync(firing);
    this.#watch.running = this;
    const answer = this.#scope.runInAsyncScope(this.#callback, undefined, firing.frozen());
    if (answer === undefined) return NO_REPLY;
    if (!isThenable(answer)) return { answer };
    this.#async = true;
    return this.#wait(answer);
  }

  #runAsync(firing: Firing): HookReply | Promise<HookReply> {
    const started = performance.now();
    const answer = this.#scope.runInAsyncScope(this.#callback, undefined, firing.frozen());
    this.#watch.report(this, performance.now() - started);
    return isThenable(answer) ? this.#wait(answer) : { answer };
  }

  /** Any thenable becomes a promise, which is what dispatch waits for. */
  #wait(answer: PromiseLike<unknown>): Promise<HookReply> {
    this.#watch.running = undefined;
    const end = this.#watch.begin(this, this.deadlineSeconds);
    const promise = Promise.resolve(answer);
    promise.then(end, end);
    return promise.then(asReply);
  }
}
