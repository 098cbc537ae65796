/** Expands a word of the syntax tree into every text that bash could make of it. */
import { userInfo } from "node:os";
import {
  forEachChild,
  parse,
  type ParameterExpansionPart,
  type Script,
  type SyntaxNode,
  type Word as SyntaxWord,
  type WordPart,
} from "unbash";
import {
  ANY_ONE,
  ANY_RUN,
  BELOW,
  isUnknown,
  joinWords,
  SCRIPT,
  UNKNOWN,
  UNKNOWN_WORD,
  type Word,
  wordOf,
} from "./patterns.ts";
import type { Folders, ShellState } from "./state.ts";

export interface ExpansionContext {
  readonly state: ShellState;
  readonly folders: Folders;
  /** Checks the code of a substitution and gives what it may print. */
  readonly substitute: (script: Script | undefined) => Word;
}

/** The alternatives of a word as one text. */
export function expandWord(word: SyntaxWord | undefined, context: ExpansionContext): Word {
  if (word === undefined) return [""];
  const { parts } = word;
  if (parts === undefined) return word.text.startsWith("~") ? expandTilde(word.value, context) : [word.value];
  const first = parts[0];
  const tilde = first?.type === "Literal" && first.text.startsWith("~");
  return parts.reduce<Word>(
    (start, part, index) =>
      joinWords(
        start,
        index === 0 && tilde
          ? expandTilde(part.type === "Literal" ? part.value : "", context)
          : expandPart(part, false, context),
      ),
    [""],
  );
}

/** The words that bash splits a word into: values with blanks, unquoted, become several. */
export function splitWord(word: SyntaxWord, context: ExpansionContext): readonly Word[] {
  const texts = expandWord(word, context);
  const splits = word.parts?.some(({ type }) => SPLITTING.has(type)) ?? false;
  if (!splits) return [texts];
  const separators = wordOf([" ", "\t", "\n", ...context.state.values("IFS", context.folders)]).join("");
  const pieces = texts.flatMap((text) => piecesOf(text, separators)).filter((piece) => !texts.includes(piece));
  return [texts, ...wordOf(pieces).map((piece) => [piece])];
}

const SPLITTING: ReadonlySet<string> = new Set(["SimpleExpansion", "ParameterExpansion", "CommandExpansion"]);

function piecesOf(text: string, separators: string): readonly string[] {
  const pieces = [""];
  for (const character of text) {
    if (separators.includes(character)) pieces.push("");
    else pieces.push((pieces.pop() ?? "") + character);
  }
  return pieces.filter((piece) => piece !== "");
}

export function expandParts(parts: readonly WordPart[], quoted: boolean, context: ExpansionContext): Word {
  return parts.reduce<Word>((start, part) => joinWords(start, expandPart(part, quoted, context)), [""]);
}

function expandPart(part: WordPart, quoted: boolean, context: ExpansionContext): Word {
  const { state, folders, substitute } = context;
  const unquoted = (values: Word) => (quoted ? values : values.map((value) => state.wildcards(value)));
  switch (part.type) {
    case "Literal":
    case "SingleQuoted":
    case "AnsiCQuoted":
      return [part.value];
    case "Glob":
      for (const script of scriptsIn(part)) substitute(script);
      if (state.wildcardsChanged) return UNKNOWN_WORD;
      return [part.kind === "star" ? ANY_RUN : ANY_ONE];
    case "DoubleQuoted":
    case "LocaleString":
      return expandParts(part.parts, true, context);
    case "SimpleExpansion":
      return unquoted(state.values(part.text.slice(1), folders));
    case "ParameterExpansion":
      return unquoted(expandParameter(part, context));
    case "CommandExpansion":
      return unquoted(substitute(part.script));
    case "ProcessSubstitution":
      return [substitute(part.script).every((text) => text === SCRIPT) ? `/dev/fd/${SCRIPT}` : `/dev/fd/${ANY_RUN}`];
    case "ArithmeticExpansion":
      for (const script of scriptsIn(part)) substitute(script);
      return [ANY_RUN];
    case "BraceExpansion":
      return expandBraces(part.text, context);
    default:
      for (const script of scriptsIn(part)) substitute(script);
      return UNKNOWN_WORD;
  }
}

