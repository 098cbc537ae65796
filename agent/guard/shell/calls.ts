/** One simple command of a walk: what the shell's own commands do to it, and the commands and code inside others. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { INTERPRETERS, isKnown, SHELLS, WRAPPERS } from "#agent/guard/programs";
import { hasGap, isUnknown, SCRIPT, UNKNOWN, UNKNOWN_WORD, type Word, wordOf } from "./patterns.ts";
import { outputOf } from "./outputs.ts";
import { foldersOf } from "./state.ts";
import type { ShellWalk } from "./shell-walk.ts";
import { DEEPEST, type Flow, Refusal, same, type Start, union } from "./flow.ts";

/** Runs a command: its first word has the names that it may have. */
export function runCall(walk: ShellWalk, words: readonly Word[], start: Start): Flow {
  const [names = [""], ...args] = words;
  const flows = names.map((name) => {
    // An empty expansion leaves the command to the next word.
    if (name === "") return args.length === 0 ? same(start) : runCall(walk, args, start);
    const [first = "", ...others] = name.split(/\s+/).filter((piece) => piece !== "");
    return others.length === 0
      ? runNamed(walk, name, args, start)
      : runNamed(walk, first, [...others.map((text) => [text]), ...args], start);
  });
  return union(flows);
}

function runNamed(walk: ShellWalk, path: string, args: readonly Word[], start: Start): Flow {
  const { state, judge } = walk;
  const name = basename(path);
  if (hasGap(path)) {
    judge.unknownProgram(args, start.folders);
    runCode(
      walk,
      args.filter((word) => word.some(isCode)),
      start,
    );
    return { ...same(start), prints: UNKNOWN_WORD };
  }
  const body = state.bodyOf(path);
  if (body !== undefined) {
    state.addPositional(args);
    return union([walk.callFunction(body, start), same(start)]);
  }
  if (EXPANDS_AGAIN.test(name)) walk.expandedAgain(args.flat(), start);
  if (name === "git") runGitSettings(walk, args, start);
  const own = BUILTINS[path]?.(walk, args, start);
  if (SHELLS.has(name)) runShell(walk, args, start);
  else if (INTERPRETERS.test(name)) judge.interpreter(name, args, start.stdin, start.folders);
  if (WRAPPERS.has(name)) runWrapped(walk, name, args, start);
  judge.call(path, args, start.folders);
  const redefined = state.values("PATH", start.folders).length > 1;
  const prints = own?.prints ?? outputOf({ name, args, folders: start.folders, stdin: start.stdin, redefined });
  return { ...(own ?? same(start)), prints };
}

