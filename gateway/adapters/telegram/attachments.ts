/** What comes with a message besides text, and what to say of it. */
import { LARGEST_FILE, withFiles, type SentFile } from "#gateway/adapters/shared/files";

interface TelegramFile {
  readonly file_id?: string;
  readonly file_name?: string;
  readonly file_size?: number;
  readonly mime_type?: string;
}

/** The fields of Telegram's `Message` for attachments. */
export interface Attachments {
  /** One picture in several sizes, the smallest first. */
  readonly photo?: readonly TelegramFile[];
  readonly voice?: TelegramFile;
  readonly audio?: TelegramFile;
  readonly video?: TelegramFile;
  readonly video_note?: TelegramFile;
  readonly document?: TelegramFile;
  readonly location?: unknown;
  readonly contact?: unknown;
  readonly poll?: unknown;
  readonly media_group_id?: string;
}

type Attachment =
  | { readonly kind: "image"; readonly fileId: string }
  | { readonly kind: FileKind; readonly file: SentFile }
  | { readonly kind: "location" | "other" };
type FileKind = "picture" | "sound" | "video" | "file";

/** The sentences that answer a message without words. */
const ANSWERS = {
  image: "Please add a caption to the picture that says what I should do with it.",
  picture: "This picture is too large for me. Please send a smaller one, with a caption.",
  sound: "I can't listen to voice messages. Please write to me.",
  video: "I can't watch videos. Please write to me.",
  file: "I can't open files. Please write to me.",
  location: "I can't read locations. Please write where you are.",
  other: "I can't read messages of this kind. Please write to me.",
} as const;

/** What came with the message; null for nothing that we know. */
export function attachmentOf(message: Attachments): Attachment | null {
  const { photo, document } = message;
  const sound = message.voice ?? message.audio;
  const video = message.video ?? message.video_note;
  if (Array.isArray(photo)) return imageOf(photo);
  if (sound !== undefined) return { kind: "sound", file: fileOf(sound, "a recording") };
  if (video !== undefined) return { kind: "video", file: fileOf(video, "a video") };
  if (document?.mime_type === "image/jpeg") return imageOf([document]);
  if (document !== undefined) return { kind: "file", file: fileOf(document, "a file") };
  if (message.location !== undefined) return { kind: "location" };
  return message.contact !== undefined || message.poll !== undefined ? { kind: "other" } : null;
}

/** The sentence that answers a message without words. */
export function sentenceOf({ kind }: Attachment): string {
  return ANSWERS[kind];
}

/** The words with what the model learns of the attachment; an image that can be loaded speaks for itself. */
export function withAttachment(words: string, attachment: Attachment): string {
  return "file" in attachment ? withFiles(words, [attachment.file]) : words;
}

/** The largest of the sizes that can be loaded. */
function imageOf(sizes: readonly TelegramFile[]): Attachment {
  const size = sizes.findLast(({ file_id: id, file_size: bytes = 0 }) => id !== undefined && bytes <= LARGEST_FILE);
  if (size?.file_id !== undefined) return { kind: "image", fileId: size.file_id };
  return { kind: "picture", file: { ...fileOf(sizes.at(-1) ?? {}, "a picture"), type: "image/jpeg" } };
}

function fileOf({ file_name: name, mime_type: type, file_size: bytes }: TelegramFile, otherwise: string): SentFile {
  return { name: name ?? otherwise, type, bytes };
}
