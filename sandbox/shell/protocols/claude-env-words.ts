/** Splits lines of shell assignments into words, with quotes and variables but without running anything. */

/** A word after quotes and variables; `NAME=value` for an assignment. */
export type ShellWord = string;

export interface Expansion {
  readonly lookUp: (name: string) => string | undefined;
  /** Expands a leading `~`. */
  readonly home: (word: string) => string;
}

/**
 * The commands of the text one by one, each as its words or as a clause that says why it is more than assignments.
 * A later command is read once the earlier ones have been taken, because it may name what they set.
 */
export function* splitAssignments(text: string, expansion: Expansion): Generator<readonly ShellWord[] | string> {
  const reader = new WordReader(text, expansion);
  while (!reader.atEnd) {
    const command = reader.readCommand();
    if (command.length > 0) yield command;
  }
}

/** Characters that mean more than a word, outside quotes. */
const SYNTAX = "|&()<>`";
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", e: "\x1b" };

class Unreadable extends Error {}

class WordReader {
  readonly #text: string;
  readonly #expansion: Expansion;
  #at = 0;

  constructor(text: string, expansion: Expansion) {
    this.#text = text.replaceAll("\r\n", "\n");
    this.#expansion = expansion;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The words up to the end of the line or `;`, or the reason why the line does not count. */
  readCommand(): readonly ShellWord[] | string {
    const start = this.#at;
    try {
      return this.#readWords();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const end = this.#text.indexOf("\n", start);
      const line = this.#text.slice(start, end === -1 ? undefined : end);
      this.#at = start + line.length + 1;
      // Not its value, which may be a secret.
      return `${JSON.stringify(line.trim().split("=", 1)[0]!.slice(0, 40))}: ${error.message}`;
    }
  }

  #readWords(): ShellWord[] {
    const words: ShellWord[] = [];
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) return words;
      if (character === "\n" || character === ";") {
        this.#at++;
        return words;
      }
      if (character === "#") this.#skipComment();
      else if (/\s/.test(character)) this.#at++;
      else if (this.#text.startsWith("\\\n", this.#at)) this.#at += 2;
      else words.push(this.#readWord());
    }
  }

  #skipComment(): void {
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #readWord(): ShellWord {
    let word = "";
    for (let character = this.#text[this.#at]; character !== undefined; character = this.#text[this.#at]) {
      if (/[\s;]/.test(character)) break;
      if (SYNTAX.includes(character)) throw new Unreadable(`it runs something (${character})`);
      if (character === "'") word += this.#readSingle();
      else if (character === '"') word += this.#readDouble();
      else if (character === "$") word += this.#readDollar(false);
      else if (character === "\\") word += this.#readEscaped();
      else if (character === "~" && /(?:^|[=:])$/.test(word)) word += this.#readHome();
      else {
        word += character;
        this.#at++;
      }
    }
    return word;
  }

  #readEscaped(): string {
    const next = this.#text[this.#at + 1];
    this.#at += 2;
    return next === undefined || next === "\n" ? "" : next;
  }

  #readHome(): string {
    this.#at++;
    const next = this.#text[this.#at];
    return next === undefined || /[/:\s;]/.test(next) ? this.#expansion.home("~") : "~";
  }

  #readSingle(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) throw new Unreadable("a quote is not closed (')");
    const inner = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return inner;
  }

  #readDouble(): string {
    let inner = "";
    this.#at++;
    for (let character = this.#text[this.#at]; character !== '"'; character = this.#text[this.#at]) {
      if (character === undefined) throw new Unreadable('a quote is not closed (")');
      if (character === "`") throw new Unreadable("it runs something (`)");
      const next = this.#text[this.#at + 1];
      if (character === "$") inner += this.#readDollar(true);
      else if (character === "\\" && next !== undefined && '$`"\\\n'.includes(next)) inner += this.#readEscaped();
      else {
        inner += character;
        this.#at++;
      }
    }
    this.#at++;
    return inner;
  }

  /** `$NAME`, `${NAME}`, `${NAME:-text}`, `${NAME:+text}`, and outside quotes `$'…'`. */
  #readDollar(quoted: boolean): string {
    const rest = this.#text.slice(this.#at);
    if (rest.startsWith("$(")) throw new Unreadable("it runs something ($(…))");
    if (!quoted && rest.startsWith("$'")) return this.#readAnsi();
    const plain = /^\$([A-Za-z_]\w*)/.exec(rest);
    if (plain !== null) {
      this.#at += plain[0].length;
      return this.#expansion.lookUp(plain[1]!) ?? "";
    }
    if (!rest.startsWith("${")) {
      this.#at++;
      return "$";
    }
    const braced = /^\$\{([A-Za-z_]\w*)(?:(:?[-+])([^{}`"'\\]*))?\}/.exec(rest);
    if (braced === null) throw new Unreadable(`it needs a shell (${rest.slice(0, 20).split("\n", 1)[0]})`);
    const [whole, name = "", operator, text = ""] = braced;
    this.#at += whole.length;
    const value = this.#expansion.lookUp(name);
    if (operator === undefined) return value ?? "";
    const given = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
    if (operator.endsWith("-")) return given ? (value ?? "") : this.#expandInner(text);
    return given ? this.#expandInner(text) : "";
  }

  /** The text behind `:-` and `:+`, in which only `$NAME` is expanded. */
  #expandInner(text: string): string {
    if (text.includes("$(")) throw new Unreadable("it runs something ($(…))");
    return text.replaceAll(/\$([A-Za-z_]\w*)/g, (_, name: string) => this.#expansion.lookUp(name) ?? "");
  }

  /** `$'…'`, as `export -p` of bash writes values with line ends. */
  #readAnsi(): string {
    const found = /^\$'((?:[^'\\]|\\[^])*)'/.exec(this.#text.slice(this.#at));
    if (found === null) throw new Unreadable("a quote is not closed ($')");
    this.#at += found[0].length;
    return found[1]!.replaceAll(/\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|([^]))/g, (_, hex, octal, letter) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex as string, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal as string, 8));
      return ESCAPES[letter as string] ?? (letter as string);
    });
  }
}
