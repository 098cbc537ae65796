/** Turns the Markdown of models into what a platform understands. */
import { Lexer, type Token, type Tokens } from "marked";

/** How a platform writes each thing. Texts that it gets are already in the platform's form, code is as it was. */
export interface MarkdownStyle {
  /** Plain text: keeps the platform from reading something else in it. */
  readonly text: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly italic: (text: string) => string;
  readonly strike: (text: string) => string;
  readonly code: (code: string) => string;
  readonly codeBlock: (code: string, language: string) => string;
  /** `text` is empty for an address alone. */
  readonly link: (text: string, url: string) => string;
}

const BULLET = "•";
const RULE = "———";
const WORD_JOINER = "\u2060";
const CHARACTERS = new Intl.Segmenter();

/** The text in the platform's form. Tables become aligned text in a code block. */
export function renderMarkdown(markdown: string, style: MarkdownStyle): string {
  return blocks(Lexer.lex(markdown, { gfm: true }), style);
}

/** The same Markdown, with tables as aligned text in code blocks. */
export function withoutTables(markdown: string): string {
  return Lexer.lex(markdown, { gfm: true })
    .map((token) => (isTable(token) ? `\`\`\`\n${tableText(token)}\n\`\`\`${/\n*$/.exec(token.raw)![0]}` : token.raw))
    .join("")
    .trimEnd();
}

/**
 * A code block of the text, in which no character is taken for a mark: the user decides by what it shows. Fences in the
 * text are broken up by a character without a width.
 */
export function verbatim(text: string): string {
  const unfenced = text.replaceAll(/`(?=`)|~(?=~)/g, (mark) => `${mark}${WORD_JOINER}`);
  return `\`\`\`\n${unfenced}\n\`\`\``;
}

function blocks(tokens: readonly Token[], style: MarkdownStyle): string {
  return tokens
    .flatMap((token) => {
      const text = block(token, style);
      return text === "" ? [] : [text];
    })
    .join("\n\n");
}

function block(token: Tokens.Generic, style: MarkdownStyle): string {
  switch (token.type) {
    case "space":
    case "def":
      return "";
    case "heading":
      return style.bold(plain(token.tokens ?? [], style));
    case "code":
      return style.codeBlock(String(token["text"]), String(token["lang"] ?? "").split(/\s/, 1)[0] ?? "");
    case "blockquote":
      return blocks(token.tokens ?? [], style).replaceAll(/^/gm, "> ");
    case "list":
      return list(token as Tokens.List, style);
    case "hr":
      return RULE;
    case "table":
      return style.codeBlock(tableText(token as Tokens.Table), "");
    case "html":
      return style.text(token.raw.trimEnd());
    default:
      return token.tokens === undefined ? style.text(String(token["text"] ?? token.raw)) : inline(token.tokens, style);
  }
}

function list({ items, ordered, start }: Tokens.List, style: MarkdownStyle): string {
  return items
    .map((item, index) => {
      const mark = ordered ? `${(start === "" ? 1 : start) + index}.` : BULLET;
      const box = item.task ? `[${item.checked === true ? "x" : " "}] ` : "";
      const separator = item.loose ? "\n\n" : "\n";
      const content = item.tokens
        .filter(({ type }) => type !== "checkbox")
        .map((token) => block(token as Tokens.Generic, style))
        .filter((text) => text !== "")
        .join(separator);
      return `${mark} ${box}${content.replaceAll("\n", `\n${" ".repeat(mark.length + 1)}`)}`;
    })
    .join("\n");
}

function inline(tokens: readonly Token[], style: MarkdownStyle): string {
  return tokens.map((token) => span(token as Tokens.Generic, style)).join("");
}

function span(token: Tokens.Generic, style: MarkdownStyle): string {
  const inner = () => inline(token.tokens ?? [], style);
  switch (token.type) {
    case "strong":
      return style.bold(inner());
    case "em":
      return style.italic(inner());
    case "del":
      return style.strike(inner());
    case "codespan":
      return style.code(String(token["text"]));
    case "br":
      return "\n";
    case "link": {
      const text = inner();
      const url = String(token["href"]);
      return style.link(token.raw === url || token.raw === `<${url}>` || text === style.text(url) ? "" : text, url);
    }
    case "image":
      return style.link(style.text(String(token["text"])), String(token["href"]));
    default:
      return token.tokens === undefined ? style.text(String(token["text"] ?? token.raw)) : inner();
  }
}

/** Words that are bold as a whole have no bold part of their own. */
function plain(tokens: readonly Token[], style: MarkdownStyle): string {
  return inline(tokens, { ...style, bold: (text) => text });
}

function isTable(token: Token): token is Tokens.Table {
  return token.type === "table";
}

function tableText({ header, rows, align }: Tokens.Table): string {
  const table = [header, ...rows].map((row) => row.map(({ text }) => text.replaceAll(/\s+/g, " ")));
  const widths = header.map((_, column) => Math.max(...table.map((row) => lengthOf(row[column] ?? ""))));
  const line = (row: readonly string[]) =>
    widths
      .map((width, column) => pad(row[column] ?? "", width, align[column] === "right"))
      .join("  ")
      .trimEnd();
  const [first = [], ...others] = table;
  return [line(first), widths.map((width) => "-".repeat(width)).join("  "), ...others.map(line)].join("\n");
}

function pad(text: string, width: number, isRight: boolean): string {
  const space = " ".repeat(Math.max(0, width - lengthOf(text)));
  return isRight ? space + text : text + space;
}

function lengthOf(text: string): number {
  return Iterator.from(CHARACTERS.segment(text)).reduce((count) => count + 1, 0);
}
