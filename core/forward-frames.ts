/** Makes frames of events: `{event_type, context, src}` as JSON text, without secrets and of bounded size (CONTRACT §9). */
import { copyWithCare, isPlain, type CopyLimits } from "./forward-value.ts";
import type { QueuedEvent } from "./forward-queue.ts";

/** One frame is never larger; what would be is shortened. */
export const MOST_FRAME_BYTES = 256 * 1024;
/** More than what every frame adds around its context. */
const LONGEST_EVENT_TYPE = 512;
const PLAIN_CHARACTERS = 128 * 1024;
const ROOMY: CopyLimits = { characters: 96 * 1024, longestText: 32 * 1024 };
/** Even when each character takes six bytes this is less than a frame. */
const TIGHT: CopyLimits = { characters: 24 * 1024, longestText: 8 * 1024 };

export interface FrameOptions {
  readonly src: string;
  readonly redact: (text: string) => string;
}

export interface WrittenFrames {
  /** JSON texts, in the order of the events. */
  readonly texts: readonly string[];
  /** Their bytes. */
  readonly bytes: number;
  /** Events that make no frame: their name is empty or far too long. */
  readonly lost: number;
}

/**
 * Takes events and writes them down, at most so many and about so many characters. Secrets are looked for in all of
 * them together, because looking costs ten times what writing costs; only where something is found, the frame that
 * holds it is made again value by value. Throws what `redact` throws.
 */
export function writeFrames(
  take: () => QueuedEvent | undefined,
  most: { readonly frames: number; readonly characters: number },
  options: FrameOptions,
): WrittenFrames {
  const { events, written, lost } = writeDown(take, most, options);
  const clean = isClean(written.filter((text) => text !== null).join("\n"), options);
  const texts: string[] = [];
  let bytes = 0;
  for (const [index, text] of written.entries()) {
    const good = text !== null && (clean || isClean(text, options));
    const frame = good ? text : writeWithCare(events[index]!, options);
    texts.push(frame);
    bytes += Buffer.byteLength(frame);
  }
  return { texts, bytes, lost };
}

/** Each event with its frame as it is, or null where it needs care. */
function writeDown(
  take: () => QueuedEvent | undefined,
  most: { readonly frames: number; readonly characters: number },
  options: FrameOptions,
) {
  const events: QueuedEvent[] = [];
  const written: (string | null)[] = [];
  let lost = 0;
  for (let characters = 0; events.length < most.frames && characters < most.characters;) {
    const event = take();
    if (event === undefined) break;
    if (!isName(event.event_type)) {
      lost++;
      continue;
    }
    const text = writePlain(event, options);
    events.push(event);
    written.push(text);
    characters += text?.length ?? ROOMY.longestText;
  }
  return { events, written, lost };
}

function isName(event_type: unknown): boolean {
  return typeof event_type === "string" && event_type !== "" && event_type.length <= LONGEST_EVENT_TYPE;
}

/** The frame as `JSON.stringify` writes it; null when it needs care. */
function writePlain({ event_type, context }: QueuedEvent, { src }: FrameOptions): string | null {
  if (!isRecord(context) || !isPlain(context, PLAIN_CHARACTERS)) return null;
  try {
    const text = JSON.stringify({ event_type, context, src });
    return text.length * 3 > MOST_FRAME_BYTES && Buffer.byteLength(text) > MOST_FRAME_BYTES ? null : text;
  } catch {
    // It changed between the look and the writing (a getter): care gets along with that.
    return null;
  }
}

function writeWithCare(event: QueuedEvent, options: FrameOptions): string {
  const text = writeCopy(event, options, ROOMY);
  return Buffer.byteLength(text) <= MOST_FRAME_BYTES ? text : writeCopy(event, options, TIGHT);
}

function writeCopy({ event_type, context }: QueuedEvent, { src, redact }: FrameOptions, limits: CopyLimits): string {
  const copied = copyWithCare(context, redact, limits);
  // What cannot even be listed is still an event.
  const readable = isRecord(copied) ? copied : {};
  return JSON.stringify({ event_type: redact(event_type), context: readable, src: redact(src) });
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True when `redact` finds nothing, neither in the text nor in what its escapes stand for. */
function isClean(json: string, { redact }: FrameOptions): boolean {
  const text = withoutEscapes(json);
  return redact(text) === text;
}

/** JSON text with its escapes resolved: one in front of a secret, or inside it, hides it from a pattern. */
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
