/** Parses what senders post to `/api/hooks/ingest` (CONTRACT §9): one frame, or an array of frames. */
import type { EventContext } from "#core/registry";
import { isMapping } from "#core/mapping";
import { dropPrototypeKeys, isDeeperThan } from "#core/untrusted-json";
import { DEEPEST, parseJson, type ParsedJson } from "./json.ts";

const MIB = 1024 * 1024;
/** A request's body. */
export const MOST_BODY_BYTES = 8 * MIB;
const MOST_BATCH_BYTES = MIB;
const MOST_FRAMES = 256;
const LONGEST_EVENT_TYPE = 256;
const LONGEST_SOURCE = 256;

/** An event of another process. */
export interface EventFrame {
  readonly event_type: string;
  readonly context: EventContext;
  /** The sender; "?" when it is not named. */
  readonly src: string;
  /** Identifies it, if it may arrive twice. */
  readonly id?: string | undefined;
  /** When it was stored before it arrived here, ISO-8601. */
  readonly at?: string | undefined;
}

export interface Rejection {
  readonly index: number;
  readonly error: string;
}

export interface Frames {
  readonly frames: readonly EventFrame[];
  readonly batch: boolean;
  readonly rejected: readonly Rejection[];
}

/** Why a body has no valid frame, with the status of the answer. */
export interface Refusal {
  readonly status: 400 | 413;
  readonly problem: string;
  readonly batch: boolean;
  readonly rejected?: readonly Rejection[];
}

/** Parses a body of this size: returns its valid frames, or why there are none. */
export function readFrames(text: string, bytes: number): Frames | Refusal {
  let parsed: ParsedJson;
  try {
    parsed = parseJson(text);
  } catch (error) {
    // Not a SyntaxError's message: it quotes the body, and senders log the answer.
    const problem = error instanceof RangeError ? error.message : "it is not valid JSON";
    return { status: 400, problem: `the body cannot be read: ${problem}`, batch: false };
  }
  if (Array.isArray(parsed.value)) return readBatch(parsed.value, parsed, bytes);
  const frame = readFrame(parsed.value, parsed);
  if (typeof frame === "string") return { status: 400, problem: frame, batch: false };
  return { frames: [frame], batch: false, rejected: [] };
}

function readBatch(values: readonly unknown[], parsed: ParsedJson, bytes: number): Frames | Refusal {
  if (values.length > MOST_FRAMES || bytes > MOST_BATCH_BYTES) {
    const problem = `a batch may have at most ${MOST_FRAMES} frames and 1 MiB; this one has ${values.length} frames and ${bytes} bytes`;
    return { status: 413, problem, batch: true };
  }
  const frames: EventFrame[] = [];
  const rejected: Rejection[] = [];
  for (const [index, value] of values.entries()) {
    const frame = readFrame(value, parsed);
    if (typeof frame === "string") rejected.push({ index, error: frame });
    else frames.push(frame);
  }
  if (frames.length > 0) return { frames, batch: true, rejected };
  const first = rejected[0];
  const problem = first === undefined ? "the batch is empty" : `the batch has no valid frame: ${first.error}`;
  return { status: 400, problem, batch: true, rejected };
}

/** The frame, or what is wrong with it. */
function readFrame(value: unknown, { deep, suspect }: ParsedJson): EventFrame | string {
  if (!isMapping(value)) return "a frame must be a JSON object";
  const { event_type, context, src } = value;
  if (typeof event_type !== "string" || event_type === "") return "'event_type' is missing or empty";
  if (isLonger(event_type, LONGEST_EVENT_TYPE)) return `'event_type' is longer than ${LONGEST_EVENT_TYPE} characters`;
  const given = context ?? {};
  if (!isMapping(given)) return "'context' must be a JSON object";
  if (deep && isDeeperThan(given, DEEPEST)) return `'context' is nested deeper than ${DEEPEST} levels`;
  if (suspect) dropPrototypeKeys(given);
  return { event_type, context: given, src: sourceOf(src) };
}

function sourceOf(src: unknown): string {
  if (typeof src !== "string" || src === "") return "?";
  return isLonger(src, LONGEST_SOURCE) ? src.slice(0, LONGEST_SOURCE).toWellFormed() : src;
}

/** Counts characters, not UTF-16 units, but only where that makes a difference. */
function isLonger(text: string, characters: number): boolean {
  if (text.length <= characters) return false;
  return text.length > 2 * characters || Array.from(text).length > characters;
}
