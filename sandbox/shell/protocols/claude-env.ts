/**
 * Reads what a SessionStart script of Claude Code wrote into `CLAUDE_ENV_FILE`: lines such as `export NAME="value"`.
 * They are read as data and never run: a script may copy the name of a branch into them.
 */
import { expandHome } from "#core/home/paths";
import { splitAssignments, type ShellWord } from "./claude-env-words.ts";

export interface SessionVariables {
  readonly variables: Readonly<Record<string, string>>;
  /** Clauses about lines that do not count. */
  readonly problems: readonly string[];
}

const MOST_VARIABLES = 200;

/** Variables that would change what a command runs or whom it takes for the user, beyond the words of the command. */
const REFUSED =
  /^(?:LD_.*|DYLD_.*|BASH_ENV|ENV|BASH_FUNC_.*|BASHOPTS|SHELLOPTS|PS4|PROMPT_COMMAND|IFS|CDPATH|GLOBIGNORE|HOME|PWD|OLDPWD|HERMES_.*|CLAUDE_ENV_FILE)$/;

/** The variables of the text; `env` is what `$NAME` in it means, besides what the text itself sets. Never throws. */
export function readExports(text: string, env: NodeJS.ProcessEnv, home: string): SessionVariables {
  const variables: Record<string, string> = Object.create(null) as Record<string, string>;
  const problems: string[] = [];
  const lookUp = (name: string) => variables[name] ?? (Object.hasOwn(env, name) ? env[name] : undefined);
  for (const command of splitAssignments(text, { lookUp, home: (word) => expandHome(word, home) })) {
    const problem = typeof command === "string" ? command : assign(command, variables);
    if (problem !== null) problems.push(problem);
  }
  return { variables: { ...variables }, problems };
}

const DECLARING = new Set(["export", "declare", "typeset"]);

/** Sets what one command assigns, or says why it does not count. */
function assign(words: readonly ShellWord[], variables: Record<string, string>): string | null {
  const [first = ""] = words;
  const declares = DECLARING.has(first);
  const rest = declares ? words.slice(1).filter((word) => !/^-(?:-|[gx]+)$/.test(word)) : words;
  for (const word of rest) {
    const [, name, value] = /^([A-Za-z_]\w*)=([^]*)$/.exec(word) ?? [];
    // `export NAME` changes nothing: what the script itself has is not in its file.
    if (declares && /^[A-Za-z_]\w*$/.test(word)) continue;
    if (name === undefined || value === undefined) return `only "export NAME=value" counts, not ${describe(first)}`;
    if (REFUSED.test(name)) return `${name} is not taken over`;
    if (!Object.hasOwn(variables, name) && Object.keys(variables).length >= MOST_VARIABLES) {
      return `it sets more than ${MOST_VARIABLES} variables`;
    }
    variables[name] = value;
  }
  return null;
}

function describe(word: string): string {
  return JSON.stringify(word.slice(0, 40));
}
