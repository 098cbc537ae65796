/** The options that every command takes, before and after its name (CONTRACT §3). */

interface GlobalOption {
  /** As commander takes it. */
  readonly flags: string;
  readonly description: string;
}

export const GLOBAL_OPTIONS: readonly GlobalOption[] = [
  { flags: "--home <dir>", description: "where hermes keeps its files (default: $HERMES_HOME or ~/.hermes)" },
  { flags: "--accept-hooks", description: "approve all configured shell hooks" },
  { flags: "--safe-mode", description: "load no hooks and no plugins" },
  { flags: "--log-level <level>", description: "level of logs/hermes.log: debug, info, warn, error or silent" },
];

const NAMES: ReadonlySet<string> = new Set(GLOBAL_OPTIONS.map(({ flags }) => nameOf(flags)));
const VALUED: ReadonlySet<string> = new Set(
  GLOBAL_OPTIONS.filter(({ flags }) => flags.includes(" ")).map(({ flags }) => nameOf(flags)),
);

/** True for `--home` and `--home=DIR`. */
export function isGlobalOption(word: string): boolean {
  return NAMES.has(word.split("=", 1)[0]!);
}

/** True for a global option whose value is the next word. */
export function takesNextWord(word: string): boolean {
  return VALUED.has(word);
}

function nameOf(flags: string): string {
  return flags.split(" ", 1)[0]!;
}
