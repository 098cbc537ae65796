/** Handles incoming events: keeps, stores and shows them, and publishes them to this process's plugins (seed 002). */
import { FORWARDED } from "#core/forwarder";
import { copyWithCare, type CopyLimits } from "#core/forward/value";
import type { EventContext, HookRegistry } from "#core/registry";
import { isMapping } from "#core/mapping";
import type { EventFrame } from "./frames.ts";
import { toJson, type History, type KeptEvent } from "./history.ts";
import { shorten } from "./shorten.ts";
import type { Sources } from "./sources.ts";
import type { EventStore } from "./store.ts";
import type { Streams } from "./streams.ts";

interface IntakeParts {
  readonly registry: HookRegistry;
  readonly history: History;
  readonly store: EventStore | undefined;
  readonly streams: Streams;
  readonly sources: Sources;
  readonly redact: (text: string) => string;
}

/** The source of what this process's own plugins emit. */
const OWN_SOURCE = "dashboard";
const OWN_LIMITS: CopyLimits = { characters: 48 * 1024, longestText: 16 * 1024 };

export class Intake {
  readonly #parts: IntakeParts;
  readonly #undo: readonly (() => void)[];
  #total = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    const own = (event_type: string, context: EventContext) => {
      if (context["_forwarded"] === true) return;
      this.#show([{ event_type, context: withoutSecrets(context, parts.redact), src: OWN_SOURCE }]);
    };
    this.#undo = FORWARDED.map((pattern) => parts.registry.register(pattern, own, { name: "dashboard" }));
  }

  /** How many events have arrived since the start. */
  get total(): number {
    return this.#total;
  }

  /**
   * Takes events of other processes: marks them as forwarded, shows them and publishes them. Leaves out those that it
   * has taken before. Never throws.
   */
  take(frames: readonly EventFrame[]): void {
    const marked = this.#newOf(frames).map((frame) => ({
      ...frame,
      context: { ...frame.context, _forwarded: true, _forwarded_from: frame.src },
    }));
    // Shown first: only later handlers see what a handler does to the context.
    this.#show(marked);
    for (const { event_type, context } of marked) this.#parts.registry.emit_sync(event_type, context);
  }

  close(): void {
    for (const undo of this.#undo) undo();
  }

  #newOf(frames: readonly EventFrame[]): readonly EventFrame[] {
    const { history } = this.#parts;
    const together = new Set<string>();
    return frames.filter(({ id }) => {
      if (id === undefined) return true;
      if (history.has(id) || together.has(id)) return false;
      together.add(id);
      return true;
    });
  }

  #show(frames: readonly EventFrame[]): void {
    const { history, store, streams, sources } = this.#parts;
    const now = new Date().toISOString();
    const whole = new Map<number, string>();
    for (const { event_type, context, src, id = null, at = now } of frames) {
      const json = JSON.stringify(context);
      const kept: KeptEvent = { seq: history.last + 1, at, src, event_type, context: shorten(context, json), id };
      if (kept.context !== json) whole.set(kept.seq, toJson({ ...kept, context: json }));
      history.push(kept);
      store?.add(kept);
      sources.count(src, now);
      this.#total++;
    }
    streams.wake(whole);
  }
}

/** The unchecked context of a plugin of this process: limits its size, removes secrets, and makes it fit for JSON. */
function withoutSecrets(context: EventContext, redact: (text: string) => string): EventContext {
  const copy = copyWithCare(context, redact, OWN_LIMITS);
  return isMapping(copy) ? copy : {};
}
