/** What is known of programs that run other programs or scripts: where in their words these are. */

export interface Family {
  readonly name: RegExp;
  /** Options followed by code or a module instead of a file. */
  readonly inline: RegExp;
  /** Options whose value is the next word, which is not the script. */
  readonly valued: RegExp;
}

/** Interpreters, by the name of the program. */
const FAMILIES: readonly Family[] = [
  {
    name: /^(?:(?:ba|da|z|k|mk|fi|a|c|tc)?sh|busybox)$/,
    inline: /^-[a-zA-Z]*c[a-zA-Z]*$/,
    valued: /^(?:[-+][a-zA-Z]*[oO]|--rcfile|--init-file)$/,
  },
  {
    name: /^(?:python|pypy)[\d.]*$/,
    inline: /^-[a-zA-VYZ]*[cm]/,
    valued: /^-[a-zA-VYZ]*[WX]$|^--check-hash-based-pycs$/,
  },
  {
    name: /^(?:node|nodejs|deno|bun|tsx)$/,
    inline: /^-(?:e|p|pe)$|^--(?:eval|print)(?:=|$)/,
    valued: /^-[rC]$|^--(?:require|import|loader|experimental-loader|conditions|env-file|config|input-type|tsconfig)$/,
  },
  // Only options without a value may come before the e of inline code: -MTime::HiRes is a module.
  { name: /^perl[\d.]*$/, inline: /^-(?:[acfhnpstuvwSTUWX]|[0l][0-7]*)*[eE]/, valued: /^-I$/ },
  { name: /^ruby[\d.]*$/, inline: /^-(?:[aclnpswvyhdS]|0[0-7]*|W\d?)*e/, valued: /^-[CIr]$/ },
  { name: /^php[\d.]*$/, inline: /^-r$/, valued: /^-[cd]$/ },
  { name: /^lua[\d.]*$/, inline: /^-e/, valued: /^-l$/ },
];

export interface Launcher {
  readonly name: RegExp;
  /** Options whose value is the next word. */
  readonly valued?: RegExp;
  /** True for an option that is followed by code, given the next word. */
  readonly code?: (word: string, next: string) => boolean;
  /** How many words come before the program, besides options, settings (`A=1`) and numbers. */
  readonly operands?: number;
}

/** Programs that start the program named in their words. */
const LAUNCHERS: readonly Launcher[] = [
  { name: /^env$/, valued: /^(?:-[uC]|--unset|--chdir)$/, code: splitsString },
  { name: /^nice$/, valued: /^(?:-n|--adjustment)$/ },
  { name: /^(?:nohup|setsid|time|command)$/ },
  { name: /^stdbuf$/, valued: /^(?:-[ioe]|--(?:input|output|error))$/ },
  { name: /^timeout$/, valued: /^(?:-[sk]|--(?:signal|kill-after))$/ },
  { name: /^exec$/, valued: /^-a$/ },
  { name: /^ionice$/, valued: /^(?:-[cn]|--(?:class|classdata))$/ },
  { name: /^chrt$/ },
  { name: /^taskset$/, operands: 1 },
  {
    name: /^flock$/,
    valued: /^(?:-[wE]|--(?:wait|timeout|conflict-exit-code))$/,
    code: (word) => word === "-c" || word === "--command",
    operands: 1,
  },
  { name: /^(?:sudo|doas)$/, valued: /^-[ugpChrtTUD]$/ },
];

/** `env -S` splits its text into words itself. A single word after it is the program. */
function splitsString(word: string, next: string): boolean {
  if (/^-[iv0]*S$/.test(word)) return /[\s"'\\$]/.test(next);
  return /^(?:-[iv0]*S|--split-string)/.test(word);
}

export function familyOf(name: string): Family | undefined {
  return FAMILIES.find((each) => each.name.test(name));
}

export function launcherOf(name: string): Launcher | undefined {
  return LAUNCHERS.find((each) => each.name.test(name));
}

/** The index of the program that a launcher at `from` starts; `code` when code takes its place; null without one. */
export function programBehind(argv: readonly string[], from: number, launcher: Launcher): number | "code" | null {
  let operands = launcher.operands ?? 0;
  for (let index = from + 1; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (launcher.code?.(word, argv[index + 1] ?? "")) return "code";
    if (launcher.valued?.test(word)) index++;
    else if (word.startsWith("-")) continue;
    else if (operands > 0) operands--;
    else if (isProgramOfLauncher(word)) return index;
  }
  return null;
}

/** Launchers have options, settings (`A=1`) and numbers (`5`, `2m`) before the program. */
export function isProgramOfLauncher(word: string): boolean {
  return !word.startsWith("-") && !/^\w+=/.test(word) && !/^[\d.]+[smhd]?$/.test(word);
}
