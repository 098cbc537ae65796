/**
 * Parses a shell command line into simple commands and their words, expanded as far as possible without running
 * anything. It works for the guard, so where the shell's result is uncertain it gives every possibility
 * (alternatives, wildcards), not the most likely one. It runs nothing and never throws.
 */

/** Represents `*` in an expanded word. */
export const ANY_RUN = "\uE000";
/** Represents `?` and `[…]` in an expanded word. */
export const ANY_ONE = "\uE001";
/** Represents what only a run could tell in an expanded word: a command substitution, a trimmed variable. */
export const UNKNOWN = "\uE002";
const BRACE_OPEN = "\uE003";
const BRACE_COMMA = "\uE004";
const BRACE_CLOSE = "\uE005";
const BRACE_MARKS = new RegExp(`[${BRACE_OPEN}${BRACE_COMMA}${BRACE_CLOSE}]`);
const MAX_BRACES = 6;
const MAX_ALTERNATIVES = 64;

/** One word: every text it may expand to. */
export type Word = readonly string[];

export interface ParsedCommand {
  /** Simple commands in order, each a list of words; redirection targets are words of their command. */
  readonly commands: readonly (readonly Word[])[];
  /** The source of command and process substitutions and of backticks, to be checked separately. */
  readonly substitutions: readonly string[];
}

/**
 * Parses a command line. `variables` has the known values of each name; assignments and `for` loops inside the
 * command add to it. An unknown variable is empty, as in the shell.
 */
export function parseShellCommand(source: string, variables: Map<string, readonly string[]>): ParsedCommand {
  const reader = new CommandReader(source, variables);
  return reader.read();
}

class CommandReader {
  readonly #source: string;
  readonly #variables: Map<string, readonly string[]>;
  readonly #commands: Word[][] = [];
  readonly #substitutions: string[] = [];
  #at = 0;
  #command: Word[] = [];
  /** The alternatives of the word being read; null between words. */
  #word: string[] | null = null;

  constructor(source: string, variables: Map<string, readonly string[]>) {
    this.#source = source.replaceAll(/\\\n/g, "");
    this.#variables = variables;
  }

  read(): ParsedCommand {
    while (this.#at < this.#source.length) this.#step();
    this.#endCommand();
    return { commands: this.#commands, substitutions: this.#substitutions };
  }

  #step(): void {
    const char = this.#source[this.#at] as string;
    const next = this.#source[this.#at + 1];
    this.#at += 1;
    if (char === " " || char === "\t") return this.#endWord();
    if ((char === "<" || char === ">") && next === "(") return this.#substitution(")");
    if (char === "<" || char === ">") return this.#endWord();
    // `&>` and `>&` are redirections: the command continues after them.
    if (char === "&" && (next === ">" || this.#source[this.#at - 2] === ">")) return this.#endWord();
    if ("\n;|&()".includes(char)) return this.#endCommand();
    if (char === "#" && this.#word === null) return this.#comment();
    if (char === "\\") return this.#append(this.#source[this.#at++] ?? "");
    if (char === "'") return this.#append(this.#upTo("'"));
    if (char === '"') return this.#doubleQuoted();
    if (char === "`") return this.#backticks();
    if (char === "$") return this.#dollar(false);
    if (char === "*") return this.#append(ANY_RUN);
    if (char === "?") return this.#append(ANY_ONE);
    if (char === "[") return this.#bracket();
    if (char === "{") return this.#append(BRACE_OPEN);
    if (char === ",") return this.#append(BRACE_COMMA);
    if (char === "}") return this.#append(BRACE_CLOSE);
    this.#append(char);
  }

  #append(text: string): void {
    this.#word = (this.#word ?? [""]).map((start) => start + text);
  }

  #appendOneOf(texts: readonly string[]): void {
    const starts = this.#word ?? [""];
    if (starts.length * texts.length > MAX_ALTERNATIVES) return this.#append(UNKNOWN);
    this.#word = starts.flatMap((start) => texts.map((text) => start + text));
  }

  #endWord(): void {
    if (this.#word === null) return;
    const word = this.#word.flatMap((text) => expandBraces(text)).slice(0, MAX_ALTERNATIVES);
    this.#word = null;
    this.#command.push(word);
    this.#learn(word);
  }

  #endCommand(): void {
    this.#endWord();
    if (this.#command.length > 0) this.#commands.push(this.#command);
    this.#command = [];
  }

  /** Records `NAME=value` and the values of `for NAME in …`. */
  #learn(word: Word): void {
    for (const text of word) {
      const assignment = /^([A-Za-z_]\w*)\+?=(.*)$/s.exec(text);
      if (assignment) this.#remember(assignment[1] as string, assignment[2] as string);
    }
    const [first, name] = this.#command;
    if ((first?.[0] === "for" || first?.[0] === "select") && this.#command.length > 3 && name?.[0] !== undefined) {
      for (const text of word) this.#remember(name[0], text);
    }
  }

  #remember(name: string, value: string): void {
    const known = this.#variables.get(name) ?? [];
    if (!known.includes(value) && known.length < MAX_ALTERNATIVES) this.#variables.set(name, [...known, value]);
  }

