/** Judges one simple command: whether it may change something in hermes's home, or a script of its hooks. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { repositoryOf } from "./paths.ts";
import { judgeAwk, judgeCode, judgeSed } from "./code.ts";
import { kindOf, type Kind, PLACES_OF_PROGRAMS } from "./programs.ts";
import { isUnknown, show, UNKNOWN, type Word } from "./shell/patterns.ts";
import type { Folders } from "./shell/state.ts";
import { Refusal } from "./shell/flow.ts";
import { OF_A_PROCESS, type WordJudge } from "./words.ts";

export interface JudgeGround {
  /** What must not be written. */
  readonly written: WordJudge;
  /** What must not be read. */
  readonly read: WordJudge;
  /** Names by which a text may mean a home. */
  readonly homeNames: readonly string[];
  /** False where only files outside a home are guarded: then what is unknown passes. */
  readonly guardsHome: boolean;
}

const RECURSIVE = /^(?:-[A-Za-z]*[rRa][A-Za-z]*|--recursive|--archive)$/;
/** Options before a folder that the program works in. */
const FOLDER_OPTION =
  /^(?:-C|-d|-P|-t|--directory|--chdir|--cwd|--prefix|--output-dir|--directory-prefix|--target-directory|--work-tree|--git-dir|--exdir|-D)$/;
const GLUED_FOLDER = /^(?:--[a-z-]+=|-C|-d|-P|-t|-o)(.+)$/s;
const GIT_CHANGES =
  /^(?:checkout|restore|reset|clean|stash|apply|am|pull|merge|rebase|switch|cherry-pick|revert|rm|mv|read-tree|checkout-index|worktree|submodule|bisect|sparse-checkout)$/;
const BUILDERS = /^(?:make|gmake|ninja|just|rake|cmake|meson|bmake|scons|bazel|ant|task)$/;

export class CallJudge {
  readonly #ground: JudgeGround;

  constructor(ground: JudgeGround) {
    this.#ground = ground;
  }

  /** The folders that a text may lead to; an unknown folder where that cannot be told. */
  foldersNamed(text: string, from: readonly string[]): readonly string[] {
    if (isUnknown(text) || (from.some(isUnknown) && !/^[/~]/.test(text)) || OF_A_PROCESS.test(text)) return [UNKNOWN];
    return this.#ground.written.folders(text, from);
  }

  /** A text of any language that names what must not be read. */
  mentions(text: string, folders: Folders): void {
    const mentioned = this.#ground.read.findMention(text, folders, false);
    if (mentioned !== undefined) throw new Refusal(`it names ${show(mentioned)}`);
  }

