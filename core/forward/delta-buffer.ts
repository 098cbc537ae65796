/**
 * Buffers text deltas for the dashboard. A secret may be split over several deltas. So a delta that may end in the
 * middle of a secret waits for the next one, and they are redacted together; each remains a separate event.
 */
import type { QueuedEvent } from "./queue.ts";
import type { EventContext } from "#core/registry";

const DELTAS: ReadonlySet<string> = new Set(["tui:message.delta", "tui:reasoning.delta"]);
/** A delta waits for the next event of its session, at most this long. */
const HOLD_MS = 300;
/** Maximum number of waiting characters per session, because a word without an end must not wait forever. */
const MOST_CHARACTERS = 4096;
/** Maximum number of sessions with waiting deltas. */
const MOST_SESSIONS = 256;

export interface DeltaOptions {
  readonly redact: (text: string) => string;
  /** The settled length of an unfinished text ({@link Redactor}). */
  readonly settledLength: (text: string) => number;
  /** Called when events that have waited long enough can be taken. */
  readonly onReady: () => void;
}

interface Piece {
  readonly event: QueuedEvent;
  readonly text: string;
}

/** The waiting deltas of a session. */
interface Run {
  pieces: Piece[];
  text: string;
  heardAt: number;
}

export class DeltaBuffer {
  readonly #options: DeltaOptions;
  readonly #runs = new Map<string, Run>();
  #ready: QueuedEvent[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeltaOptions) {
    this.#options = options;
  }

  /** Events that can be taken. */
  get ready(): number {
    return this.#ready.length;
  }

  /** True while deltas are waiting. */
  get holding(): boolean {
    return this.#runs.size > 0;
  }

  /** Returns an event that can be sent immediately; keeps one that must wait, itself or for earlier ones. */
  pass(event: QueuedEvent): QueuedEvent | undefined {
    const { event_type, context } = event;
    const isDelta = DELTAS.has(event_type);
    if (!isDelta && this.#runs.size === 0) return event;
    const session = sessionOf(context);
    if (session === null) return event;
    const text = isDelta ? textOf(context) : null;
    const run = this.#runs.get(session);
    // Reasoning and answer are two texts.
    if (text !== null && run?.pieces[0]?.event.event_type === event_type) return this.#passPiece(session, event, text);
    if (run === undefined) return text === null ? event : this.#passPiece(session, event, text);
    this.#end(session);
    const passed = text === null ? event : this.#passPiece(session, event, text);
    if (passed !== undefined) this.#ready.push(passed);
    return undefined;
  }

  /** Returns an event that waits no longer. */
  take(): QueuedEvent | undefined {
    return this.#ready.shift();
  }

  /** Releases everything that is waiting, as it is. */
  letGo(): void {
    for (const session of this.#runs.keys()) this.#end(session);
  }

  /** Drops everything; returns how many events there were. */
  clear(): number {
    this.letGo();
    clearTimeout(this.#timer);
    return this.#ready.splice(0).length;
  }

  #passPiece(session: string, event: QueuedEvent, text: string): QueuedEvent | undefined {
    const run = this.#runs.get(session);
    const { settledLength } = this.#options;
    if (run !== undefined) this.#append(session, run, { event, text });
    else if (settledLength(text) === text.length) return event;
    else this.#begin(session, { event, text });
    return undefined;
  }

  #append(session: string, run: Run, piece: Piece): void {
    run.pieces.push(piece);
    run.text += piece.text;
    run.heardAt = performance.now();
    const settled = this.#options.settledLength(run.text);
    if (settled === run.text.length || run.text.length > MOST_CHARACTERS) this.#end(session);
    else if (run.pieces[0]!.text.length <= settled && this.#redacted(run) === null) this.#advance(run, settled);
  }

  #begin(session: string, piece: Piece): void {
    if (this.#runs.size >= MOST_SESSIONS) this.#end(this.#runs.keys().next().value!);
    this.#runs.set(session, { pieces: [piece], text: piece.text, heardAt: performance.now() });
    this.#timer ??= setTimeout(() => this.#endStalled(), HOLD_MS).unref();
  }

  /** Releases the settled deltas. */
  #advance(run: Run, settled: number): void {
    let length = 0;
    let count = 0;
    for (; length + run.pieces[count]!.text.length <= settled; count++) {
      length += run.pieces[count]!.text.length;
      this.#ready.push(run.pieces[count]!.event);
    }
    run.pieces = run.pieces.slice(count);
    run.text = run.text.slice(length);
  }

  #end(session: string): void {
    const run = this.#runs.get(session);
    if (run === undefined) return;
    this.#runs.delete(session);
    const clean = run.pieces.length === 1 ? null : this.#redacted(run);
    for (const [index, { event }] of run.pieces.entries()) {
      this.#ready.push(clean === null ? event : withText(event, index === 0 ? clean : ""));
    }
  }

  /** The run's text without secrets; null when it contains none. */
  #redacted({ text }: Run): string | null {
    try {
      const clean = this.#options.redact(text);
      return clean === text ? null : clean;
    } catch {
      // What cannot be redacted is not sent. Serialising the events fails, too, and reports the error.
      return "";
    }
  }

  #endStalled(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [session, { heardAt }] of this.#runs) if (now - heardAt >= HOLD_MS) this.#end(session);
    if (this.#runs.size > 0) this.#timer = setTimeout(() => this.#endStalled(), HOLD_MS).unref();
    if (this.ready > 0) this.#options.onReady();
  }
}

function sessionOf(context: EventContext): string | null {
  try {
    const { session_id } = context;
    return typeof session_id === "string" ? session_id : null;
  } catch {
    // A getter threw, so it is not one of our events.
    return null;
  }
}

function textOf(context: EventContext): string | null {
  try {
    const { text } = context["payload"] as { text?: unknown };
    return typeof text === "string" ? text : null;
  } catch {
    // No payload, or a getter threw.
    return null;
  }
}

function withText({ event_type, context }: QueuedEvent, text: string): QueuedEvent {
  return { event_type, context: { ...context, payload: { ...(context["payload"] as object), text } } };
}
