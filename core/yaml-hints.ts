/** What helps with invalid YAML: the likely cure, and the line with a mark below the place. Loaded for errors only. */
import { createRedactor } from "./home/redact.ts";
import { terminalText } from "./terminal-text.ts";

const QUOTES = "put quotes around the value";

/** By the parser's code: what usually helps. */
const CURES: Readonly<Record<string, string>> = {
  BAD_ALIAS: QUOTES,
  BAD_DQ_ESCAPE: "in double quotes a backslash is written twice; single quotes take it as it is",
  BAD_INDENT: "close the bracket on a line that is indented",
  BAD_SCALAR_START: QUOTES,
  BLOCK_AS_IMPLICIT_KEY: `${QUOTES}, or check the indentation`,
  DUPLICATE_KEY: "keep one of the two",
  MULTILINE_IMPLICIT_KEY: "write a colon and a blank after the key, or check the indentation",
  TAB_AS_INDENT: "indent with spaces, not tabs",
  UNEXPECTED_TOKEN: `${QUOTES}, or check the indentation`,
};

/** ` (put quotes around the value)`, or nothing when the message says enough. */
export function cureFor(code: string, message: string): string {
  if (/tab/i.test(message)) return ` (${CURES["TAB_AS_INDENT"]})`;
  if (code === "MISSING_CHAR") return message.includes("quote") ? " (close the quote)" : " (check the indentation)";
  return CURES[code] === undefined ? "" : ` (${CURES[code]})`;
}

/** Longer lines are cut; a place beyond that gets no mark. */
const LONGEST = 100;
/** A line that names a secret is not shown: its value may be one. */
const SECRET = /key|token|secret|passw|auth|bearer|credential/i;

/** The line of an offset with its number, and a `^` below the offset; empty where there is nothing to show. */
export function excerptOf(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const [whole = ""] = text.slice(start).split(/\r?\n/, 1);
  const line = whole.slice(0, LONGEST).replaceAll("\t", " ");
  if (line.trim() === "" || SECRET.test(whole) || terminalText(line) !== line) return "";
  if (createRedactor({})(whole) !== whole) return "";
  const lead = `    ${before.split("\n").length} | `;
  const column = offset - start;
  const mark = column < LONGEST ? `\n${" ".repeat(lead.length - 2)}| ${" ".repeat(column)}^` : "";
  return `\n${lead}${line}${mark}`;
}
