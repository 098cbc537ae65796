/** Discord's own Markdown is that of models, but for tables. */
import { withoutTables } from "#gateway/adapters/shared/markdown";
import { splitText } from "#gateway/adapters/shared/split";

/** The maximum length of a message (Create Message, `content`), in UTF-16 units. */
const LONGEST_PIECE = 2000;

/** A text as Discord shows it, in the pieces that it accepts. */
export function formatPieces(text: string): readonly string[] {
  return splitText(withoutTables(text), LONGEST_PIECE);
}