/** The code inside a part of the tree, but not the code inside that. */
export function scriptsIn(node: SyntaxNode): readonly Script[] {
  const found: Script[] = [];
  forEachChild(node, (child) => {
    if (child.type === "Script") found.push(child);
    else found.push(...scriptsIn(child));
  });
  return found;
}

/** The texts inside a part of the tree, but not the code inside that. */
export function textsIn(node: SyntaxNode): readonly string[] {
  const found: string[] = [];
  forEachChild(node, (child) => {
    if (child.type === "Word" && child.parts === undefined) found.push(child.value);
    if (child.type === "SingleQuoted" || child.type === "Literal") found.push(child.value);
    else if (child.type !== "Script") found.push(...textsIn(child));
  });
  return found;
}

function expandTilde(text: string, { state, folders }: ExpansionContext): Word {
  const [, name = "", rest = ""] = /^~([^/]*)(.*)$/s.exec(text) ?? [];
  const homes = tildeValues(name, state, folders);
  return homes === null ? [text] : wordOf(homes.map((home) => home + rest));
}

function tildeValues(name: string, state: ShellState, folders: Folders): Word | null {
  if (name === "" || name === userName()) return state.values("HOME", folders);
  if (name === "+") return folders;
  if (/^(?:-|[+-]?\d+)$/.test(name)) return state.values("OLDPWD", folders);
  // Another user's home, or a name that bash leaves as it is.
  return /^[\w.-]+$/.test(name) ? UNKNOWN_WORD : null;
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // The user has no entry in the system's user database, so no name.
    return undefined;
  }
}

function expandParameter(part: ParameterExpansionPart, context: ExpansionContext): Word {
  const { state, folders } = context;
  const values = state.values(part.parameter, folders);
  if (part.index !== undefined) expandWord(part.index, context);
  if (part.prefix === "#") return [ANY_RUN];
  if (part.prefix === "!") {
    // An indirect value, or names.
    if (part.operation !== undefined || values.some(isUnknown)) return UNKNOWN_WORD;
    return wordOf(values.flatMap((name) => (/^\w+$/.test(name) ? state.values(name, folders) : [UNKNOWN])));
  }
  const { operation } = part;
  if (operation === undefined) return values;
  switch (operation.type) {
    case "Default": {
      const other = expandWord(operation.operand, context);
      if (operation.operator.includes("=")) state.remember(part.parameter, other);
      if (operation.operator.includes("+")) return wordOf(["", ...other]);
      return operation.operator.includes("?") ? values : wordOf([...values.filter((value) => value !== ""), ...other]);
    }
    case "Remove":
      return wordOf(
        expandWord(operation.operand, context).flatMap((affix) =>
          values.flatMap((value) => removeAffix(value, affix, operation.operator)),
        ),
      );
    case "Replace": {
      const [patterns, replacements] = [operation.pattern, operation.replacement].map((each) =>
        expandWord(each, context),
      );
      return wordOf(
        values.flatMap((value) => replaceIn(value, patterns ?? [], replacements ?? [], operation.operator)),
      );
    }
    case "Slice":
      // Of a list, whole elements.
      if (/^[@*]$/.test(part.index?.value ?? part.parameter)) return values;
      return wordOf(values.map((value) => sliceOf(value, operation.offset.value, operation.length?.value)));
    default:
      return UNKNOWN_WORD;
  }
}

const PLAIN = /^[\w@%+:.,/ -]*$/;
/** The same with gaps that hold no slash. */
const PIECES = new RegExp(`^[\\w@%+:.,/ ${ANY_RUN}${ANY_ONE}-]*$`);

