/** Records firings. Who fires an event pays for a copy of its payload; secrets are removed and rows written later. */
import type { FiringWatch } from "#core/dispatch";
import type { Decision } from "#core/answers";
import { problemOf } from "#core/errors";
import { decisionContent, fingerprintOf, firingOutcome } from "#core/firing-outcome";
import { copyInPart, copyWithCare, plainSize } from "#core/forward/value";
import { MASK } from "#core/home/redact";
import type { Log } from "#core/home/log";
import type { FiringOrigin, HookRun } from "#core/ports/hook";
import type { NewRecording, RecordedRun, RecordingStore } from "#core/ports/recordings";
import { createRareLog } from "#core/rare-log";
import { shownDetail } from "#core/runs";

export interface RecorderOptions {
  readonly store: Pick<RecordingStore, "add" | "prune">;
  readonly redact: (text: string) => string;
  readonly log: Log;
  /** The kind of this process. */
  readonly surface: string;
}

/** How much is kept. */
export interface RecordingLimits {
  /** 0 for no limit. */
  readonly keepDays: number;
  readonly maxMb: number;
}

/** The size limits of a payload, in characters; a larger one is shortened. */
const LIMITS = { characters: 512 * 1024, longestText: 256 * 1024 } as const;
const WITHOUT_LIMITS = { characters: Infinity, longestText: Infinity } as const;
/** How long a firing may wait to be written. */
const WRITE_MS = 200;
/** As many characters are written at once. */
const BATCH_CHARACTERS = 4 * 1024 * 1024;
/** What waits while the disk is full or locked; more is lost, because memory must not grow. */
const MOST_CHARACTERS = 32 * 1024 * 1024;
const WRITE_AGAIN_MS = 5000;
/** Pruned when this part of what may be kept was written. */
const PRUNED_PART = 1 / 50;
const MB = 1024 * 1024;
const DAY_MS = 86_400_000;

/** A firing that has ended and is not written yet. */
interface Captured {
  readonly at: number;
  readonly event: string;
  readonly payload: string;
  readonly truncated: boolean;
  readonly origin: FiringOrigin | null;
  readonly session_id: string;
  readonly tool_name: string | null;
  readonly decision: Decision;
  readonly runs: readonly (HookRun & { readonly background: boolean })[];
}

export class FiringRecorder implements AsyncDisposable {
  limits: RecordingLimits = { keepDays: 0, maxMb: Infinity };
  readonly #options: RecorderOptions;
  readonly #rare: (sentence: string) => void;
  #waiting: Captured[] = [];
  #characters = 0;
  #lost = 0;
  /** Infinity until the first prune, so that the first write is followed by one. */
  #sincePrune = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#rare = createRareLog({ write: (sentence) => options.log.error(sentence) });
  }

  /**
   * Takes the payload of a firing that begins now, without its fields that are no data. The firing is recorded at the
   * returned watch's end. Never throws, and never waits.
   */
  watch(event: string, payload: object, origin?: FiringOrigin, live: readonly string[] = []): FiringWatch | undefined {
    const begun = this.#begin(event, payload, origin, live);
    if (begun === undefined) return undefined;
    const runs: (HookRun & { background: boolean })[] = [];
    return {
      run: (run, { background }) => void runs.push({ ...run, background }),
      end: (decision) => this.#keep({ ...begun, decision, runs }),
    };
  }

  /** Writes what has ended. What cannot be written is kept for the next time. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const captured = this.#waiting;
    if (captured.length === 0) return;
    const characters = this.#characters;
    this.#waiting = [];
    this.#characters = 0;
    try {
      await this.#options.store.add(captured.map((one) => this.#recordingOf(one)));
      this.#sincePrune += characters;
      await this.#prune();
    } catch (error) {
      this.#rare(`firings cannot be recorded yet: ${problemOf(error)}`);
      this.#waiting = [...captured, ...this.#waiting];
      this.#characters += characters;
      this.#timer ??= setTimeout(() => void this.flush(), WRITE_AGAIN_MS).unref();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    clearTimeout(this.#timer);
  }

  #begin(
    event: string,
    payload: object,
    origin: FiringOrigin | undefined,
    live: readonly string[],
  ): Omit<Captured, "decision" | "runs"> | undefined {
    try {
      const { session_id: session, tool_name: tool } = payload as { session_id?: unknown; tool_name?: unknown };
      return {
        at: Date.now(),
        event,
        ...capture(withoutFields(payload, live), this.#options.redact),
        origin: origin ?? null,
        session_id: typeof session === "string" ? session : "",
        tool_name: typeof tool === "string" ? tool : null,
      };
    } catch (error) {
      this.#rare(`a firing of ${event} was not recorded: ${problemOf(error)}`);
      return undefined;
    }
  }

  #keep(captured: Captured): void {
    if (this.#characters > MOST_CHARACTERS) {
      return this.#rare(`${++this.#lost} firings are not recorded so far, because too many wait to be written`);
    }
    this.#waiting.push(captured);
    this.#characters += captured.payload.length;
    const isMuch =
      this.#characters > BATCH_CHARACTERS && this.#characters - captured.payload.length <= BATCH_CHARACTERS;
    if (isMuch) setImmediate(() => void this.flush());
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_MS).unref();
  }

  #recordingOf({ decision, runs, payload, origin, ...known }: Captured): NewRecording {
    const { redact, surface } = this.#options;
    const clean = withoutSecrets(payload, redact);
    const content = decisionContent(decision);
    const recorded = runs.map((run): RecordedRun => {
      const { source, name, outcome, background } = run;
      return { source, name: redact(name), outcome, detail: shownDetail(run, redact), background };
    });
    return {
      ...known,
      session_id: redact(known.session_id),
      tool_name: known.tool_name === null ? null : redact(known.tool_name),
      outcome: firingOutcome(decision, runs),
      answer: content === null ? null : fingerprintOf(content),
      redacted: clean.includes(MASK),
      runs: recorded,
      origin,
      surface,
      payload: clean,
    };
  }

  async #prune(): Promise<void> {
    const { keepDays, maxMb } = this.limits;
    const bytes = maxMb * MB;
    if (this.#sincePrune < bytes * PRUNED_PART) return;
    this.#sincePrune = 0;
    const before = keepDays === 0 ? Number.MIN_SAFE_INTEGER : Date.now() - keepDays * DAY_MS;
    try {
      await this.#options.store.prune({ before, bytes: Math.min(bytes, Number.MAX_SAFE_INTEGER) });
    } catch (error) {
      this.#rare(`old recordings cannot be deleted: ${problemOf(error)}`);
    }
  }
}

function withoutFields(payload: object, fields: readonly string[]): object {
  if (fields.length === 0) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([key]) => !fields.includes(key)));
}

/** The payload as JSON. Most are plain and small. */
function capture(payload: object, redact: (text: string) => string): Pick<Captured, "payload" | "truncated"> {
  if (plainSize(payload, LIMITS.characters) !== null) return { payload: JSON.stringify(payload), truncated: false };
  const { copy, cut } = copyInPart(payload, redact, LIMITS);
  return { payload: JSON.stringify(copy), truncated: cut };
}

function withoutSecrets(text: string, redact: (text: string) => string): string {
  return redact(text) === text ? text : JSON.stringify(copyWithCare(JSON.parse(text), redact, WITHOUT_LIMITS));
}
