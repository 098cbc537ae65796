/** What a command may print, where that is known: names below a folder, numbers, its own words. */
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { repositoryOf } from "#agent/guard/paths";
import { ANY_RUN, BELOW, hasGap, isUnknown, SCRIPT, UNKNOWN_WORD, type Word, wordOf } from "./patterns.ts";
import type { Folders } from "./state.ts";

export interface Producer {
  readonly name: string;
  readonly args: readonly Word[];
  readonly folders: Folders;
  /** What comes in, or null where nothing does. */
  readonly stdin: Word | null;
  readonly redefined: boolean;
}

/** The texts that a command may print. A program that is not known may print anything. */
export function outputOf(producer: Producer): Word {
  const { name, args, redefined } = producer;
  if (redefined) return UNKNOWN_WORD;
  const options = args.filter(([text = ""]) => text.startsWith("-")).flat();
  const operands = args.filter(([text = ""]) => !text.startsWith("-"));
  return OUTPUTS[name]?.({ ...producer, options, operands }) ?? UNKNOWN_WORD;
}

interface Printing extends Producer {
  readonly options: readonly string[];
  readonly operands: readonly Word[];
}

const SILENT: Word = [""];
const SHORT: Word = [ANY_RUN];

const short = (): Word => SHORT;
const script = (): Word => [SCRIPT];
const silent = (): Word => SILENT;
/** Passes lines on unless it is given files of its own. */
const filter = ({ stdin, operands }: Printing): Word =>
  operands.length === 0 && stdin !== null ? stdin : UNKNOWN_WORD;

const OUTPUTS: Readonly<Record<string, (printing: Printing) => Word | undefined>> = {
  echo: ({ args }) => joined(args.filter(([text = ""]) => !/^-[neE]+$/.test(text))),
  printf: ({ args: [format, ...args] }) => {
    const [text, ...others] = format ?? [""];
    if (text === undefined || others.length > 0 || args.some((word) => word.some(hasGap))) return undefined;
    if (/^(?:%s)?(?:\\n)?$/.test(text)) return args.length === 0 ? [text.replace(/%s|\\n/g, "")] : wordOf(args.flat());
    return /[%\\]/.test(text.replaceAll("\\n", "\n")) ? undefined : [text.replaceAll("\\n", "\n")];
  },
  pwd: ({ folders }) => folders,
  basename: ({ operands }) =>
    operands.length === 1 ? each(operands, (path) => (path.includes(BELOW) ? BELOW : basename(path))) : undefined,
  dirname: ({ operands }) =>
    each(operands, (path) => (path.includes(BELOW) ? path.slice(0, path.indexOf(BELOW) + 1) : dirname(path))),
  mktemp: ({ operands, options }) =>
    options.some((text) => /^-[a-z]*[pt]|^--/.test(text)) || operands.length > 0
      ? undefined
      : [join(tmpdir(), `tmp.${ANY_RUN}`)],
  find: ({ args, folders }) => belowEach(args, folders),
  ls: ({ operands }) => (operands.some((word) => word.some((text) => text.includes("/"))) ? undefined : [BELOW]),
  grep: listing,
  rg: listing,
  git: ({ operands: [[verb = ""] = [], ...others], options, folders }) => {
    if (options.some((text) => /^(?:-C|-c|--git-dir|--work-tree|--format|--pretty|--output)/.test(text)))
      return undefined;
    const names = options.includes("--name-only") || verb === "ls-files";
    if (names && /^(?:ls-files|diff|show|diff-tree|diff-index)$/.test(verb))
      return wordOf([BELOW, ...folders.map((folder) => `${folder}/${BELOW}`)]);
    if (verb === "rev-parse" && options.includes("--show-toplevel"))
      return folders.some(hasGap) ? UNKNOWN_WORD : wordOf(folders.map((folder) => repositoryOf(folder)));
    if (verb === "rev-parse" && options.includes("--show-cdup")) return undefined;
    if (/^(?:rev-parse|rev-list|merge-base|hash-object|write-tree|stash)$/.test(verb) && others.length < 3)
      return [BELOW];
    return verb === "branch" || verb === "describe" || verb === "symbolic-ref" ? [BELOW] : undefined;
  },
  date: ({ operands }) =>
    operands.some((word) => word.some((text) => text.includes("/") || text.startsWith("+."))) ? undefined : SHORT,
  wc: short,
  nproc: short,
  id: short,
  whoami: short,
  uname: short,
  hostname: short,
  seq: ({ options }) => (options.length === 0 ? SHORT : undefined),
  uuidgen: short,
  getconf: short,
  pgrep: short,
  lsof: ({ options }) => (options.some((text) => /^-[a-zA-Z]*t/.test(text)) ? SHORT : undefined),
  docker: ({ options }) => (options.some((text) => /^-[a-z]*q/.test(text)) ? SHORT : undefined),
  sha256sum: ({ operands }) => (operands.length === 0 ? SHORT : undefined),
  md5sum: ({ operands }) => (operands.length === 0 ? SHORT : undefined),
  which: ({ operands }) => each(operands, (name) => `/usr/bin/${basename(name)}`),
  head: filter,
  tail: filter,
  sort: filter,
  uniq: filter,
  shuf: filter,
  tac: filter,
  cat: (printing) => (printing.operands.length === 0 ? filter(printing) : [SCRIPT]),
  curl: script,
  wget: script,
  // They print settings of the shell, to be evaluated.
  ...Object.fromEntries(
    "ssh-agent direnv fnm nvm pyenv rbenv nodenv brew opam starship zoxide dircolors keychain minikube conda mise asdf gpg-agent docker-machine"
      .split(" ")
      .map((name) => [name, script]),
  ),
  true: silent,
  cd: silent,
  ":": silent,
  test: silent,
  "[": silent,
  export: silent,
  set: silent,
};

