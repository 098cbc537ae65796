/**
 * The commands of the command line as data. Their methods have the names and meanings of the package commander, which is
 * loaded only for help and errors ({@link buildProgram} in with-commander.ts): it takes longer to load than a short
 * command to run.
 */
import { Option, type ParseValue } from "./option.ts";

type Action = (...parameters: never[]) => unknown;

export interface Argument {
  /** `<event>`, `[name]` or `<words...>`. */
  readonly flags: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
}

/** What a command line gives a command: its words without options, and the values of its own options. */
export interface Given {
  readonly args: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
}

export class Command {
  readonly parent: Command | null;
  readonly commands: Command[] = [];
  readonly options: Option[] = [];
  readonly registeredArguments: Argument[] = [];
  readonly texts: { description?: string; summary?: string; usage?: string; after?: string } = {};
  allowsExcess = false;
  handler: Action | undefined;
  readonly #name: string;
  #given: Given = { args: [], values: {} };

  constructor(name: string, parent: Command | null = null) {
    this.#name = name;
    this.parent = parent;
  }

  name(): string {
    return this.#name;
  }

  /** Adds a command below this one, and gives it. */
  command(name: string): Command {
    const inner = new Command(name, this);
    this.commands.push(inner);
    return inner;
  }

  description(text: string): this {
    this.texts.description = text;
    return this;
  }

  /** What lists of commands say, in place of the description. */
  summary(text: string): this {
    this.texts.summary = text;
    return this;
  }

  usage(text: string): this {
    this.texts.usage = text;
    return this;
  }

  addHelpText(_position: "after", text: string): this {
    this.texts.after = text;
    return this;
  }

  argument(flags: string, description?: string): this {
    const [, name = ""] = /^[<[](.+?)(?:\.\.\.)?[>\]]$/.exec(flags) ?? [];
    const [isRequired, isVariadic] = [flags.startsWith("<"), flags.includes("...")];
    this.registeredArguments.push({ flags, name, description, isRequired, isVariadic });
    return this;
  }

  option(flags: string, description: string, parse?: ParseValue, initial?: unknown): this {
    return this.addOption(new Option(flags, description).argParser(parse).default(initial));
  }

  requiredOption(flags: string, description: string): this {
    return this.addOption(new Option(flags, description).makeOptionMandatory());
  }

  addOption(option: Option): this {
    this.options.push(option);
    return this;
  }

  allowExcessArguments(): this {
    this.allowsExcess = true;
    return this;
  }

  /** What runs the command: it gets the arguments, the values of the options, and this command. */
  action(handler: Action): this {
    this.handler = handler;
    return this;
  }

  /** Sets what a command line gives this command. */
  take(given: Given): void {
    this.#given = given;
  }

  /** The words of the command line that are neither options nor their values. */
  get args(): readonly string[] {
    return this.#given.args;
  }

  /** The values of this command's options and of those above, of which the topmost wins. */
  optsWithGlobals(): Given["values"] {
    return { ...this.#given.values, ...this.parent?.optsWithGlobals() };
  }

  /** Runs the command with what {@link take} has set. Throws what the command throws. */
  async run(): Promise<void> {
    const { args, values } = this.#given;
    const parameters = this.registeredArguments.map(({ isVariadic }, index) =>
      isVariadic ? args.slice(index) : args[index],
    );
    const handler = this.handler as ((...parameters: unknown[]) => unknown) | undefined;
    await handler?.(...parameters, values, this);
  }
}
