/** An option of a command, with the methods of commander's options. */

/** Makes an option's value of its text and the value so far. Throws for a bad one; it must have no effects. */
export type ParseValue = (text: string, before: never) => unknown;

const FLAGS = /^(?:(?<short>-\w), )?(?<long>--[\w-]+)(?: (?<value><[^>.]+>|\[[^\].]+\]))?$/;

export class Option {
  /** `-q, --query <text>`: `<text>` for a value that is required, `[text]` for one that may be missing. */
  readonly flags: string;
  readonly description: string | undefined;
  readonly short: string | undefined;
  readonly long: string;
  /** A value must follow. */
  readonly required: boolean;
  /** A value may follow. */
  readonly optional: boolean;
  /** Set by `--no-x`, which makes `x` false. */
  readonly negate: boolean;
  mandatory = false;
  hidden = false;
  defaultValue: unknown;
  defaultText: string | undefined;
  argChoices: readonly string[] | undefined;
  conflictsWith: readonly string[] = [];
  parseArg: ParseValue | undefined;

  constructor(flags: string, description?: string) {
    const { short, long, value = "" } = FLAGS.exec(flags)?.groups ?? {};
    if (long === undefined) throw new TypeError(`unknown form of an option: ${flags}`);
    this.flags = flags;
    this.description = description;
    this.short = short;
    this.long = long;
    this.required = value.startsWith("<");
    this.optional = value.startsWith("[");
    this.negate = long.startsWith("--no-");
  }

  /** The key of the value: `queryFile` for `--query-file`, `render` for `--no-render`. */
  attributeName(): string {
    const name = this.long.replace(/^--(?:no-)?/, "");
    return name.replaceAll(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
  }

  default(value: unknown, text?: string): this {
    this.defaultValue = value;
    this.defaultText = text;
    return this;
  }

  choices(values: readonly string[]): this {
    this.argChoices = values;
    return this;
  }

  /** Other options, by the keys of their values, that may not be given with this one. */
  conflicts(keys: string | readonly string[]): this {
    this.conflictsWith = [keys].flat();
    return this;
  }

  /** Leaves the option out of the help. */
  hideHelp(): this {
    this.hidden = true;
    return this;
  }

  argParser(parse: ParseValue | undefined): this {
    this.parseArg = parse;
    return this;
  }

  makeOptionMandatory(): this {
    this.mandatory = true;
    return this;
  }
}
