/**
 * Holds back pieces of text that may contain a part of a secret. A model may write a secret in several pieces, so each
 * piece is checked together with the text before it. Only the secret itself waits for its end, not what announces it;
 * when it waits for too long, it is masked before it is complete. Each piece remains a separate event.
 */
import { MASK, type Redactor } from "#core/home/redact";
import {
  CONTEXT_CHARACTERS,
  contextOf,
  mayHoldSecret,
  mayHoldSecretSince,
  type SecretRest,
  type UnfinishedSecret,
} from "#core/home/redact-unfinished";
import type { QueuedEvent } from "./queued-event.ts";
import { sessionOf, textOf, withText } from "./delta-events.ts";

/** The events with pieces of text. A session's answer and its reasoning are separate texts. */
const DELTAS = ["tui:message.delta", "tui:reasoning.delta"] as const;
/** Events after which a text does not continue. */
const ENDS = new Set(["tui:message.start", "tui:message.complete", "tui:tool.start", "tui:turn.complete", "agent:end"]);
/** A piece waits at most this long. */
const HOLD_MS = 300;
/** Maximum number of waiting pieces per session. */
const MOST_PIECES = 64;
/** Maximum number of waiting characters per session. */
const MOST_CHARACTERS = 4096;
/** Maximum number of waiting pieces of all sessions. */
const MOST_HELD = 1024;
/** Maximum number of texts of a kind whose last words are kept. */
const MOST_TEXTS = 1024;
/** A known value is recognised by this many characters when it cannot wait for more. */
const TELLING = 4;

export interface DeltaOptions {
  readonly redact: (text: string) => string;
  /** The secret that a text ends in the middle of ({@link Redactor}). */
  readonly unfinished: Redactor["unfinished"];
  /** Called when events that have waited long enough can be taken. */
  readonly onReady: () => void;
}

interface Piece {
  readonly event: QueuedEvent;
  readonly text: string;
  readonly heldAt: number;
}

/** A text that is being written. */
interface Text {
  /** The last of what was sent, before its secrets were masked. */
  before: string;
  pieces: Piece[];
  /** The text of the pieces. */
  held: string;
  /** How much of the text can follow until the last sign of a secret does not matter any more. */
  signed: number;
  /** True when `before` ends with the beginning of a known value. */
  suspicious: boolean;
  /** The rest of a secret that was masked before it was complete. */
  rest: SecretRest | null;
}

