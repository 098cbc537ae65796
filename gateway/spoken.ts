/** Tells the model who speaks in a group, and which message was replied to. */
import type { InboundMessage } from "#core/ports/platform";

const LONGEST_NAME = 80;
const LONGEST_QUOTE = 500;

/**
 * The text of a message as the model reads it: one line in brackets before the user's words, or the words alone. Names
 * and quotes are other people's text, so they cannot add lines.
 */
export function spokenText(
  text: string,
  { speaker, reply_to: reply }: Pick<InboundMessage, "speaker" | "reply_to">,
): string {
  const about = [
    ...(speaker === undefined ? [] : [`From ${inLine(speaker, LONGEST_NAME)}`]),
    ...(reply === undefined
      ? []
      : [`in reply to ${inLine(reply.speaker, LONGEST_NAME)}: "${inLine(reply.text, LONGEST_QUOTE)}"`]),
  ];
  return about.length === 0 ? text : `[${about.join(", ")}]\n${text}`;
}

function inLine(text: string, most: number): string {
  const line = text
    .replaceAll(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/[[\]]/g, "|")
    .trim();
  return line.length > most ? `${line.slice(0, most).toWellFormed()}…` : line;
}
