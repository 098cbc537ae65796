/** Buttons below a message, and what a press of one says. */
import { ButtonStyle, ComponentType } from "discord-api-types/v10";
import type { ReplyButton } from "#core/ports/platform";

/** Tells our buttons from those of another program with the same bot. */
const PREFIX = "hermes:";

const STYLES = { primary: ButtonStyle.Primary, danger: ButtonStyle.Danger } as const;

/** The rows of components of a message: at most five buttons each. */
export function componentsOf(choices: readonly ReplyButton[]): readonly object[] {
  const components = choices.map(({ label, message, style }) => ({
    type: ComponentType.Button,
    style: style === undefined ? ButtonStyle.Secondary : STYLES[style],
    label,
    // At most 100 characters. Discord sends it back only for a button that is there.
    custom_id: PREFIX + message,
  }));
  return [{ type: ComponentType.ActionRow, components }];
}

/** The message that a press stands for; null for a button of another program. */
export function messageOf(customId: unknown): string | null {
  return typeof customId === "string" && customId.startsWith(PREFIX) ? customId.slice(PREFIX.length) : null;
}
