/** WhatsApp's own form of a text: https://faq.whatsapp.com/539178204879377 */
import type { ReplyButtons } from "#core/ports/platform";
import { renderMarkdown, verbatim, type MarkdownStyle } from "#gateway/adapters/shared/markdown";
import { splitText } from "#gateway/adapters/shared/split";

/** https://developers.facebook.com/docs/whatsapp/cloud-api/messages/text-messages */
const LONGEST_TEXT = 4096;
/** https://developers.facebook.com/docs/whatsapp/cloud-api/messages/interactive-reply-buttons-messages */
const LONGEST_QUESTION = 1024;
const QUESTION = "Your answer?";

/** WhatsApp has no way to escape a character, and code blocks have no language. */
const STYLE: MarkdownStyle = {
  text: (text) => text,
  bold: (text) => aroundLines("*", text),
  italic: (text) => aroundLines("_", text),
  strike: (text) => aroundLines("~", text),
  code: (code) => (code.includes("`") ? `\`\`\`${code}\`\`\`` : `\`${code}\``),
  codeBlock: (code) => `\`\`\`\n${code}\n\`\`\``,
  link: (text, url) =>
    text === "" || url.replace(/^(?:mailto:|https?:\/\/)/, "") === text ? text || url : `${text} (${url})`,
};

/**
 * The messages of a text. With buttons, it is a question of the gateway: it is shown as it is, and the buttons, which go
 * with the last message, need a short text.
 */
export function piecesOf(text: string, buttons: ReplyButtons | undefined): readonly string[] {
  if (buttons === undefined) return splitText(renderMarkdown(text, STYLE), LONGEST_TEXT);
  const shown = /[*_~`]/.test(text) ? verbatim(text) : text;
  const pieces = splitText(shown, LONGEST_TEXT);
  const last = pieces.at(-1) ?? "";
  return last !== "" && last.length <= LONGEST_QUESTION ? pieces : [...pieces, QUESTION];
}

/** A style ends at the end of a line. */
function aroundLines(mark: string, text: string): string {
  return text.replaceAll(/\S(?:.*\S)?/g, (line) => `${mark}${line}${mark}`);
}
