/** What the model learns of files that come with a message. */

/** A file as its platform describes it. */
export interface SentFile {
  readonly name?: string | null | undefined;
  /** Its media type: `application/pdf`. */
  readonly type?: string | null | undefined;
  readonly bytes?: number | null | undefined;
}

/** The largest image that is loaded, in bytes: all images of a message have 8 MiB as base64. */
export const LARGEST_FILE = 5 * 1024 * 1024;
/** The images that models take. */
const IMAGE_TYPES: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
const LONGEST_NAME = 120;
const MOST_NAMED = 20;

/** True for an image that can be loaded for the model. */
export function isLoadable({ type, bytes }: SentFile): boolean {
  return IMAGE_TYPES.has(mediaType(type)) && (bytes ?? 0) <= LARGEST_FILE;
}

/** A media type without its parameters, in lower case. */
export function mediaType(type: string | null | undefined): string {
  return (type ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

/**
 * The note for the model that follows the words: the name, type and size of each file, and that it only sees images.
 * Empty without files. Names are other people's text, so they cannot add lines.
 */
export function noteFiles(files: readonly SentFile[]): string {
  if (files.length === 0) return "";
  const named = files.slice(0, MOST_NAMED).map(describe);
  const more = files.length > MOST_NAMED ? [`${files.length - MOST_NAMED} more`] : [];
  const unseen = files.filter((file) => !isLoadable(file)).length;
  const limit = unseen === 0 ? "" : files.length === 1 ? " You cannot open it." : " You can only see images.";
  return `(Sent with this message: ${[...named, ...more].join("; ")}.${limit})`;
}

/** Words and the note of their files, as the text of a message. */
export function withFiles(words: string, files: readonly SentFile[]): string {
  return [words, noteFiles(files)].filter((part) => part.trim() !== "").join("\n\n");
}

function describe({ name, type, bytes }: SentFile): string {
  const about = [mediaType(type), typeof bytes === "number" ? sizeOf(bytes) : ""].filter((part) => part !== "");
  const shown = inLine(name ?? "") || "a file";
  return about.length === 0 ? shown : `${shown} (${about.join(", ")})`;
}

function inLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return line.length > LONGEST_NAME ? `${line.slice(0, LONGEST_NAME).toWellFormed()}…` : line;
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const [unit, size] = bytes < 1024 * 1024 ? ["KB", bytes / 1024] : ["MB", bytes / 1024 / 1024];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}
