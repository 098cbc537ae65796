/**
 * Walks through a shell command in the order in which it would run, without running it: follows its folders, learns
 * its variables and functions, and hands every simple command to the judge. Throws {@link Refusal}.
 */
import {
  parse,
  type Assignment,
  type Command,
  type CommandNode,
  type CompoundList,
  type Redirection,
  type Script,
  type Statement,
  type SyntaxNode,
} from "unbash";
import type { CallJudge } from "#agent/guard/judge";
import { runCall } from "./calls.ts";
import type { ShellWalk } from "./shell-walk.ts";
import { expandParts, expandWord, scriptsIn, splitWord, textsIn, type ExpansionContext } from "./expand.ts";
import { isUnknown, SCRIPT, UNKNOWN_WORD, type Word, wordOf } from "./patterns.ts";
import { DEEPEST, type Flow, Refusal, same, type Start, union } from "./flow.ts";
import { type Folders, foldersOf, type ShellState } from "./state.ts";

const MOST_STEPS = 3000;

export class Walk implements ShellWalk {
  readonly state: ShellState;
  readonly judge: CallJudge;
  #steps = 0;

  constructor(state: ShellState, judge: CallJudge) {
    this.state = state;
    this.judge = judge;
  }

  /** Code as text: in the shell itself (`eval`), unless told otherwise. Code with gaps cannot be read. */
  code(texts: Word, start: Start): Flow {
    const flows = texts.filter((text) => text !== SCRIPT).map((text) => this.#codeOf(text, start));
    return union([...flows, same(start)]);
  }

  #codeOf(text: string, start: Start): Flow {
    if (isUnknown(text)) throw new Refusal("it runs code that cannot be told before it runs");
    this.judge.mentions(text, start.folders);
    const script = parse(text);
    // Bash runs what comes before an error; what comes after it may be read in another way.
    if (script.errors !== undefined) this.judge.unreadable(text);
    return this.script(script, start);
  }

  script(script: Script | CompoundList, start: Start): Flow {
    if (start.depth > DEEPEST) throw new Refusal("it is nested too deeply to be checked");
    return this.#list(script.commands, { ...start, depth: start.depth + 1 });
  }

  /** In a shell of its own: what it changes is gone afterwards. */
  apart(run: () => Flow, start: Start): Flow {
    const { prints } = this.state.conditionally(run);
    return { ...same(start), prints };
  }

  context(start: Start): ExpansionContext {
    return {
      state: this.state,
      folders: start.folders,
      substitute: (script) => {
        if (script === undefined) return UNKNOWN_WORD;
        return this.apart(() => this.script(script, { ...start, stdin: null }), start).prints;
      },
    };
  }