  #comment(): void {
    const end = this.#source.indexOf("\n", this.#at);
    this.#at = end === -1 ? this.#source.length : end;
  }

  #doubleQuoted(): void {
    this.#append("");
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at++] as string;
      if (char === '"') return;
      if (char === "\\" && '$`"\\'.includes(this.#source[this.#at] ?? " "))
        this.#append(this.#source[this.#at++] ?? "");
      else if (char === "$") this.#dollar(true);
      else if (char === "`") this.#backticks();
      else this.#append(char);
    }
  }

  #dollar(quoted: boolean): void {
    const next = this.#source[this.#at];
    if (next === "(") return this.#substitution(")");
    if (next === "{") return this.#braceVariable();
    if (next === "'" && !quoted) {
      this.#at += 1;
      return this.#append(decodeEscapes(this.#upTo("'", true)));
    }
    if (next === '"' && !quoted) return;
    // `$$`, `$!`, `$@`, `$*`
    if (next !== undefined && "$!@*".includes(next)) {
      this.#at += 1;
      return this.#append(UNKNOWN);
    }
    const name = /^\w+/.exec(this.#source.slice(this.#at, this.#at + 100))?.[0];
    if (name === undefined) return this.#append("$");
    this.#at += name.length;
    this.#appendOneOf(this.#variables.get(name) ?? [""]);
  }

  #braceVariable(): void {
    this.#at += 1;
    const inner = this.#upTo("}");
    const parsed = /^([A-Za-z_]\w*)(?::?([-=+?])(.*)|(.+))?$/s.exec(inner);
    // `${#x}`, `${!x}` and the like: the result is unknown here.
    if (parsed === null) return this.#append(UNKNOWN);
    const [, name = "", operator, fallback = "", transformation] = parsed;
    const known = this.#variables.get(name) ?? [];
    const values = operator === "+" ? [fallback] : operator === "-" || operator === "=" ? [...known, fallback] : known;
    // `${x%/}`, `${x/a/b}`: the value may be trimmed at either end.
    if (transformation !== undefined) return this.#appendOneOf([...known, UNKNOWN]);
    this.#appendOneOf(values.length === 0 ? [""] : values);
  }

  #substitution(close: string): void {
    this.#at += 1;
    const start = this.#at;
    let depth = 1;
    while (this.#at < this.#source.length && depth > 0) {
      const char = this.#source[this.#at++];
      if (char === "(") depth += 1;
      else if (char === close) depth -= 1;
    }
    this.#substitutions.push(this.#source.slice(start, depth === 0 ? this.#at - 1 : this.#at));
    this.#append(UNKNOWN);
  }

  #backticks(): void {
    this.#substitutions.push(this.#upTo("`", true).replaceAll(/\\([\\`$])/g, "$1"));
    this.#append(UNKNOWN);
  }

  #bracket(): void {
    const end = this.#source.indexOf("]", this.#at + 1);
    const inner = end === -1 ? "" : this.#source.slice(this.#at, end);
    // `[` by itself (the test command) and unclosed brackets are plain text.
    if (end === -1 || /[\s/]/.test(inner)) return this.#append("[");
    this.#at = end + 1;
    this.#append(ANY_ONE);
  }

  #upTo(close: string, escapes = false): string {
    const start = this.#at;
    while (this.#at < this.#source.length && this.#source[this.#at] !== close) {
      this.#at += escapes && this.#source[this.#at] === "\\" ? 2 : 1;
    }
    const text = this.#source.slice(start, this.#at);
    this.#at += 1;
    return text;
  }
}

/** Bash's brace expansion of the marked braces; `{a..c}` becomes a wildcard, single braces stay literal. */
function expandBraces(text: string): string[] {
  if (text.split(BRACE_CLOSE).length > MAX_BRACES) return [text.slice(0, text.search(BRACE_MARKS)) + UNKNOWN];
  const close = text.indexOf(BRACE_CLOSE);
  const open = close === -1 ? -1 : text.lastIndexOf(BRACE_OPEN, close);
  if (open === -1) return [unmarkBraces(text)];
  const before = text.slice(0, open);
  const inner = text.slice(open + 1, close);
  const after = text.slice(close + 1);
  const range = inner.includes("..");
  const parts = range ? [UNKNOWN] : inner.includes(BRACE_COMMA) ? inner.split(BRACE_COMMA) : [`{${inner}}`];
  const all = parts.flatMap((part) => expandBraces(before + part + after));
  return all.length > MAX_ALTERNATIVES ? [unmarkBraces(before) + UNKNOWN] : all;
}

function unmarkBraces(text: string): string {
  return text.replaceAll(BRACE_OPEN, "{").replaceAll(BRACE_COMMA, ",").replaceAll(BRACE_CLOSE, "}");
}

/** The escapes of `$'…'` that can spell a path. */
function decodeEscapes(text: string): string {
  return text.replaceAll(
    /\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|[0-7]{1,3}|.)/gs,
    (_, code: string) => {
      if (/^[xuU]./.test(code)) return codePoint(Number.parseInt(code.slice(1), 16));
      if (/^[0-7]/.test(code)) return codePoint(Number.parseInt(code, 8));
      return code === "n" ? "\n" : code === "t" ? "\t" : code;
    },
  );
}

function codePoint(value: number): string {
  return value <= 0x10ffff ? String.fromCodePoint(value) : "";
}