export class DeltaBuffer {
  readonly #options: DeltaOptions;
  /** By kind (the index in {@link DELTAS}), then by session. */
  readonly #texts = DELTAS.map(() => new Map<string, Text>());
  /** The text that was used last, since pieces of one text mostly follow each other. */
  #last: { readonly kind: number; readonly session: string; readonly text: Text } | null = null;
  readonly #ready: QueuedEvent[] = [];
  #held = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DeltaOptions) {
    this.#options = options;
  }

  /** Number of events that can be taken. */
  get ready(): number {
    return this.#ready.length;
  }

  /** Number of pieces that wait. */
  get held(): number {
    return this.#held;
  }

  /** Returns an event that can be sent immediately; keeps one that must wait, itself or for earlier ones. */
  pass(event: QueuedEvent): QueuedEvent | undefined {
    const { event_type, context } = event;
    const kind = DELTAS.findIndex((name) => name === event_type);
    if (kind < 0 && this.#isEmpty) return event;
    const session = sessionOf(context);
    if (session === null) return event;
    const text = kind < 0 ? null : textOf(context);
    if (text !== null) {
      this.#letGo(1 - kind, session);
      return this.#passPiece(this.#textOf(kind, session), event, text);
    }
    const ends = ENDS.has(event_type);
    for (const other of DELTAS.keys()) this.#letGo(other, session, ends);
    return this.#inOrder(event);
  }

  /** Returns an event that waits no longer. */
  take(): QueuedEvent | undefined {
    return this.#ready.shift();
  }

  /** Lets everything go: nothing follows. */
  end(): void {
    for (const [kind, texts] of this.#texts.entries()) {
      for (const session of texts.keys()) this.#letGo(kind, session, true);
    }
  }

  /** Drops everything; returns how many events there were. */
  clear(): number {
    clearTimeout(this.#timer);
    for (const texts of this.#texts) texts.clear();
    this.#last = null;
    const dropped = this.#held + this.#ready.splice(0).length;
    this.#held = 0;
    return dropped;
  }

  get #isEmpty(): boolean {
    return this.#texts.every((texts) => texts.size === 0);
  }

  #passPiece(text: Text, event: QueuedEvent, whole: string): QueuedEvent | undefined {
    const length = text.rest === null ? 0 : this.#skip(text, text.rest, whole);
    const piece = length === 0 ? event : withText(event, whole.slice(length));
    const added = whole.slice(length);
    const all = text.before + text.held + added;
    const sign = this.#isSigned(text, all, added.length);
    const secret = this.#options.unfinished(all, { forms: sign, least: 1 });
    if (secret === null && !sign && !text.suspicious && text.pieces.length === 0) {
      text.before = contextOf(all, false);
      return this.#inOrder(piece);
    }
    this.#hold(text, { event: piece, text: added, heldAt: performance.now() });
    text.suspicious = secret !== null;
    this.#release(text, (secret?.start ?? all.length) - text.before.length);
    if (text.pieces.length >= MOST_PIECES || text.held.length > MOST_CHARACTERS || this.#held > MOST_HELD)
      this.#giveUp(text);
    return undefined;
  }

  /** True when the text has a sign of a secret near its end; only its last `added` characters are searched for one. */
  #isSigned(text: Text, all: string, added: number): boolean {
    if (mayHoldSecretSince(all, added)) text.signed = CONTEXT_CHARACTERS + text.held.length + added;
    else text.signed -= added;
    return text.signed > 0 || text.before.length > CONTEXT_CHARACTERS;
  }

  #unfinished(text: string): UnfinishedSecret | null {
    return this.#options.unfinished(text, { forms: mayHoldSecret(text), least: 1 });
  }

  /** Leaves out what belongs to a secret that was masked already; returns its length. */
  #skip(text: Text, rest: SecretRest, added: string): number {
    const skipped = rest(added);
    text.rest = skipped.rest;
    return skipped.length;
  }

  #textOf(kind: number, session: string): Text {
    if (this.#last !== null && this.#last.kind === kind && this.#last.session === session) return this.#last.text;
    const texts = this.#texts[kind]!;
    const text = texts.get(session) ?? {
      before: "",
      pieces: [],
      held: "",
      signed: 0,
      suspicious: false,
      rest: null,
    };
    // The last one used is the last to be forgotten.
    texts.delete(session);
    if (texts.size >= MOST_TEXTS) this.#letGo(kind, texts.keys().next().value!, true);
    texts.set(session, text);
    this.#last = { kind, session, text };
    return text;
  }

  #hold(text: Text, piece: Piece): void {
    text.pieces.push(piece);
    text.held += piece.text;
    this.#held++;
    this.#timer ??= setTimeout(() => this.#giveUpLate(), HOLD_MS).unref();
  }

  /** Lets the pieces go whose text ends within the first `settled` characters, and not in the middle of a secret. */
  #release(text: Text, settled: number): void {
    let length = 0;
    let count = 0;
    while (count < text.pieces.length && length + text.pieces[count]!.text.length <= settled)
      length += text.pieces[count++]!.text.length;
    if (count === 0) return;
    const rest = count < text.pieces.length ? this.#unfinished(text.before + text.held.slice(0, length)) : null;
    if (rest !== null) return this.#release(text, rest.start - text.before.length);
    const released = text.held.slice(0, length);
    this.#give(text.pieces.splice(0, count), this.#withoutSecrets(text.before, released), released);
    text.before = contextOf(text.before + released, true);
    text.held = text.held.slice(length);
  }

  /** Lets a text's pieces go. A secret that they end in the middle of is masked, with what follows of it. */
  #giveUp(text: Text): void {
    const { before, held } = text;
    const secret = this.#options.unfinished(before + held, { forms: true, least: TELLING });
    const length = secret === null ? held.length : Math.max(0, secret.start - before.length);
    const clean = this.#withoutSecrets(before, held.slice(0, length)) + (secret === null ? "" : MASK);
    this.#give(text.pieces.splice(0), clean, held);
    text.before = secret === null ? contextOf(before + held, true) : "";
    text.rest = secret?.rest ?? null;
    text.suspicious = true;
    text.held = "";
  }

  /** Lets a text's pieces go, because another event follows; forgets the text when that ends it. */
  #letGo(kind: number, session: string, ends = false): void {
    if (!ends && this.#held === 0) return;
    const text = this.#texts[kind]!.get(session);
    if (text === undefined) return;
    if (ends) {
      this.#release(text, text.held.length);
      this.#texts[kind]!.delete(session);
      if (this.#last?.text === text) this.#last = null;
    } else if (text.pieces.length > 0) this.#giveUp(text);
  }

  #give(pieces: readonly Piece[], clean: string, raw: string): void {
    this.#held -= pieces.length;
    for (const [index, { event }] of pieces.entries()) {
      this.#ready.push(clean === raw ? event : withText(event, index === 0 ? clean : ""));
    }
  }

  /** What to show of `added` behind `before`, which was shown without its secrets. */
  #withoutSecrets(before: string, added: string): string {
    const { redact } = this.#options;
    try {
      const clean = redact(before + added);
      if (clean === before + added) return added;
      const shown = redact(before);
      let same = 0;
      while (same < shown.length && shown[same] === clean[same]) same++;
      return clean.slice(same);
    } catch {
      // What cannot be redacted is not sent. Serialising the events fails, too, and reports the error.
      return "";
    }
  }

  #giveUpLate(): void {
    this.#timer = undefined;
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const text of this.#texts.flatMap((texts) => [...texts.values()])) {
      const [first] = text.pieces;
      if (first === undefined) continue;
      if (now - first.heldAt >= HOLD_MS - 1) this.#giveUp(text);
      else next = Math.min(next, first.heldAt);
    }
    if (this.#held > 0) this.#timer = setTimeout(() => this.#giveUpLate(), next + HOLD_MS - now).unref();
    if (this.ready > 0) this.#options.onReady();
  }

  /** An event waits for those that can be taken before it. */
  #inOrder(event: QueuedEvent): QueuedEvent | undefined {
    if (this.#ready.length === 0) return event;
    this.#ready.push(event);
    return undefined;
  }
}
