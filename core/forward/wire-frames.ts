/** Turns events into frames: `{event_type, context, src}` as JSON, without secrets, limited in size (CONTRACT §9). */
import { copyWithCare, plainSize, type CopyLimits } from "./value.ts";
import type { QueuedEvent } from "./queued-event.ts";
import { isMapping } from "#core/mapping";

/** Maximum size of a frame; larger ones are shortened. */
export const MOST_FRAME_BYTES = 256 * 1024;
/** An upper bound for what a frame adds to its context. */
const LONGEST_EVENT_TYPE = 512;
const PLAIN_CHARACTERS = 128 * 1024;
const ROOMY: CopyLimits = { characters: 96 * 1024, longestText: 32 * 1024 };
/** Even at six bytes per character, this is less than a frame. */
const TIGHT: CopyLimits = { characters: 24 * 1024, longestText: 8 * 1024 };

export interface FrameOptions {
  readonly src: string;
  readonly redact: (text: string) => string;
  /** True to get each frame's text, too, which takes longer. */
  readonly isSeparate?: boolean;
}

export interface WrittenFrames {
  /** The frames as JSON, with commas between them. */
  readonly text: string;
  /** The frames one by one; null when they were not asked for. */
  readonly texts: readonly string[] | null;
  /** The events of the frames. */
  readonly events: readonly QueuedEvent[];
  readonly frames: number;
  readonly bytes: number;
  /** Number of events without a frame, because their name is empty or far too long. */
  readonly lost: number;
}

/**
 * Takes events and serialises them, up to a number of events and approximate characters. All of them are serialised and
 * checked together, which takes half the time; only frames with something to redact are then built again, value by
 * value. Throws what `redact` throws.
 */
export function writeFrames(
  take: () => QueuedEvent | undefined,
  most: { readonly frames: number; readonly characters: number },
  options: FrameOptions,
): WrittenFrames {
  const events: QueuedEvent[] = [];
  let plain = true;
  let lost = 0;
  for (let characters = 0; events.length < most.frames && characters < most.characters;) {
    const event = take();
    if (event === undefined) break;
    if (!isName(event.event_type)) {
      lost++;
      continue;
    }
    const size = isRecord(event.context) ? plainSize(event.context, PLAIN_CHARACTERS) : null;
    plain &&= size !== null;
    events.push(event);
    characters += event.event_type.length + (size ?? ROOMY.longestText);
  }
  const together = plain && !options.isSeparate ? writeTogether(events, options) : null;
  const texts =
    together === null
      ? ((plain ? writeBeside(events, options) : null) ?? events.map((event) => writeOne(event, options)))
      : null;
  const text = together ?? texts!.join(",");
  return {
    text,
    texts: options.isSeparate ? texts : null,
    events,
    frames: events.length,
    bytes: Buffer.byteLength(text),
    lost,
  };
}

/** All frames together; null when one of them needs a careful copy. */
function writeTogether(events: readonly QueuedEvent[], options: FrameOptions): string | null {
  const { src } = options;
  const text = stringify(events.map(({ event_type, context }) => ({ event_type, context, src })));
  return text !== null && text.length < MOST_FRAME_BYTES && isClean(text, options) ? text.slice(1, -1) : null;
}

/** All frames, checked together; null when one of them needs a careful copy. */
function writeBeside(events: readonly QueuedEvent[], options: FrameOptions): readonly string[] | null {
  const { src } = options;
  const texts: string[] = [];
  for (const { event_type, context } of events) {
    const text = stringify({ event_type, context, src });
    if (text === null) return null;
    texts.push(text);
  }
  const text = texts.join(",");
  return text.length < MOST_FRAME_BYTES && isClean(text, options) ? texts : null;
}

function writeOne(event: QueuedEvent, options: FrameOptions): string {
  const { event_type, context } = event;
  const plain = isRecord(context) && plainSize(context, PLAIN_CHARACTERS) !== null;
  const text = plain ? stringify({ event_type, context, src: options.src }) : null;
  if (text !== null && Buffer.byteLength(text) <= MOST_FRAME_BYTES && isClean(text, options)) return text;
  const copy = writeCopy(event, options, ROOMY);
  return Buffer.byteLength(copy) <= MOST_FRAME_BYTES ? copy : writeCopy(event, options, TIGHT);
}

function stringify(value: unknown): string | null {
  try {
    return JSON.stringify(value);
  } catch {
    // It changed between check and serialising (a getter); the careful copy can handle that.
    return null;
  }
}

function isName(event_type: unknown): boolean {
  return typeof event_type === "string" && event_type !== "" && event_type.length <= LONGEST_EVENT_TYPE;
}

function writeCopy({ event_type, context }: QueuedEvent, { src, redact }: FrameOptions, limits: CopyLimits): string {
  const copied = copyWithCare(context, redact, limits);
  // Even a context whose keys cannot be listed is still an event.
  const readable = isRecord(copied) ? copied : {};
  return JSON.stringify({ event_type: redact(event_type), context: readable, src: redact(src) });
}

function isRecord(value: unknown): boolean {
  try {
    return isMapping(value);
  } catch {
    // A revoked proxy.
    return false;
  }
}

/** True when `redact` finds nothing, neither in the text nor in its unescaped form. */
function isClean(json: string, { redact }: FrameOptions): boolean {
  const text = withoutEscapes(json);
  return redact(text) === text;
}

/** JSON text with its escapes resolved, because an escape before or inside a secret hides it from a pattern. */
function withoutEscapes(json: string): string {
  if (!json.includes("\\")) return json;
  const text = json
    .replaceAll("\\\\", "\0")
    .replaceAll('\\"', '"')
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t")
    .replaceAll("\\r", "\r");
  const rest = text.includes("\\") ? text.replace(/\\(?:u([0-9a-f]{4})|[bf])/g, resolveEscape) : text;
  return rest.replaceAll("\0", "\\");
}

function resolveEscape(_escape: string, code: string | undefined): string {
  return code === undefined ? " " : String.fromCharCode(Number.parseInt(code, 16));
}
