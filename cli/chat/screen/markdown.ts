/** Renders an answer's Markdown as rows of the terminal (pi-tui's renderer, with our colours and our rules for links). */
import { Markdown, type MarkdownTheme } from "@earendil-works/pi-tui/dist/components/markdown.js";
import { detectCapabilities, setCapabilities } from "@earendil-works/pi-tui/dist/terminal-image.js";
import { stripTerminalSequences, visibleWidth, wrapTextWithAnsi } from "@earendil-works/pi-tui/dist/utils.js";
import { highlight } from "./highlight.ts";
import { shownTokens, type InlineToken } from "./inline-tokens.ts";
import type { Palette } from "./palette.ts";

/** Renders Markdown as rows of at most `width` columns. The text has no control characters but newline and tab. */
export type RenderMarkdown = (text: string, width: number) => readonly string[];

/** Addresses that may become links: what a click may open without harm. */
const ADDRESS = /^(?:https?:\/\/|mailto:)[^\s\p{Cc}]+$/iu;
const CODE_INDENT = "  ";
/** Marks the rows of fences around code. */
const FENCE = "\u{f0002}";
/** Terminals built on VTE know links since this version. */
const VTE_WITH_LINKS = 5000;
const LAST_BLANKS = / +$/;
// oxlint-disable-next-line no-control-regex -- escape sequences are what is taken out
const STYLES = /\u001b\[[\d;]*m/g;

/** `links` is true where the terminal knows links (OSC 8). */
export function createMarkdown(palette: Palette, links: boolean): RenderMarkdown {
  // With links of its own, the renderer would hide where they lead to.
  setCapabilities({ images: null, trueColor: false, hyperlinks: false });
  let room = 0;
  const theme = themeOf(palette, links, () => room);
  const component = new Markdown("", 0, 0, theme, undefined, { renderLatex: false, preserveOrderedListMarkers: true });
  replaceTokens(component);
  return (text, width) => {
    // It keeps what was made for another width.
    if (room !== width - CODE_INDENT.length) component.invalidate();
    room = width - CODE_INDENT.length;
    component.setText(text);
    const rows = component.render(width).filter((row) => !row.includes(FENCE));
    // The renderer ends styles in cells of tables even where none has begun.
    const shown = palette.isColored ? rows : rows.map((row) => row.replaceAll(STYLES, ""));
    return shown.map((row) => row.replace(LAST_BLANKS, ""));
  };
}

/** The renderer has no theme for images and line breaks of HTML, so it gets other parts in their place. */
function replaceTokens(component: Markdown): void {
  const renderer = component as unknown as { renderInlineTokens(tokens: InlineToken[], style?: unknown): string };
  const render = renderer.renderInlineTokens.bind(component);
  renderer.renderInlineTokens = (tokens, style) => render(shownTokens(tokens), style);
}

/** True for terminals that are known to know links. */
export function knowsLinks(env: NodeJS.ProcessEnv): boolean {
  // A multiplexer may drop links, and asking it would take a process.
  if (env["TMUX"] !== undefined) return false;
  return detectCapabilities(() => false).hyperlinks || Number(env["VTE_VERSION"]) >= VTE_WITH_LINKS;
}

function themeOf(palette: Palette, links: boolean, room: () => number): MarkdownTheme {
  const { dim, bold, italic, underline, strike, cyan, magenta } = palette;
  const linked = (address: string, text: string) =>
    links && ADDRESS.test(address) ? `\u001b]8;;${address}\u001b\\${text}\u001b]8;;\u001b\\` : text;
  return {
    heading: (text) => bold(magenta(text)),
    // Behind text that says something else the address follows, and is the link.
    link: (text) => linked(stripTerminalSequences(text), cyan(text)),
    linkUrl: (text) => {
      const [, before = "", address = "", after = ""] = /^( \()(.*)(\))$/s.exec(text) ?? [];
      return dim(before) + linked(address, dim(address)) + dim(after);
    },
    code: cyan,
    codeBlock: (text) => text,
    // Code shows by its margin and its colours.
    codeBlockBorder: () => FENCE,
    codeBlockIndent: CODE_INDENT,
    quote: italic,
    quoteBorder: dim,
    hr: dim,
    listBullet: cyan,
    bold,
    italic,
    strikethrough: strike,
    underline,
    // A line that is broken keeps the margin.
    highlightCode: (code, language) =>
      highlight(code, language, palette).flatMap((line) =>
        visibleWidth(line) <= room() ? [line] : wrapTextWithAnsi(line, room()),
      ),
  };
}
