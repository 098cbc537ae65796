/** Questions with buttons, in Block Kit (https://docs.slack.dev/reference/block-kit). */
import type { ReplyButtons } from "#core/ports/platform";
import { splitText } from "#gateway/adapters/shared/split";

/** The maximum length of a section's text (https://docs.slack.dev/reference/block-kit/blocks/section-block). */
const LONGEST_SECTION = 3000;
/** A message has 50 blocks, and about 13,000 characters in them. Questions are shorter. */
export const LONGEST_QUESTION = 12_000;
const BLOCK_ID = "hermes";

/**
 * The text as blocks. It is plain: a question shows what a tool would run, so Slack must not take a `*` of it for bold.
 * Without choices it has no buttons.
 */
export function questionBlocks(text: string, choices: ReplyButtons["choices"] = []): readonly object[] {
  const sections = splitText(text, LONGEST_SECTION).map((piece) => ({
    type: "section",
    text: { type: "plain_text", text: piece, emoji: false },
    expand: true,
  }));
  const elements = choices.map(({ label, message, style }, index) => ({
    type: "button",
    text: { type: "plain_text", text: label },
    action_id: `choice-${index}`,
    value: message,
    ...(style === undefined ? {} : { style }),
  }));
  return elements.length === 0 ? sections : [...sections, { type: "actions", block_id: BLOCK_ID, elements }];
}

/** What a pressed button of ours says; null for other actions. */
export function pressedMessage(action: unknown): string | null {
  const { block_id: block, value } = (action ?? {}) as { block_id?: unknown; value?: unknown };
  return block === BLOCK_ID && typeof value === "string" && value !== "" ? value : null;
}
