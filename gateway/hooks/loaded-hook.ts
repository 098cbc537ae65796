/** One version of a gateway hook: its queue, its handler, and its listing. */
import { isDeepStrictEqual } from "node:util";
import { BoundedMap } from "#core/bounded-map";
import type { Log } from "#core/home/log";
import type { RunSink } from "#core/ports/hook";
import { createRareLog, OncePerMinute } from "#core/rare-log";
import type { EventContext, OnRun } from "#core/registry";
import { HookQueue, type CapturedEvent, type QueueIdentity } from "./queue.ts";
import type { KeptSources } from "#core/extensions/sources";
import type { GatewayHook, HandlerReport, HandlerTier } from "#core/ports/tier";
import type { TierName } from "#core/tiers";

export interface LoadedGatewayHookDeps {
  readonly record: RunSink;
  readonly log: Log;
  /** Shows a message to the user. */
  readonly warn: (sentence: string) => void;
  readonly tier: (name: TierName) => Promise<HandlerTier>;
}

/** How many kinds of problems outside of its events are told apart. */
const MOST_KINDS = 16;

/** A hook, and the files of the version. */
export interface HookVersionFiles {
  readonly hook: GatewayHook;
  readonly sources: KeptSources;
}

export class LoadedGatewayHook {
  readonly hook: GatewayHook;
  #identities: readonly QueueIdentity[];
  readonly #sources: KeptSources;
  readonly #deps: LoadedGatewayHookDeps;
  #queue: HookQueue | undefined;
  readonly #rare = new OncePerMinute();
  #dropped = 0;
  #isOff = false;

  constructor(version: HookVersionFiles, deps: LoadedGatewayHookDeps) {
    const { hook, sources } = version;
    this.hook = hook;
    this.#sources = sources;
    this.#deps = deps;
    const { isolation: source, name, events } = hook;
    this.#identities = events.map((event) => ({ source, name, event, command: null, dropped: 0 }));
  }

  /** One for each of its events, in the order of the manifest; the same objects while they are unchanged. */
  get identities(): readonly QueueIdentity[] {
    return this.#identities;
  }

  /** True when both would have the same registrations. */
  looksAs(other: LoadedGatewayHook): boolean {
    const seen = ({ hook }: LoadedGatewayHook) => [
      hook.directory,
      hook.name,
      hook.description,
      hook.folder,
      hook.events,
    ];
    return isDeepStrictEqual(seen(this), seen(other));
  }

  /** Replaces another version of the same folder and handles its remaining events. Must be called once. */
  follow(before: LoadedGatewayHook, rest: Promise<readonly CapturedEvent[]>): void {
    this.#identities = this.#identities.map(
      (identity) => before.#identities.find((old) => isSame(old, identity)) ?? identity,
    );
    this.#queue = this.#createQueue(rest);
  }

  /** Takes an event that `pattern` matches. Returns a promise, which never rejects, for one that needs a decision. */
  publish(pattern: string, event: string, context: EventContext, onRun?: OnRun): Promise<unknown> | undefined {
    const identity = this.#identities.find((one) => one.event === pattern);
    if (identity === undefined || this.#isOff) {
      // Meanwhile a version was swapped in that no longer listens to the event.
      onRun?.(null);
      return undefined;
    }
    return (this.#queue ??= this.#createQueue()).publish(identity, event, context, onRun);
  }

  /** Resolves when nothing is running or waiting. */
  async idle(): Promise<void> {
    await this.#queue?.idle();
  }

  /** Finishes the events that have arrived, within the time limit of one of them; returns the remaining ones. */
  async retire(): Promise<readonly CapturedEvent[]> {
    return (await this.#queue?.retire(this.hook.timeoutSeconds * 1000)) ?? [];
  }

  async close(): Promise<void> {
    await this.#queue?.close();
  }

  #createQueue(after?: Promise<readonly CapturedEvent[]>): HookQueue {
    const { hook } = this;
    const { record, tier } = this.#deps;
    return new HookQueue({
      hook,
      open: async (loads) => {
        const report = { ...this.#report(), ...loads };
        return (await tier(hook.isolation)).open({ ...hook, sources: this.#sources }, report);
      },
      record,
      onDrop: () => this.#noteDrop(),
      ...(after === undefined ? {} : { after }),
    });
  }

  #report(): HandlerReport {
    const { name } = this.hook;
    const log = this.#deps.log.child({ hook: name });
    const write = (problem: string) => log.error(`gateway hook "${name}" ${problem}`);
    // A handler may leave a rejection at every event. Each kind is limited separately; what is called a kind is in its
    // hands.
    const rare = new BoundedMap<string, (problem: string) => void>(MOST_KINDS);
    return {
      onOff: (problem) => {
        this.#isOff = true;
        const sentence = `gateway hook "${name}" is off: ${problem}`;
        log.error(sentence);
        this.#deps.warn(`${sentence}.`);
      },
      onOutput: (level, text) => log[level](`${name}: ${text}`),
      onStray(problem) {
        const [kind = ""] = problem.split(":", 1);
        const logKind = rare.get(kind) ?? createRareLog({ write });
        rare.set(kind, logKind);
        logKind(problem);
      },
    };
  }

  #noteDrop(): void {
    this.#dropped++;
    if (!this.#rare.isDue()) return;
    const events = `${this.#dropped} event${this.#dropped === 1 ? "" : "s"}`;
    this.#deps.log.warn(`gateway hook "${this.hook.name}" cannot keep up: its full queue has dropped ${events} so far`);
  }
}

function isSame(left: QueueIdentity, right: QueueIdentity): boolean {
  return left.source === right.source && left.name === right.name && left.event === right.event;
}