function joined(args: readonly Word[]): Word {
  if (args.length > 6)
    return args.some((word) => word.some(hasGap)) ? UNKNOWN_WORD : [args.map(([text = ""]) => text).join(" ")];
  let texts: Word = [""];
  for (const [index, word] of args.entries()) {
    texts = wordOf(texts.flatMap((start) => word.map((text) => (index === 0 ? text : `${start} ${text}`))));
  }
  return texts;
}

function each(words: readonly Word[], change: (text: string) => string): Word {
  const texts = words.flat();
  return texts.some(isUnknown) ? UNKNOWN_WORD : wordOf(texts.map(change));
}

/** `find` prints paths below its folders; a last `-name '*.x'` tells how they end. */
function belowEach(args: readonly Word[], folders: Folders): Word | undefined {
  const end = args.findIndex(([text = ""]) => /^[-(!]/.test(text));
  const roots = (end === -1 ? args : args.slice(0, end)).flat();
  const flat = args.flat();
  if (flat.some((text) => /^-(?:printf|exec|execdir|ok|fprintf|ls)$/.test(text))) return undefined;
  const [, suffix = ""] = /^\*(\.\w+)$/.exec(flat[flat.indexOf("-name") + 1] ?? "") ?? [];
  const known = flat.filter((text) => text === "-name").length === 1 && !flat.includes("-o") ? suffix : "";
  return wordOf((roots.length === 0 ? [".", ...folders] : roots).map((root) => `${root}/${BELOW}${known}`));
}

/** `grep -l` prints names below what it is given; else lines of files. */
function listing({ options, operands }: Printing): Word | undefined {
  if (!options.some((text) => /^-[a-zA-Z]*[lL]|^--files/.test(text))) return undefined;
  const roots = operands.slice(1).flat();
  return wordOf((roots.length === 0 ? ["."] : roots).map((root) => `${root}/${BELOW}`));
}