/** `${x%affix}` and the like; exact where the affix has no wildcard, or is `*` beside one character. */
function removeAffix(value: string, affix: string, operator: string): readonly string[] {
  const front = operator.startsWith("#");
  if (value.includes(BELOW) && !isUnknown(value)) {
    if (affix === `${ANY_RUN}/`) return [BELOW];
    if (affix === `/${ANY_RUN}`) return [value.slice(0, value.indexOf(BELOW) + 1)];
  }
  const [, before = "", after = ""] = new RegExp(`^([^${ANY_RUN}]*)${ANY_RUN}([^${ANY_RUN}]*)$`).exec(affix) ?? [];
  if (PLAIN.test(affix)) {
    const fits = front ? value.startsWith(affix) : value.endsWith(affix);
    if (fits && !isUnknown(value))
      return [front ? value.slice(affix.length) : value.slice(0, value.length - affix.length)];
    return PLAIN.test(value) ? [value] : [value, UNKNOWN];
  }
  const mark = before + after;
  // `##*/` and `%/*`: a mark on the wrong side of the star takes a run of its own.
  if (!PLAIN.test(mark) || mark === "" || !PIECES.test(value) || (front ? before !== "" : after !== ""))
    return [UNKNOWN];
  const last = (operator.length === 2) === front;
  const at = last ? value.lastIndexOf(mark) : value.indexOf(mark);
  const rest = at === -1 ? value : last ? value.slice(at + mark.length) : value.slice(0, at);
  // A gap may hold the mark, too, but for a slash.
  if (mark !== "/" && !PLAIN.test(rest)) return [UNKNOWN];
  if (at === -1) return [value];
  return [front ? value.slice(at + mark.length) : value.slice(0, at)];
}

function replaceIn(value: string, patterns: Word, replacements: Word, operator: string): readonly string[] {
  return patterns.flatMap((pattern) => {
    if (![value, pattern, ...replacements].every((text) => PLAIN.test(text)) || operator.length > 2) return [UNKNOWN];
    if (operator === "/#" || operator === "/%") return [UNKNOWN];
    if (pattern === "") return [value];
    return replacements.map((text) =>
      operator === "//" ? value.replaceAll(pattern, () => text) : value.replace(pattern, () => text),
    );
  });
}

function sliceOf(value: string, offset: string, length: string | undefined): string {
  if (!PLAIN.test(value) || !/^\d+$/.test(offset) || (length !== undefined && !/^\d+$/.test(length))) return UNKNOWN;
  return length === undefined
    ? value.slice(Number(offset))
    : value.slice(Number(offset), Number(offset) + Number(length));
}

/** Bash's brace expansion; a range, and what this cannot cut, is unknown. */
function expandBraces(text: string, context: ExpansionContext): Word {
  const pieces = cutBraces(text.slice(1, -1));
  if (pieces.length < 2) return /^\{\d+\.\.\d+(?:\.\.\d+)?\}$/.test(text) ? [ANY_RUN] : UNKNOWN_WORD;
  return wordOf(
    pieces.flatMap((piece) => {
      if (piece === "") return [""];
      const { commands, errors } = parse(`: ${piece}`);
      const command = commands[0]?.command;
      if (errors !== undefined || commands.length !== 1 || command?.type !== "Command") return UNKNOWN_WORD;
      const [word, ...others] = command.suffix;
      return word?.type === "Word" && others.length === 0 ? expandWord(word, context) : UNKNOWN_WORD;
    }),
  );
}

function cutBraces(text: string): readonly string[] {
  const pieces = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "{" || character === "(") depth += 1;
    if (character === "}" || character === ")") depth -= 1;
    if (character === "," && depth === 0) pieces.push("");
    else pieces.push((pieces.pop() ?? "") + character);
  }
  return pieces;
}
