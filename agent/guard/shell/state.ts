/**
 * What the reader knows of the shell while it walks through a command. Variables collect every value that they are
 * given anywhere in the command, in whatever order it runs; folders are followed in order.
 */
import {
  ANY_RUN,
  isUnknown,
  MAX_ALTERNATIVES,
  UNKNOWN,
  UNKNOWN_WORD,
  withGlobs,
  type Word,
  wordOf,
} from "./patterns.ts";

/** Every folder that a command may run in, as a path, or UNKNOWN. */
export type Folders = readonly string[];

/** More folders than this are one that is unknown. */
const MAX_FOLDERS = 16;

/** What bash computes: short texts without a slash. */
const COMPUTED =
  /^(?:[#?$!-]|RANDOM|SRANDOM|SECONDS|LINENO|BASHPID|UID|EUID|PPID|EPOCH\w+|HOSTNAME|SHLVL|OPTIND|BASH_VERSION)$/;

export class ShellState {
  readonly #variables = new Map<string, Set<string>>();
  /** Names that certainly have a value by now: others may still be empty. */
  #definite = new Set<string>();
  readonly #functions = new Map<string, unknown>();
  /** Words of `set --`, of functions' calls and of `bash -c` code. */
  readonly #positional = new Set<string>();
  readonly #visited = new Set<string>();
  /** Every last word of a command so far: which one `$_` has depends on pipes and subshells. */
  readonly #last = new Set<string>([""]);
  /** Settings changed how patterns match (`shopt`): a wildcard may be anything. */
  wildcardsChanged = false;
  /** A folder may be gone by the time `cd` wants it. */
  removes = false;

  constructor(variables: ReadonlyMap<string, readonly string[]>) {
    for (const [name, values] of variables) {
      this.#variables.set(name, new Set(values));
      this.#definite.add(name);
    }
  }

  /** Changes whenever something new was learnt. */
  get size(): number {
    const values = [...this.#variables.values()].reduce((sum, each) => sum + each.size, 0);
    const names = this.#variables.size + this.#functions.size + this.#positional.size;
    return values + names + this.#last.size + Number(this.wildcardsChanged);
  }

  /** Gives up on the variables that still change: their values count as unknown from here on. */
  widen(before: ReadonlyMap<string, number>): void {
    for (const [name, values] of this.#variables) {
      if (values.size !== before.get(name)) this.#variables.set(name, new Set([UNKNOWN]));
    }
  }

  /** How many values each variable has. */
  counts(): ReadonlyMap<string, number> {
    return new Map([...this.#variables].map(([name, values]) => [name, values.size]));
  }

  /** Runs a part of the command that may be skipped, or that leaves nothing behind. */
  conditionally<T>(run: () => T): T {
    const before = new Set(this.#definite);
    try {
      return run();
    } finally {
      this.#definite = before;
    }
  }

  remember(name: string, values: Word): void {
    const known = this.#variables.get(name) ?? new Set();
    if (!this.#definite.has(name) && !this.#variables.has(name)) known.add("");
    this.#definite.add(name);
    if (known.has(UNKNOWN)) return;
    for (const value of values) known.add(value);
    this.#variables.set(name, known.size > MAX_ALTERNATIVES ? new Set([UNKNOWN]) : known);
    if (name === "GLOBIGNORE") this.wildcardsChanged = true;
  }

  append(name: string, values: Word): void {
    const known = this.#variables.get(name) ?? [""];
    const joined = [...known].flatMap((start) => values.map((end) => start + end));
    this.remember(name, joined.length > MAX_ALTERNATIVES ? UNKNOWN_WORD : [...values, ...joined]);
  }

  /** The values of a variable or parameter; an unset one is empty. */
  values(name: string, folders: Folders): Word {
    if (COMPUTED.test(name)) return [ANY_RUN];
    if (name === "0") return ["bash"];
    if (name === "_") return wordOf(this.#last);
    if (/^\d+$|^[@*]$/.test(name)) return wordOf(["", ...this.#positional]);
    if (name === "PWD") return folders;
    if (name === "OLDPWD" || name === "DIRSTACK") return wordOf([...folders, ...this.#visited]);
    const known = this.#variables.get(name);
    if (known === undefined) return [""];
    const values = this.#definite.has(name)
      ? [...known].filter((value) => value !== "" || known.size === 1)
      : [...known, ""];
    return wordOf(values);
  }

  addPositional(words: readonly Word[]): void {
    for (const text of words.flat()) this.#positional.add(text);
    if (this.#positional.size > MAX_ALTERNATIVES) this.#positional.add(UNKNOWN);
  }

  setLast(words: readonly Word[]): void {
    for (const text of words.at(-1) ?? []) this.#last.add(text);
    if (this.#last.size > MAX_ALTERNATIVES) this.#last.add(UNKNOWN);
  }

  visit(folders: Folders): void {
    for (const folder of folders) this.#visited.add(folder);
  }

  get visited(): Folders {
    return [...this.#visited];
  }

  define(name: string, body: unknown): void {
    this.#functions.set(name, body);
  }

  bodyOf(name: string): unknown {
    return this.#functions.get(name);
  }

  /** A wildcard under the settings of now. */
  wildcards(text: string): string {
    const globbed = withGlobs(text);
    return this.wildcardsChanged && globbed.includes(ANY_RUN) ? globbed.replaceAll(ANY_RUN, UNKNOWN) : globbed;
  }
}

/** Distinct folders, or one that is unknown when there are too many. */
export function foldersOf(folders: Iterable<string>): Folders {
  const distinct = [...new Set(folders)];
  return distinct.length > MAX_FOLDERS || distinct.some(isUnknown) ? [UNKNOWN] : distinct;
}
