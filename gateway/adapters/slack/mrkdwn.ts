/** Writes Markdown as Slack's mrkdwn (https://docs.slack.dev/messaging/formatting-message-text). */
import { renderMarkdown, type MarkdownStyle } from "#gateway/adapters/shared/markdown";
import { splitText } from "#gateway/adapters/shared/split";

/**
 * The length of a message that Slack advises; chat.update refuses longer ones
 * (https://docs.slack.dev/reference/methods/chat.update).
 */
const LONGEST_PIECE = 4000;
/** The longest escape, which must not be cut. */
const ESCAPE = "&amp;".length;
/** Slack would take other targets for a user or a group to notify: `!channel`. */
const ADDRESS = /^(?:https?:\/\/|mailto:)/i;

const STYLE: MarkdownStyle = {
  text: escape,
  bold: (text) => wrap(text, "*"),
  italic: (text) => wrap(text, "_"),
  strike: (text) => wrap(text, "~"),
  code: (code) => wrap(escape(code).replaceAll("`", "'"), "`"),
  // Slack shows a language as a line of the code. A fence inside the code would end it.
  codeBlock: (code) => `\`\`\`\n${escape(code).replaceAll("```", "``\u200B`")}\n\`\`\``,
  link(text, url) {
    if (!ADDRESS.test(url)) return text === "" ? escape(url) : `${text} (${escape(url)})`;
    const target = escape(url).replaceAll("|", "%7C");
    // An image is a link, too, and links have no links in them.
    const label = text.replaceAll(/<(?:[^<>|]*\|)?([^<>|]*)>/g, "$1").replaceAll(/[\n|]/g, " ");
    return label.trim() === "" ? `<${target}>` : `<${target}|${label}>`;
  },
};

/** The Markdown in pieces that Slack accepts. It notifies nobody, whatever it says. */
export function splitMarkdown(markdown: string): readonly string[] {
  const whole: string[] = [];
  for (const piece of splitText(renderMarkdown(markdown, STYLE), LONGEST_PIECE - ESCAPE)) {
    const before = whole.at(-1) ?? "";
    // A text without spaces was cut in the middle of an escape.
    const cut = /^[a-z]{0,3};/.test(piece) ? /&[a-z]{0,3}$/.exec(before) : null;
    if (cut !== null) whole.splice(-1, 1, before.slice(0, cut.index));
    whole.push((cut?.[0] ?? "") + piece);
  }
  return whole;
}

/** What Slack would read as a mention, a link or an escape is text. */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Slack formats within a line, and nothing that begins or ends with a space. */
function wrap(text: string, mark: string): string {
  return text.replaceAll(/[^\n]+/g, (line) => {
    const words = line.trim();
    return words === "" ? line : line.replace(words, () => `${mark}${words}${mark}`);
  });
}
