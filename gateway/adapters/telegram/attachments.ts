/** What comes with a message besides text, and what to say of it. */
import { LARGEST_FILE } from "#gateway/adapters/shared/files";

interface TelegramFile {
  readonly file_id?: string;
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

type Attachment = { readonly kind: "image"; readonly fileId: string } | { readonly kind: Exclude<Kind, "image"> };
type Kind = keyof typeof KINDS;

/** `answer`: to a message without words. `note`: for the model, behind the words. */
const KINDS = {
  image: { answer: "Please add a caption to the picture that says what I should do with it.", note: "" },
  "too large": {
    answer: "This picture is too large for me. Please send a smaller one, with a caption.",
    note: "(A picture was sent with this message that is too large to load.)",
  },
  sound: {
    answer: "I can't listen to voice messages. Please write to me.",
    note: "(A recording was sent with this message, which you cannot hear.)",
  },
  video: {
    answer: "I can't watch videos. Please write to me.",
    note: "(A video was sent with this message, which you cannot see.)",
  },
  file: {
    answer: "I can't open files. Please write to me.",
    note: "(A file was sent with this message, which you cannot open.)",
  },
  location: { answer: "I can't read locations. Please write where you are.", note: "" },
  other: { answer: "I can't read messages of this kind. Please write to me.", note: "" },
} as const;

/** What came with the message; null for nothing that we know. */
export function attachmentOf(message: Attachments): Attachment | null {
  const { photo, document } = message;
  if (Array.isArray(photo)) return imageOf(photo);
  if (message.voice !== undefined || message.audio !== undefined) return { kind: "sound" };
  if (message.video !== undefined || message.video_note !== undefined) return { kind: "video" };
  if (document !== undefined) return document.mime_type === "image/jpeg" ? imageOf([document]) : { kind: "file" };
  if (message.location !== undefined) return { kind: "location" };
  return message.contact !== undefined || message.poll !== undefined ? { kind: "other" } : null;
}

/** The sentence that answers a message without words. */
export function sentenceOf({ kind }: Attachment): string {
  return KINDS[kind].answer;
}

/** What the model is told besides the words; an image that can be loaded speaks for itself. */
export function noteOf({ kind }: Attachment): string {
  const { note } = KINDS[kind];
  return note === "" ? "" : `\n\n${note}`;
}

/** The largest of the sizes that can be loaded. */
function imageOf(sizes: readonly TelegramFile[]): Attachment {
  const size = sizes.findLast(({ file_id: id, file_size: bytes = 0 }) => id !== undefined && bytes <= LARGEST_FILE);
  return size?.file_id === undefined ? { kind: "too large" } : { kind: "image", fileId: size.file_id };
}
