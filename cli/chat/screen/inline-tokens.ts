/** Parts of a line of Markdown that a terminal shows in another way than a page does. */

/** What is read of marked's inline tokens. */
export interface InlineToken {
  readonly type: string;
  readonly raw: string;
  readonly text?: string;
  readonly href?: string;
  readonly tokens?: readonly InlineToken[];
}

const LINE_BREAK = /^<br\s*\/?>$/i;
/** An image that is part of the text: its bytes are no address. */
const EMBEDDED = /^(data:[^,]{0,100}),.*/s;

/**
 * Images as links, `[image: alt] (address)`, and `<br>` as the line break that it is. The image of a linked image has
 * no address of its own: the link's is what matters.
 */
export function shownTokens(tokens: readonly InlineToken[]): InlineToken[] {
  return tokens.map((token) => {
    if (token.type === "image") return imageLink(token);
    if (token.type === "html" && LINE_BREAK.test(token.raw.trim())) return { type: "br", raw: token.raw };
    if (token.type !== "link") return token;
    return { ...token, tokens: (token.tokens ?? []).map((child) => (child.type === "image" ? label(child) : child)) };
  });
}

function imageLink(token: InlineToken): InlineToken {
  const { raw, href = "" } = token;
  const { text, tokens } = { ...label(token), tokens: [label(token)] };
  return { type: "link", raw, text, tokens, href: href.replace(EMBEDDED, "$1,…") };
}

function label({ raw, text = "" }: InlineToken): InlineToken & { readonly text: string } {
  return { type: "text", raw, text: text === "" ? "[image]" : `[image: ${text}]` };
}
