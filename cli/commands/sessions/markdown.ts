/** A session as a Markdown document. */
import type { ExportedSession } from "#agent/sessions";
import type { ChatMessage } from "#core/messages";

const HEADINGS: Readonly<Record<ChatMessage["role"], string>> = {
  user: "User",
  assistant: "Assistant",
  system: "Context",
  tool: "Result",
};

/** The session's title and properties, then each message under a heading; calls and results as blocks of code. */
export function toMarkdown({ messages, ...session }: ExportedSession): string {
  const properties = [
    `- Session: \`${session.id}\``,
    `- Created: ${session.created_at}`,
    `- Last used: ${session.updated_at}`,
    `- Platform: ${session.platform}`,
    ...(session.model === null ? [] : [`- Model: ${session.model}`]),
  ];
  const title = (session.title ?? "").replaceAll(/\s+/g, " ").trim();
  return [`# ${title || session.id}`, properties.join("\n"), ...messages.flatMap(blocksOf)].join("\n\n");
}

function blocksOf(message: ChatMessage): string[] {
  const heading = `## ${HEADINGS[message.role]}`;
  if (message.role === "tool") return [heading, codeBlock(message.content, "json")];
  const content = message.content?.trim() ?? "";
  const calls = message.role === "assistant" ? (message.tool_calls ?? []) : [];
  const images = message.role === "user" ? (message.images ?? []) : [];
  return [
    heading,
    ...(content === "" ? [] : [content]),
    ...images.map(({ media_type }) => `(an image, ${media_type})`),
    ...calls.flatMap(({ function: called }) => [`Call of \`${called.name}\`:`, codeBlock(called.arguments, "json")]),
  ];
}

/** A fence that is longer than any in the text, which cannot end it then. */
function codeBlock(text: string, language: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