const EXPANDS_AGAIN = /^(?:let|unset|test|\[|printf|read|declare|typeset|local|export|readonly|mapfile|readarray)$/;

/** `git -c alias.x='!CODE'` and `git config core.pager CODE`: settings that git runs. */
function runGitSettings(walk: ShellWalk, args: readonly Word[], start: Start): void {
  const config = args.some(([text = ""]) => text === "config");
  const settings = args.filter((_, index) => config || args[index - 1]?.[0] === "-c").flat();
  const known = settings.filter((text) => /\s/.test(text) && !isUnknown(text));
  for (const text of known) {
    const code = text.replace(/^[\w.-]+=/, "").replace(/^!/, "");
    walk.apart(() => walk.code([code], start), start);
  }
}

type Builtin = (walk: ShellWalk, args: readonly Word[], start: Start) => Flow | undefined;

const BUILTINS: Readonly<Record<string, Builtin>> = {
  cd: changeFolder,
  pushd: changeFolder,
  popd: ({ state }, _args, start) => {
    const folders = foldersOf([...start.folders, ...state.visited]);
    return { ok: folders, fail: start.folders, prints: [""] };
  },
  eval: (walk, args, start) => walk.code(joinCode(args), start),
  source: runSource,
  ".": runSource,
  set: ({ state }, args) => {
    state.addPositional(args);
    return undefined;
  },
  shopt: ({ state }) => {
    state.wildcardsChanged = true;
    return undefined;
  },
  // Aliases are read as functions would be, with whatever follows them.
  alias: (walk, args, start) => {
    for (const text of args.flat()) {
      const [, code] = /^[^=]+=(.*)$/s.exec(text) ?? [];
      if (code !== undefined) walk.apart(() => walk.code([code], start), start);
    }
    if (walk.state.wildcardsChanged) throw new Refusal("it uses aliases, which cannot be checked");
    return undefined;
  },
  trap: (walk, args, start) => {
    const code = args.find(([text = ""]) => !/^-[lp]?$/.test(text));
    if (code !== undefined) walk.code(code, start);
    return undefined;
  },
  read: readVariables,
  mapfile: readVariables,
  readarray: readVariables,
  getopts: ({ state }, args, start) => {
    state.remember("OPTARG", wordOf([...args.flat(), ...state.values("@", start.folders)]));
    return undefined;
  },
  at: runInput,
  batch: runInput,
  printf: (walk, args, start) => {
    const at = args.findIndex(([text = ""]) => text.startsWith("-v"));
    if (at !== -1) readVariables(walk, args.slice(at, at + 2), { ...start, stdin: UNKNOWN_WORD });
    return undefined;
  },
  declare: references,
  typeset: references,
  local: references,
};

/** `at now <<< CODE` */
function runInput(walk: ShellWalk, _args: readonly Word[], start: Start): undefined {
  const { stdin } = start;
  if (stdin !== null) walk.apart(() => walk.code(stdin, { ...start, stdin: null }), start);
  return undefined;
}

function runSource({ state }: ShellWalk, args: readonly Word[]): undefined {
  refuseStreams(args.slice(0, 1));
  state.addPositional(args.slice(1));
  return undefined;
}

/** `declare -n`: a name for another variable, whose value is then unknown. */
function references({ state }: ShellWalk, args: readonly Word[]): undefined {
  if (!args.flat().some((text) => /^-[a-zA-Z]*n/.test(text))) return undefined;
  for (const text of args.flat()) {
    const [name] = /^\w+/.exec(text) ?? [];
    if (name !== undefined) state.remember(name, UNKNOWN_WORD);
  }
  return undefined;
}

function readVariables({ state }: ShellWalk, args: readonly Word[], { stdin }: Start): undefined {
  const names = args
    .flat()
    .flatMap((text) => text.replace(/^-v/, "").replace(/\[.*$/s, ""))
    .filter((text) => /^[A-Za-z_]\w*$/.test(text));
  // Lines keep their text; one that is split keeps its pieces, which are as short as they were.
  const lines = stdin ?? [""];
  const pieces = lines.some((line) => isUnknown(line))
    ? UNKNOWN_WORD
    : wordOf(lines.flatMap((line) => [line, line.trim(), ...line.split(/[\s:,;/]+/)]));
  for (const name of [...names, "REPLY", "MAPFILE"]) state.remember(name, pieces);
  return undefined;
}

function changeFolder({ state, judge }: ShellWalk, args: readonly Word[], start: Start): Flow {
  const operands = args.filter((word) => !word.every((text) => /^-(?:[LPe@n]+|-)$/.test(text)));
  const targets = operands.length === 0 ? state.values("HOME", start.folders) : operands.flat();
  state.visit(start.folders);
  const from = [...start.folders, ...state.values("CDPATH", start.folders).flatMap((path) => path.split(":"))];
  const next = targets.flatMap((target) => {
    if (target === "-" || /^[+-]\d+$/.test(target)) return state.visited;
    return judge.foldersNamed(
      target,
      from.filter((folder) => folder !== ""),
    );
  });
  const ok = start.folders.some(isUnknown) && next.length === 0 ? [UNKNOWN] : foldersOf(next);
  state.visit(ok);
  const certain = !state.removes && ok.length > 0 && ok.every((folder) => !isUnknown(folder) && existsSync(folder));
  const prints = targets[0] === "-" ? ok : [""];
  return { ok, fail: certain ? ok : start.folders, prints };
}

/** The words of `eval` and the like are joined by blanks. */
function joinCode(args: readonly Word[]): Word {
  let code: Word = [""];
  for (const [index, word] of args.entries()) {
    code = wordOf(code.flatMap((head) => word.map((text) => (index === 0 ? text : `${head} ${text}`))));
  }
  return code;
}

/** A script that is a pipe: what a command prints, unless that is a file or comes from an address. */
function refuseStreams(operands: readonly Word[]): void {
  if (operands.flat().some((text) => /^\/(?:dev|proc)\//.test(text) && !text.endsWith(SCRIPT))) {
    throw new Refusal("it runs code that cannot be told before it runs");
  }
}

/** `sh -c CODE ARGS`, code on standard input, or a script. */
function runShell(walk: ShellWalk, args: readonly Word[], start: Start): void {
  if (args.some(([text = ""]) => /^[-+][a-zA-Z]*O/.test(text))) walk.state.wildcardsChanged = true;
  const at = args.findIndex((word) => word.some((text) => /^-[a-zA-Z]*c/.test(text)));
  const apart = (run: () => Flow) => void walk.apart(run, start);
  if (at !== -1) {
    walk.state.addPositional(args.slice(at + 2));
    // Options may stand between `-c` and its code.
    for (const code of args
      .slice(at + 1)
      .filter(([text = ""]) => !/^[-+]/.test(text))
      .slice(0, 1))
      apart(() => walk.code(code, start));
    return;
  }
  const operands = args.filter(([text = ""]) => !/^[-+]./.test(text) && text !== "-");
  refuseStreams(operands);
  walk.state.addPositional(operands.slice(1));
  if (operands.length === 0 || args.some(([text = ""]) => text === "-s")) {
    const { stdin } = start;
    if (stdin !== null) apart(() => walk.code(stdin, { ...start, stdin: null }));
  }
}

/** Every command that a wrapper may run: found by its name, because each wrapper has its own options. */
function runWrapped(walk: ShellWalk, name: string, args: readonly Word[], start: Start): void {
  const fromFile = args.some(([text = ""]) => /^(?:-a|--arg-file)/.test(text));
  const appended = name === "xargs" || name === "parallel" ? [fromFile ? UNKNOWN_WORD : (start.stdin ?? [""])] : [];
  if (/^(?:env|sudo|doas)$/.test(name)) setVariables(walk, args.flat(), start);
  const placeholder =
    name === "find" || name === "fd"
      ? outputOf({ name: "find", args: withoutActions(args), folders: start.folders, stdin: null, redefined: false })
      : appended[0];
  const fill = (word: Word): Word =>
    placeholder === undefined || !word.some((text) => text.includes("{}"))
      ? word
      : wordOf(word.flatMap((text) => placeholder.map((value) => text.replaceAll("{}", () => value))));
  const [moved] = args.flatMap((word, index) =>
    word.some((text) => /^(?:-C|--chdir|-D)$/.test(text)) ? [args[index + 1] ?? [""]] : [],
  );
  const inDirs = args.some(([text = ""]) => /^-(?:execdir|okdir)$/.test(text));
  const folders = inDirs
    ? [UNKNOWN]
    : moved === undefined
      ? start.folders
      : moved.flatMap((text) => walk.judge.foldersNamed(text, start.folders));
  const from: Start = { ...start, folders: foldersOf(folders), depth: start.depth + 1 };
  if (from.depth > DEEPEST) throw new Refusal("it is nested too deeply to be checked");
  const first = args.findIndex(([text = ""]) => isPlain(text));
  for (const [index, word] of args.entries()) {
    const known = word.some((text) => isKnown(basename(text)) || hasGap(text));
    if (!known && !(index === first && FIRST_IS_COMMAND.test(name))) continue;
    if (index !== first && word.some(hasGap) && !word.some((text) => isKnown(basename(text)))) continue;
    const rest = [...args.slice(index + 1).map(fill), ...appended];
    walk.apart(() => runCall(walk, [word, ...rest], from), from);
  }
  runCode(walk, args.filter((word) => word.some(isCode)).map(fill), from);
}

/** `env NAME=VALUE …` */
function setVariables(walk: ShellWalk, texts: readonly string[], start: Start): void {
  for (const text of texts) {
    const [, variable, value = ""] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
    if (variable === undefined) continue;
    walk.learn(variable, [value], start);
    walk.state.remember(variable, [value]);
  }
}

const FIRST_IS_COMMAND =
  /^(?:sudo|doas|env|nohup|exec|command|builtin|nice|stdbuf|setsid|xargs|time|watch|parallel|chroot)$/;

function isPlain(text: string): boolean {
  return !text.startsWith("-") && !/^\w+=/.test(text) && !/^[\d.]+[smhd]?$/.test(text);
}

function isCode(text: string): boolean {
  return /[\s;|&<>`]|\$\(/.test(text) && !hasGap(text);
}

/** Arguments of wrappers that look like code (`su -c '…'`, `watch '…'`, `find -exec sh -c '…'`). */
function runCode(walk: ShellWalk, words: readonly Word[], start: Start): void {
  for (const word of words)
    walk.apart(
      () =>
        walk.code(
          word.filter((text) => text !== SCRIPT),
          start,
        ),
      start,
    );
}

function withoutActions(args: readonly Word[]): readonly Word[] {
  const at = args.findIndex(([text = ""]) => /^-(?:exec|ok)|^-[xX]$/.test(text));
  return at === -1 ? args : args.slice(0, at);
}
