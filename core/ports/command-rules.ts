/** The port of command rules: which commands of the agent run without a question, because the user said so once. */

/** A command that is allowed: these words and any after them, or exactly these words. */
export interface CommandRule {
  readonly words: readonly string[];
  readonly exact: boolean;
}

/** What would have to be remembered, so that a command line runs without a question from now on. */
export interface RuleSuggestion {
  /** For the user: `commands that begin with: git status`. */
  readonly text: string;
  /** Adds the rules. Rejects when they cannot be written. */
  readonly remember: () => Promise<void>;
}

/** The rules of a home, in `approvals.json`. */
export interface CommandRules {
  /** True when the rules allow every program that the command line runs. Never rejects: what cannot be read is not allowed. */
  allows(command: string): Promise<boolean>;
  /** What to remember for this command line; null when no rule could allow it. Never rejects. */
  suggest(command: string): Promise<RuleSuggestion | null>;
}
