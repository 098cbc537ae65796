/** Asks the user on the terminal whether hooks may run (CONTRACT §5). The default is no. */
import { wrap } from "./layout.ts";
import { describeQuestion, showScript, type Question } from "./question.ts";
import { openTerminalLines, type Terminal } from "./terminal-lines.ts";

/** Asks one question after another on the same terminal. */
export interface Prompter {
  /** True for yes; `waiting` are all questions of this start. Rejects with HERMES_INTERRUPTED on Ctrl+C. */
  ask(question: Question, waiting: readonly Question[]): Promise<boolean>;
  close(): void;
}

/** Opens the terminal for questions. What is typed after the last answer is returned to the input on `close`. */
export function openPrompter(terminal: Terminal): Prompter {
  const output: Terminal["output"] & { readonly columns?: number; readonly rows?: number } = terminal.output;
  const lines = openTerminalLines(terminal);
  const allowed = new Set<Question>();
  let gone = false;
  const columns = () => output.columns || 80;
  const say = (text: readonly string[]) => void output.write(`${text.join("\n")}\n`);

  async function answerTo(prompt: string): Promise<string> {
    const line = await lines.ask(prompt);
    gone ||= line === undefined;
    return line?.trim().toLowerCase() ?? "";
  }

  /** Shows lines page by page. False when the user does not want to see the rest. */
  async function showPages(text: readonly string[]): Promise<boolean> {
    const page = Math.max((output.rows || 24) - 2, 5);
    // A page of one line more saves a page of one line.
    for (let from = 0; ; from += page) {
      const left = text.length - from - page;
      if (left <= 1) {
        say(text.slice(from));
        return true;
      }
      say(text.slice(from, from + page));
      const answer = await answerTo(`-- ${left} more lines (q: stop) -- `);
      if (gone || answer === "q" || answer === "n") return false;
    }
  }

  async function show(question: Question, waiting: readonly Question[]): Promise<boolean> {
    const position = waiting.length > 1 ? `${waiting.indexOf(question) + 1} of ${waiting.length}: ` : "";
    return showPages(describeQuestion(question, position, columns()));
  }

  async function ask(question: Question, waiting: readonly Question[]): Promise<boolean> {
    if (allowed.has(question)) return true;
    if (gone) return false;
    if (!(await show(question, waiting))) {
      say(["Not approved: it was not shown completely."]);
      return false;
    }
    const rest = waiting.slice(waiting.indexOf(question));
    const hasScript = question.script.path !== null;
    const letters = ["y", "N", ...(hasScript ? ["s"] : []), ...(rest.length > 1 ? ["a"] : [])].join("/");
    for (;;) {
      say(wrap(legend(hasScript, rest.length), columns()));
      const answer = await answerTo(`Allow this hook? [${letters}] `);
      if (answer === "y" || answer === "yes") return true;
      if (gone || answer === "" || answer === "n" || answer === "no") return false;
      if (hasScript && (answer === "s" || answer === "show")) await showPages(showScript(question.script, columns()));
      else if (rest.length > 1 && (answer === "a" || answer === "all")) {
        if (await askForAll(rest, waiting)) return true;
        if (gone) return false;
        await show(question, waiting);
      } else say([`Please answer ${letters.replaceAll("/", ", ")}.`]);
    }
  }

  /** Shows the questions that were not shown yet, then takes one answer for all of them. */
  async function askForAll(rest: readonly Question[], waiting: readonly Question[]): Promise<boolean> {
    for (const question of rest.slice(1)) {
      if (await show(question, waiting)) continue;
      say(["Nothing approved: not all hooks were shown."]);
      return false;
    }
    const answer = await answerTo(`Allow all ${rest.length} hooks shown above? [y/N] `);
    if (answer !== "y" && answer !== "yes" && answer !== "a") return false;
    for (const question of rest) allowed.add(question);
    return true;
  }

  return { ask, close: () => lines.close() };
}

function legend(hasScript: boolean, left: number): string {
  const parts = [
    "y: yes, n: no (default)",
    ...(hasScript ? ["s: show the script"] : []),
    ...(left > 1 ? [`a: show the other ${left - 1}, then allow all with one answer`] : []),
  ];
  return parts.join(", ");
}
