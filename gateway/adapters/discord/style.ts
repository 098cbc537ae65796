/** Discord's own Markdown is that of models, but for tables. */
import type { ReplyButtons } from "#core/ports/platform";
import { verbatim, withoutTables } from "#gateway/adapters/shared/markdown";
import { splitText } from "#gateway/adapters/shared/split";

/** The maximum length of a message (Create Message, `content`), in UTF-16 units. */
const LONGEST_PIECE = 2000;

/**
 * A text as Discord shows it, in the pieces that it accepts. With buttons it is a question of the gateway, which is shown
 * as it is: a tool call must not hide a part of itself as a spoiler or behind a link.
 */
export function formatPieces(text: string, buttons?: ReplyButtons): readonly string[] {
  return splitText(buttons === undefined ? withoutTables(text) : verbatim(text), LONGEST_PIECE);
}
