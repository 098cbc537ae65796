/** The command rules of a home, as plugins get them. */
import { agentHomes } from "#core/agent-mark";
import { HermesError } from "#core/errors";
import type { CommandRule, CommandRules } from "#core/ports/command-rules";
import { addRules, readRules } from "./store.ts";
import { isAllowed, suggestRule, textOfRule } from "./suggest.ts";

export interface CommandRulesOptions {
  /** `approvals.json`. */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  /** The words of each program that a command line runs; null when that cannot be told. */
  readonly read: (command: string) => Promise<readonly (readonly string[])[] | null>;
  /** Takes a sentence about a file that cannot be used; may be called again. */
  readonly warn: (sentence: string) => void;
}

/** More programs than these, or longer rules, are more than a person reads in a question. */
const MOST_RULES = 3;
const LONGEST_RULE = 200;

export function createCommandRules({ file, env, read, warn }: CommandRulesOptions): CommandRules {
  function rules(): readonly CommandRule[] {
    const { rules: found, warnings } = readRules(file);
    for (const sentence of warnings) warn(sentence);
    return found;
  }

  return {
    async allows(command) {
      const known = rules();
      if (known.length === 0) return false;
      const programs = await read(command);
      return programs !== null && programs.every((words) => isAllowed(words, known));
    },
    async suggest(command) {
      // What an agent types in a terminal of its own is no word of the user's.
      if (agentHomes(env).length > 0) return null;
      const programs = await read(command);
      if (programs === null) return null;
      const known = rules();
      const wanted = new Map<string, CommandRule>();
      for (const words of programs) {
        if (isAllowed(words, known)) continue;
        const rule = suggestRule(words);
        wanted.set(textOfRule(rule), rule);
      }
      const texts = [...wanted.keys()];
      if (texts.length === 0 || texts.length > MOST_RULES) return null;
      if (texts.some((text) => text.length > LONGEST_RULE)) return null;
      return {
        text: texts.join(" and "),
        async remember() {
          if (agentHomes(env).length > 0) throw new HermesError("HERMES_INSIDE_AGENT", { what: "a command rule" });
          await addRules(file, [...wanted.values()]);
        },
      };
    },
  };
}
