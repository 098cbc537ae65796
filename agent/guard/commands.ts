/**
 * Checks a terminal command by the paths it names. Refuses commands that name a guarded path, and those that move,
 * delete or pass on a folder that contains one. It cannot check what a command does without naming a path
 * (docs/tools.md says so).
 */
import { existsSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { parseShellCommand, type Word } from "./command-words.ts";
import { WordJudge } from "./words.ts";
import { type GuardSnapshot, type Relation, relationOf } from "./paths.ts";

export interface CommandGround {
  readonly snapshot: GuardSnapshot;
  readonly cwd: string;
  readonly userHome: string;
  /** Possible values of `$HERMES_HOME` in addition to the one in the environment. */
  readonly hermesHome: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

const DEEPEST = 5;
const MOST_FOLDERS = 16;

const KEYWORDS = new Set("if then elif else fi do done while until ! { } time in".split(" "));
const WRAPPERS = new Set("sudo doas env nohup exec command builtin nice ionice timeout stdbuf setsid xargs".split(" "));
const SHELLS = new Set("sh bash zsh dash ksh ash fish eval su ssh watch trap parallel script busybox".split(" "));
const INTERPRETERS =
  /^(?:python|node|deno|bun|tsx|perl|ruby|php|lua|g?awk|mawk|sed|ed|ex|vim?|nvim|osascript|jq|sqlite3)[\d.]*$/;
/** May be given the home folder itself, because they show names at most. */
const HARMLESS = new Set(
  "cd pushd ls dir find fd stat du df tree file test [ [[ echo printf realpath readlink dirname basename pwd mkdir export declare local hermes npx".split(
    " ",
  ),
);
const READS_FOLDERS = new Set("grep egrep fgrep rg ag ack".split(" "));
const UNPACKS_HERE = new Set("unzip 7z cpio".split(" "));
const GIT_CHANGES = /^(?:add|checkout|restore|reset|clean|stash|apply|am|pull|merge|rebase|rm|mv|switch)$/;
const FIND_ACTIONS = /^-(?:delete|exec|execdir|ok|okdir|fprint.*|fls)$/;
const RECURSIVE = /^(?:-[A-Za-z]*[rRa][A-Za-z]*|--recursive|--archive)$/;

/** Commands with their own rules below. */
const RULED =
  /^(?:rm|mv|cp|scp|shred|trash|find|tar|bsdtar|zip|7z|unzip|cpio|rsync|ln|install|mount|bindfs|docker|podman|bwrap|chroot|chmod|chown|chgrp|setfacl|chattr|[ef]?grep|rg|ag|ack|git)$/;

/** Why the command is refused, as a clause (`it names ~/.hermes/config.yaml`), or null when it is allowed. */
export function judgeCommand(command: string, ground: CommandGround): string | null {
  const known = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(ground.env)) if (value !== undefined) known.set(name, [value]);
  known.set("HOME", [...new Set([ground.userHome, ground.env["HOME"] || ground.userHome])]);
  const homes = [ground.env["HERMES_HOME"], ground.hermesHome].filter((home) => home !== undefined);
  known.set("HERMES_HOME", [...new Set(homes)]);
  known.set("PWD", [ground.cwd]);
  const review = new Review(ground, known);
  return review.judge(command, { depth: 0, handsOn: false });
}

interface Nesting {
  readonly depth: number;
  /** True where the output becomes words of another command, so that names alone give access. */
  readonly handsOn: boolean;
}

/** A simple command, split into its parts. */
interface Call {
  readonly name: string;
  readonly args: readonly Word[];
  readonly options: readonly string[];
  readonly nesting: Nesting;
}

class Review {
  readonly #words: WordJudge;
  readonly #userHome: string;
  readonly #variables: Map<string, readonly string[]>;
  /** Every folder that a relative path of the command may start from. */
  readonly #folders: Set<string>;
  readonly #hermesHomes: readonly string[];

  constructor(ground: CommandGround, variables: Map<string, readonly string[]>) {
    this.#words = new WordJudge(ground.snapshot, ground.userHome);
    this.#userHome = ground.userHome;
    this.#variables = variables;
    this.#folders = new Set([ground.cwd]);
    this.#hermesHomes = variables.get("HERMES_HOME") ?? [];
  }

  judge(source: string, nesting: Nesting): string | null {
    if (nesting.depth > DEEPEST) return "it is nested too deeply to be checked";
    const mentioned = this.#mentionIn(source, false);
    if (mentioned !== null) return mentioned;
    const { commands, substitutions } = parseShellCommand(source, this.#variables);
    const inner = { depth: nesting.depth + 1, handsOn: true };
    const handsOn =
      nesting.handsOn ||
      commands.some((words) => has(words, (name) => name === "xargs" || name === "parallel" || name === "read"));
    const shell = commands.some((words) => has(words, (name) => SHELLS.has(name)));
    // The result of a substitution is unknown: one that mentions the home may give the home.
    if (substitutions.some((text) => /hermes/i.test(text)))
      for (const home of this.#hermesHomes) this.#folders.add(home);
    const calls = commands.map((words) => ({ words, call: readCall(words, { ...nesting, handsOn }) }));
    // Names from a pipe come before the `cd` of the command that uses them.
    if (handsOn) for (const { call, words } of calls) this.#follow(call, words);
    for (const { call, words } of calls) {
      const reason = this.#judgeCall(call, words, shell);
      if (reason !== null) return reason;
    }
    // After the commands, so that their `cd` applies inside, too.
    return firstReason(substitutions, (text) => this.judge(text, inner));
  }

  #judgeCall(call: Call, words: readonly Word[], shell: boolean): string | null {
    this.#follow(call, words);
    const own = judgeOwnProgram(words);
    if (own !== null) return own;
    const interpreter = has(words, (name) => INTERPRETERS.test(name));
    for (const [index, word] of words.entries()) {
      for (const text of word) {
        const reason = this.#judgeText(text, { interpreter, shell, depth: call.nesting.depth });
        if (reason !== null) return reason;
        const relation = this.#words.relation(text, this.#folders);
        if (relation === "inside") return `it names ${show(text)}`;
        if (
          relation !== "free" &&
          this.#reachesInto(call, relation, { text, index: index - (words.length - call.args.length) })
        ) {
          return `it would give ${call.name || "the shell"} access to ${show(text)}, which contains such files`;
        }
      }
    }
    return this.#judgeHere(call) ?? this.#judgeDestination(call);
  }

  /** Arguments of several words: code for a shell or an interpreter. */
  #judgeText(text: string, how: { interpreter: boolean; shell: boolean; depth: number }): string | null {
    if (!/[\s'"`;|&()<>]/.test(text)) return null;
    if (how.shell) {
      const reason = this.judge(text, { depth: how.depth + 1, handsOn: false });
      if (reason !== null) return reason;
    }
    return this.#mentionIn(text, how.interpreter || text.includes("\n"));
  }

  #mentionIn(source: string, isRelative: boolean): string | null {
    const known = source.replaceAll(
      /\$\{?(HOME|HERMES_HOME)\b\}?/g,
      (_, name: string) => this.#variables.get(name)?.[0] ?? "",
    );
    const mentioned = this.#words.findMention(known, this.#folders, isRelative);
    return mentioned === undefined ? null : `it names ${show(mentioned)}`;
  }

  /** Records the folders that `cd DIR`, `-C DIR` and the like lead to. */
  #follow(call: Call, words: readonly Word[]): void {
    const targets: string[] = [];
    if (call.name === "cd" || call.name === "pushd") {
      const target = call.args.find((word) => !word[0]?.startsWith("-"));
      targets.push(...(target ?? [this.#userHome]));
    }
    for (const [index, word] of words.entries()) {
      for (const text of word) {
        const [, glued] = /^(?:--directory=|--chdir=|--cwd=|--prefix=|-C)(.+)$/s.exec(text) ?? [];
        if (glued !== undefined) targets.push(glued);
        else if (/^(?:-C|--directory|--chdir|--cwd|--prefix)$/.test(text)) targets.push(...(words[index + 1] ?? []));
      }
    }
    for (const folder of targets.flatMap((target) => this.#words.folders(target, this.#folders))) {
      if (this.#folders.size < MOST_FOLDERS) this.#folders.add(folder);
    }
  }

  /** Whether a call that is given a folder above guarded paths can access its contents. */
  #reachesInto(call: Call, relation: Relation, operand: { text: string; index: number }): boolean {
    const { name, options, nesting } = call;
    const recursive = options.some((option) => RECURSIVE.test(option));
    const finds = name === "find" && call.args.some((word) => FIND_ACTIONS.test(word[0] ?? ""));
    const isLast = operand.index === call.args.length - 1;
    const destroys = (name === "rm" && recursive) || name === "shred" || name === "trash" || (name === "mv" && !isLast);
    // A user's own folder that happens to contain an approved script: only removing all of it matters.
    if (destroys || relation === "above_extra") return destroys;
    if (finds) return true;
    const copies = (name === "cp" || name === "scp") && recursive && !isLast;
    const packs = /^(?:tar|bsdtar|zip|7z|cpio|rsync|ln|mount|bindfs|docker|podman|bwrap|chroot)$/.test(name) && !isLast;
    const packsAll = /^(?:tar|bsdtar|zip|7z|rsync)$/.test(name) && !options.some((option) => option.includes("x"));
    const modes = /^(?:chmod|chown|chgrp|setfacl|chattr)$/.test(name) && recursive;
    if (copies || packs || packsAll || modes) return true;
    if (relation !== "home") return false;
    // An assignment alone accesses nothing; uses of the variable are checked where they occur.
    if (operand.index < 0 || /^\w+=/.test(operand.text)) return false;
    if (name === "cd" || name === "pushd" || name === "pwd") return false;
    return nesting.handsOn || !HARMLESS.has(name);
  }

  /** Commands that work on the current folder without naming it. */
  #judgeHere(call: Call): string | null {
    const { name, args, options } = call;
    const first = args.find((word) => !word[0]?.startsWith("-"))?.[0] ?? "";
    const works =
      (READS_FOLDERS.has(name) &&
        (options.some((option) => RECURSIVE.test(option)) || /^(?:rg|ag|ack)$/.test(name)) &&
        operandsOf(args) < 2) ||
      (name === "find" &&
        call.args.some((word) => FIND_ACTIONS.test(word[0] ?? "")) &&
        /^(?:$|-)/.test(args[0]?.[0] ?? "")) ||
      (/^(?:tar|bsdtar)$/.test(name) && args[0]?.[0]?.includes("x")) ||
      UNPACKS_HERE.has(name) ||
      (name === "git" && args.some((word) => GIT_CHANGES.test(word[0] ?? "")) && first !== "");
    if (!works) return null;
    const here = [...this.#folders].find((folder) => this.#words.relation(folder, []) === "home");
    return here === undefined ? null : `it would let ${name} work on everything in ${here}`;
  }

  /** `cp x DIR` writes DIR/x: checks what would be written. */
  #judgeDestination(call: Call): string | null {
    if (!/^(?:cp|mv|install|ln|rsync|scp)$/.test(call.name)) return null;
    const operands = call.args.filter((word) => !word[0]?.startsWith("-"));
    const targets = operands.at(-1) ?? [];
    for (const target of targets.flatMap((text) => this.#words.folders(text, this.#folders))) {
      for (const source of operands.slice(0, -1).flat()) {
        const lands = relationOf(join(target, basename(source)), this.#words.snapshot);
        const carries = this.#words
          .folders(source, this.#folders)
          .some((from) => this.#carriesGuard(from, source, target));
        if (lands === "inside" || lands === "home" || carries)
          return `it would write ${show(join(target, basename(source)))}`;
      }
    }
    return null;
  }

  /** `cp -r x/. DIR`: whether x contains, at the same relative path, something that is guarded in DIR. */
  #carriesGuard(from: string, source: string, target: string): boolean {
    if (!/(?:^|\/)\.?$/.test(source)) return false;
    return this.#words.snapshot.guards.some(({ path }) => {
      const below = relative(resolve(target), path);
      return !below.startsWith("..") && existsSync(join(from, below));
    });
  }
}

/** Our own commands that change the agent's guards. */
function judgeOwnProgram(words: readonly Word[]): string | null {
  const flat = words.flat();
  if (!flat.some((text) => /(?:^|\/)hermes(?:-hooks)?$|(?:^|\/)cli\/(?:bin\.js|main\.ts)$/.test(text))) return null;
  const joined = flat.filter((text) => !text.startsWith("-")).join(" ");
  const [found] = /\bhooks (?:allow|revoke|import)\b|\bplugins (?:enable|disable)\b/.exec(joined) ?? [];
  return found === undefined ? null : `"hermes ${found}" changes the agent's guards`;
}

/** Finds the command's name after assignments, keywords and wrappers such as `sudo` or `timeout 5`. */
function readCall(words: readonly Word[], nesting: Nesting): Call {
  const names = words.map((word) => basename(word[0] ?? ""));
  const plain = (index: number) => !/^\w+\+?=/.test(words[index]?.[0] ?? "") && !KEYWORDS.has(names[index] ?? "");
  const first = names.findIndex((_, index) => plain(index));
  const wrapped = WRAPPERS.has(names[first] ?? "");
  // After a wrapper, the first command that has rules is used: telling which words before it belong to the wrapper
  // (`timeout -s KILL 5`, `sudo -u root`) would take its manual.
  const ruled = wrapped ? names.findIndex((name, index) => index > first && RULED.test(name)) : -1;
  const unruled = names.findIndex(
    (name, index) => index > first && plain(index) && !WRAPPERS.has(name) && !/^(?:-|\d+[smhd]?$)/.test(name),
  );
  const at = !wrapped ? first : ruled !== -1 ? ruled : unruled;
  const args = at === -1 ? [] : words.slice(at + 1);
  const options = args.flat().filter((text) => text.startsWith("-"));
  return { name: names[at] ?? "", args, options, nesting };
}

function operandsOf(args: readonly Word[]): number {
  return args.filter((word) => !word[0]?.startsWith("-")).length;
}

function has(words: readonly Word[], matches: (name: string) => boolean): boolean {
  return words.some((word) => word.some((text) => matches(basename(text))));
}

function firstReason(sources: readonly string[], judge: (source: string) => string | null): string | null {
  for (const source of sources) {
    const reason = judge(source);
    if (reason !== null) return reason;
  }
  return null;
}

/** A word in readable form: with its wildcards, shortened. */
function show(text: string): string {
  const plain = text
    .replaceAll(/[\uE000\uE002]/g, "*")
    .replaceAll("\uE001", "?")
    .replaceAll("\n", " ");
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
}
