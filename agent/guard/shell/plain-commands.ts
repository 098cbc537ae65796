/** Reads a command line as the programs that it runs with the words that they get, where both are plain to see. */
import { parse, type Command, type CommandNode, type Redirection, type Statement, type Word } from "unbash";

/**
 * The words of each program that the line runs; null when anything else happens or when a word is only known while it
 * runs: substitutions, variables, wildcards, braces, assignments, files written or read by redirection, functions,
 * loops, code that cannot be read. `&&`, `||`, `|`, `;`, `&`, `!`, `time`, `( … )`, `{ …; }`, `2>&1` and `>/dev/null`
 * only join or silence programs.
 */
export function plainCommands(line: string): readonly (readonly string[])[] | null {
  const { commands, errors, shebang } = parse(line);
  if (errors !== undefined || shebang !== undefined || commands.length === 0) return null;
  return fromStatements(commands);
}

type Commands = readonly (readonly string[])[] | null;

function fromStatements(statements: readonly Statement[]): Commands {
  return joined(statements, ({ command }) => fromNode(command));
}

function fromNode(node: Statement["command"] | CommandNode): Commands {
  switch (node.type) {
    case "AndOr":
    case "Pipeline":
      return joined<Statement["command"] | CommandNode>(node.commands, fromNode);
    case "Subshell":
    case "BraceGroup":
      return fromStatements(node.body.commands);
    case "Redirected":
      return node.redirects.every(isSilencing) ? fromNode(node.command) : null;
    case "Command":
      return fromCommand(node);
    default:
      return null;
  }
}

function joined<Node>(nodes: readonly Node[], read: (node: Node) => Commands): Commands {
  const all: (readonly string[])[] = [];
  for (const node of nodes) {
    const commands = read(node);
    if (commands === null) return null;
    all.push(...commands);
  }
  return all;
}

function fromCommand({ name, prefix, suffix }: Command): Commands {
  if (name === undefined || prefix.length > 0) return null;
  const words = [plainWord(name)];
  for (const part of suffix) {
    if (part.type === "Assignment") return null;
    if (part.type === "Word") words.push(plainWord(part));
    else if (!isSilencing(part)) return null;
  }
  return words.includes(null) ? null : [words as string[]];
}

const PLAIN_PARTS: ReadonlySet<string> = new Set(["Literal", "SingleQuoted", "AnsiCQuoted"]);

/** The word that a program gets; null when the shell makes it from something else. */
function plainWord({ value, parts = [] }: Word): string | null {
  const isPlain = parts.every(
    (part) =>
      PLAIN_PARTS.has(part.type) ||
      (part.type === "DoubleQuoted" && part.parts.every((inner) => inner.type === "Literal")),
  );
  return isPlain ? value : null;
}

/** Redirections that touch no file: `2>&1`, `>/dev/null`. */
function isSilencing(redirection: Redirection): boolean {
  if (redirection.type !== "Redirect") return false;
  const { operator, target } = redirection;
  if (target === undefined || plainWord(target) === null) return false;
  if (operator === ">&") return /^[12]$/.test(target.value);
  return [">", ">>", "&>", "&>>"].includes(operator) && target.value === "/dev/null";
}