  #list(statements: readonly Statement[], start: Start): Flow {
    let { folders } = start;
    let last = same(start);
    const prints: string[] = [];
    for (const { command, background } of statements) {
      const from = { ...start, folders };
      const run = () => this.#node(command, from);
      last = background === true ? this.apart(run, from) : run();
      folders = foldersOf([...last.ok, ...last.fail]);
      prints.push(...last.prints);
    }
    const lines = prints.filter((text) => text !== "");
    return { ok: last.ok, fail: last.fail, prints: lines.length === 0 ? [""] : wordOf(lines) };
  }

  #node(node: Statement["command"], start: Start): Flow {
    if (++this.#steps > MOST_STEPS) throw new Refusal("it is too long to be checked");
    switch (node.type) {
      case "AndOr":
        return this.state.conditionally(() => this.#andOr(node, start));
      case "Pipeline": {
        const [first, ...others] = node.commands;
        if (first !== undefined && others.length === 0) return swapped(this.#command(first, start));
        let { stdin } = start;
        for (const command of node.commands) {
          stdin = this.apart(() => this.#command(command, { ...start, stdin }), start).prints;
        }
        return { ...same(start), prints: stdin ?? [""] };
      }
      default:
        return this.#command(node, start);
    }
  }

  #andOr({ commands, operators }: Extract<Statement["command"], { type: "AndOr" }>, start: Start): Flow {
    const [first, ...others] = commands;
    let flow = first === undefined ? same(start) : this.#node(first, start);
    for (const [index, command] of others.entries()) {
      const and = operators[index] === "&&";
      const next = this.#node(command, { ...start, folders: and ? flow.ok : flow.fail });
      const prints = wordOf([...flow.prints, ...next.prints].filter((text) => text !== ""));
      const other = (one: Folders, two: Folders) => foldersOf([...one, ...two]);
      flow = and
        ? { ok: next.ok, fail: other(flow.fail, next.fail), prints }
        : { ok: other(flow.ok, next.ok), fail: next.fail, prints };
    }
    return flow;
  }

  #command(node: CommandNode | CompoundList, start: Start): Flow {
    switch (node.type) {
      case "Command":
        return this.#simple(node, start);
      case "Redirected":
        return this.#command(node.command, this.redirect(node.redirects, start));
      case "BraceGroup":
        return this.script(node.body, start);
      case "CompoundList":
        return this.script(node, start);
      case "Subshell":
        return this.apart(() => this.script(node.body, start), start);
      case "Coproc":
        return this.apart(() => this.#command(node.body, { ...start, stdin: UNKNOWN_WORD }), start);
      case "Function":
        this.state.define(node.name.value, node.body);
        return this.apart(() => this.#command(node.body, start), start);
      case "If":
        return this.#branches(
          node.clause,
          [node.then, ...node.elif.flatMap((each) => [each.clause, each.then]), node.else],
          start,
        );
      case "Case":
        expandWord(node.word, this.context(start));
        return this.#branches(
          undefined,
          node.items.map((item) => item.body),
          start,
        );
      case "While":
        return this.#loop([node.clause, node.body], start);
      case "For":
      case "Select":
        this.#loopVariable(node.name.value, node.wordlist ?? [], start);
        return this.#loop([node.body], start);
      case "ArithmeticFor":
        this.#inside(node, start);
        return this.#loop([node.body], start);
      default:
        this.#inside(node, start);
        return same(start);
    }
  }

  /** Code in tests and sums. */
  #inside(node: SyntaxNode, start: Start): void {
    const { substitute } = this.context(start);
    if (node.type === "ArithmeticFor")
      for (const part of [node.initialize, node.test, node.update]) {
        if (part !== undefined) for (const script of scriptsIn(part)) substitute(script);
      }
    else for (const script of scriptsIn(node)) substitute(script);
    this.expandedAgain(textsIn(node), start);
  }

  #branches(clause: CompoundList | undefined, bodies: readonly (CompoundList | undefined)[], start: Start): Flow {
    const first = clause === undefined ? same(start) : this.script(clause, start);
    const from = { ...start, folders: foldersOf([...first.ok, ...first.fail]) };
    const flows = bodies.map((body) =>
      body === undefined ? same(from) : this.state.conditionally(() => this.script(body, from)),
    );
    return union([...flows, { ...same(from), prints: first.prints }]);
  }

  /** Until a round ends nowhere that is new. */
  #loop(lists: readonly CompoundList[], start: Start): Flow {
    const round = (from: Start) =>
      this.state.conditionally(() =>
        lists.reduce<Flow>((flow, list) => {
          const next = this.script(list, { ...from, folders: foldersOf([...flow.ok, ...flow.fail]) });
          return { ...next, prints: wordOf([...flow.prints, ...next.prints]) };
        }, same(from)),
      );
    let flow = same(start);
    for (let folders: Folders = []; folders.length !== flow.ok.length;) {
      folders = flow.ok;
      flow = union([round({ ...start, folders }), { ok: folders, fail: folders, prints: flow.prints }]);
      flow = { ...flow, ok: foldersOf([...flow.ok, ...flow.fail]) };
    }
    return { ...flow, fail: flow.ok };
  }

  #loopVariable(name: string, list: readonly Parameters<typeof splitWord>[0][], start: Start): void {
    const values = list.flatMap((word) => splitWord(word, this.context(start))).flat();
    this.state.remember(name, list.length === 0 ? this.state.values("@", start.folders) : wordOf(values));
  }

  #simple(command: Command, start: Start): Flow {
    const context = this.context(start);
    for (const each of command.prefix) if (each.type === "Assignment") this.assign(each, start);
    const from = this.redirect(command.redirects, start);
    const words: Word[] = command.name === undefined ? [] : [...splitWord(command.name, context)];
    for (const each of command.args) {
      if (each.type === "Assignment") words.push(this.assign(each, start).map((value) => `${each.name}=${value}`));
      else words.push(...splitWord(each, context));
    }
    // `$(<file)` prints the file.
    if (words.length === 0) return { ...same(start), prints: from.stdin === start.stdin ? [""] : (from.stdin ?? [""]) };
    const flow = runCall(this, words, from);
    this.state.setLast(words);
    return flow;
  }

  assign({ name, value, append, index }: Assignment, start: Start): Word {
    const context = this.context(start);
    if (index !== undefined) expandWord(index, context);
    const values =
      value.type === "ArrayValue"
        ? wordOf(value.elements.flatMap((word) => splitWord(word, context)).flat())
        : expandWord(value, context);
    this.learn(name, values, start);
    if (append === true) this.state.append(name, values);
    else this.state.remember(name, values);
    return values;
  }

  /** What a variable's value may do besides being a text: name a place, or be code (`PAGER`, `PS4`). */
  learn(name: string, values: Word, start: Start): void {
    this.judge.variable(name, values, start.folders);
    for (const value of values.filter((text) => /[\s`]|\$\(/.test(text) && !isUnknown(text))) {
      for (const code of [value, `: ${value}`]) this.apart(() => this.code([code], start), start);
    }
  }

  /** A text that bash may expand once more, such as the index in `let 'a[$(…)]'`. */
  expandedAgain(texts: Word, start: Start): void {
    const codes = texts.filter((text) => /`|\$\(/.test(text) && !isUnknown(text)).map((text) => `: ${text}`);
    for (const code of codes) this.apart(() => this.code([code], start), start);
  }

  /** Judges the targets of redirections; gives what the command then reads. */
  redirect(redirections: readonly Redirection[], start: Start): Start {
    const context = this.context(start);
    let { stdin } = start;
    for (const each of redirections) {
      if (each.type === "HereString") stdin = expandWord(each.target, context);
      else if (each.type === "HereDoc") {
        const { parts, text } = each.body;
        stdin = parts === undefined ? [text] : expandParts(parts, true, context);
      } else {
        const target = expandWord(each.target, context);
        this.judge.redirection(each.operator, target, start.folders);
        if (each.operator === "<" || each.operator === "<>") stdin = [SCRIPT];
      }
    }
    return { ...start, stdin };
  }

  /** The body of a function that the command defined. */
  callFunction(body: unknown, start: Start): Flow {
    if (start.depth > DEEPEST) return same(start);
    return this.#command(body as CommandNode, { ...start, depth: start.depth + 1 });
  }
}

/** `!` swaps success and failure; `time` does not: both may be. */
function swapped({ ok, fail, prints }: Flow): Flow {
  const both = foldersOf([...ok, ...fail]);
  return { ok: both, fail: both, prints };
}