  /** A command that cannot be parsed must not speak of the home. */
  unreadable(text: string): void {
    if (this.#meansHome(text)) throw new Refusal("it cannot be parsed");
  }

  /** A variable that tells a program where to write must not lead into the home or above it. */
  variable(name: string, values: Word, folders: Folders): void {
    if (!PLACES_OF_PROGRAMS.test(name)) return;
    for (const text of values) {
      if (["inside", "above"].includes(this.#ground.written.relation(text, folders))) {
        throw new Refusal(`it sets ${name} to ${show(text)}`);
      }
    }
  }

  unknownProgram(args: readonly Word[], folders: Folders): void {
    this.#refusePaths("a program that cannot be told", "writer", args, folders, { unknown: false });
  }

  redirection(operator: string, target: Word, folders: Folders): void {
    const reads = operator === "<";
    for (const text of target) {
      if (/^(?:\d*-?|)$/.test(text) && operator.includes("&")) continue;
      const judge = reads ? this.#ground.read : this.#ground.written;
      if (judge.relation(text, folders) === "inside")
        throw new Refusal(`it ${reads ? "reads" : "writes"} ${show(text)}`);
      if (!reads && this.#isOpen(text, folders))
        throw new Refusal(`it writes to ${show(text)}, which cannot be told before it runs`);
    }
  }

  /** Code for another language in the arguments or on standard input. */
  interpreter(name: string, args: readonly Word[], stdin: Word | null, folders: Folders): void {
    const texts = args.flat();
    const hasScript = texts.some((text) => !text.startsWith("-") && existsSync(text));
    const takesInput =
      stdin !== null && !hasScript && !/awk|sed|jq/.test(name) && !texts.some((text) => /^-[a-zA-Z]*[ce]/.test(text));
    for (const text of [...texts, ...(takesInput ? stdin : [])]) {
      if (!/[\s'"`;|&()<>{}$]/.test(text) && !isUnknown(text)) continue;
      this.#refuseCode(name, text, folders);
    }
  }

  #refuseCode(name: string, text: string, folders: Folders): void {
    const { written, read, guardsHome } = this.#ground;
    const mentioned = written.findMention(text, folders, true) ?? read.findMention(text, folders, true);
    if (mentioned !== undefined) throw new Refusal(`it names ${show(mentioned)}`);
    if (!guardsHome) return;
    const problem = /^g?sed$/.test(name) ? judgeSed(text) : name.includes("awk") ? judgeAwk(text) : judgeCode(text);
    if (problem !== null) throw new Refusal(problem);
  }

  call(path: string, args: readonly Word[], folders: Folders): void {
    const name = basename(path);
    const flat = args.flat();
    const own = judgeOwnProgram([path, ...flat]);
    if (own !== null) throw new Refusal(own);
    if (flat.some((text) => basename(text) === "hermes")) return;
    const outside = this.#ground.guardsHome ? escapes(name, flat) : null;
    if (outside !== null) throw new Refusal(outside);
    // A program with a folder before its name is a script, but for those of the system.
    const script =
      path.includes("/") && kindOf(name, flat) === "writer" && !/^\/(?:usr\/)?(?:local\/)?s?bin\//.test(path);
    const kind = script && !COPIERS.test(name) ? "tool" : kindOf(name, flat);
    if (path.includes("/") && this.#ground.written.relation(path, folders) === "inside")
      throw new Refusal(`it runs ${show(path)}`);
    this.#refusePaths(name, kind, args, folders, { unknown: kind === "writer" });
    if (kind === "harmless" || kind === "reader") return;
    const bases = folderOptions(args).flatMap((text) => this.foldersNamed(text, folders));
    this.#refuseFolders(name, flat, movesAway(name, flat) ? bases : [...folders, ...bases], kind);
  }

  #refusePaths(
    name: string,
    kind: Kind,
    args: readonly Word[],
    folders: Folders,
    { unknown }: { unknown: boolean },
  ): void {
    const flat = args.flat();
    const recursive = flat.some((text) => RECURSIVE.test(text)) || /^(?:rg|ag|ack)$/.test(name);
    const operands = args.filter(([text = ""]) => !text.startsWith("-"));
    const bases = [...folders, ...folderOptions(args).flatMap((text) => this.foldersNamed(text, folders))];
    for (const word of args) {
      const isTarget = COPIERS.test(name) && word === operands.at(-1) && operands.length > 1;
      for (const text of word) {
        const relation = this.#ground.written.relation(text, bases);
        const reading = this.#ground.read.relation(text, bases);
        if (reading === "inside" && kind !== "harmless") throw new Refusal(`it names ${show(text)}`);
        if (kind === "harmless") continue;
        if (kind === "reader") {
          if (relation === "inside" && reading === "above" && recursive)
            throw new Refusal(`it would let ${name} read ${show(text)}`);
          continue;
        }
        if (relation === "inside") throw new Refusal(`it would give ${name} access to ${show(text)}`);
        if (relation === "above_extra" && destroys(name, recursive, isTarget))
          throw new Refusal(`it would remove ${show(text)}, which contains such files`);
        if (relation === "above" && kind === "writer" && !isTarget) {
          throw new Refusal(`it would give ${name} access to ${show(text)}, which contains such files`);
        }
        if (unknown && this.#isOpen(text, bases)) {
          throw new Refusal(`${name} would get ${show(text)}, which cannot be told before it runs`);
        }
      }
    }
    if (kind === "writer" && COPIERS.test(name))
      this.#refuseTarget(name, operands, bases, recursive || flat.some((text) => NO_FOLDER.test(text)));
  }

  /** `cp x DIR` writes DIR/x. A folder's content, copied into one above the home, may reach into it. */
  #refuseTarget(name: string, operands: readonly Word[], folders: Folders, whole: boolean): void {
    const { written } = this.#ground;
    for (const target of operands.at(-1) ?? []) {
      const above = written.relation(target, folders) === "above";
      for (const source of operands.slice(0, -1).flat()) {
        const path = join(target, basename(source));
        const content =
          /(?:^|\/)\.?$|\/\.\.$/.test(source) || (whole && operands.length === 2 && /^(?:cp|mv)$/.test(name));
        if (written.relation(path, folders) === "inside" || (above && (content || isUnknown(source)))) {
          throw new Refusal(`it would write ${show(path)}`);
        }
      }
    }
  }

  /** Programs that write below a folder without naming what. */
  #refuseFolders(name: string, flat: readonly string[], folders: Folders, kind: Kind): void {
    const { written } = this.#ground;
    const isGit = name === "git" && flat.some((text) => GIT_CHANGES.test(text));
    const here = isGit ? folders.map((folder) => (isUnknown(folder) ? folder : repositoryOf(folder))) : folders;
    const spreads = isGit || BUILDERS.test(name) || spreadsHere(name, flat);
    for (const folder of here) {
      const relation = isUnknown(folder) ? "free" : written.relation(folder, [folder]);
      const inside = relation === "inside" || (spreads && relation === "above");
      if (inside || (isUnknown(folder) && this.#ground.guardsHome && (spreads || kind === "writer"))) {
        throw new Refusal(`it would let ${name} work in ${show(folder)}`);
      }
    }
  }

  #isOpen(text: string, folders: Folders): boolean {
    return this.#ground.guardsHome && this.#ground.written.isOpen(text, folders);
  }

  #meansHome(text: string): boolean {
    return this.#ground.homeNames.some((name) => text.includes(name));
  }
}

const NO_FOLDER = /^(?:-[a-zA-Z]*T|--no-target-directory)/;
const COPIERS = /^(?:cp|mv|install|ln|rsync|scp)$/;

function destroys(name: string, recursive: boolean, isTarget: boolean): boolean {
  return (name === "rm" && recursive) || /^(?:shred|trash)$/.test(name) || (name === "mv" && !isTarget);
}

/** Options with which a program takes its targets from its input, where they cannot be told. */
function escapes(name: string, flat: readonly string[]): string | null {
  const has = (option: RegExp) => flat.some((text) => option.test(text));
  const absolute =
    (/^(?:tar|bsdtar)$/.test(name) && (has(/^-[a-zA-Z]*P|^--absolute/) || /^[a-zA-Z]*P/.test(flat[0] ?? ""))) ||
    (name === "cpio" && has(/^-[a-zA-Z]*i|^--extract/) && !has(/^--no-absolute/)) ||
    (name === "git" && has(/^--unsafe-paths/));
  if (absolute) return `it would let ${name} write to any path that its input names`;
  const settings = (name === "curl" && has(/^(?:-[a-zA-Z]*K|--config)/)) || (BUILDERS.test(name) && has(/^-$|^-f-$/));
  return settings ? `it would let ${name} do what its input says` : null;
}

/** Programs that unpack, patch or delete in the folder that they run in. */
function spreadsHere(name: string, flat: readonly string[]): boolean {
  const [first = ""] = flat;
  if (/^(?:tar|bsdtar)$/.test(name))
    return /^-?[a-zA-Z]*x/.test(first) || flat.some((text) => /^(?:-[a-zA-Z]*x|--extract|--get)/.test(text));
  if (name === "unzip") return !flat.some((text) => /^-[a-zA-Z]*[lptzZ]/.test(text));
  if (name === "7z" || name === "7za") return /^[xe]$/.test(first);
  if (name === "find") {
    const acts = flat.some((text) => /^-(?:delete|exec|execdir|ok|okdir|fprint.*|fls)$/.test(text));
    return acts && (first === "" || first.startsWith("-"));
  }
  return /^(?:cpio|patch|split|csplit|unar|unrar|jar|ar|pax)$/.test(name);
}

/** Whether the program leaves the current folder alone, because an option gives it another one. */
function movesAway(name: string, flat: readonly string[]): boolean {
  const option = { tar: "-C", make: "-C", ninja: "-C", unzip: "-d", patch: "-d" }[name];
  return name === "git" ? flat[0] === "-C" : option !== undefined && flat.includes(option);
}

function folderOptions(args: readonly Word[]): readonly string[] {
  return args.flatMap((word, index) =>
    word.flatMap((text) => {
      if (FOLDER_OPTION.test(text)) return args[index + 1] ?? [];
      const [, glued] = text.startsWith("-") ? (GLUED_FOLDER.exec(text) ?? []) : [];
      return glued === undefined ? [] : [glued];
    }),
  );
}

/** Our own commands that change the agent's guards. */
function judgeOwnProgram(words: readonly string[]): string | null {
  if (!words.some((text) => /(?:^|\/)hermes(?:-hooks)?$|(?:^|\/)cli\/(?:bin\.js|main\.ts)$/.test(text))) return null;
  const joined = words.filter((text) => !text.startsWith("-")).join(" ");
  const [found] =
    /\bhooks (?:allow|revoke|import)\b|\bplugins (?:enable|disable|install|update|remove)\b/.exec(joined) ?? [];
  return found === undefined ? null : `"hermes ${found}" changes the agent's guards`;
}
