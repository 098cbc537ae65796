/** The walk through a command, as its simple commands see it. */
import type { CallJudge } from "#agent/guard/judge";
import type { Flow, Start } from "./flow.ts";
import type { Word } from "./patterns.ts";
import type { ShellState } from "./state.ts";

/** What a simple command needs of the walk that it is part of. */
export interface ShellWalk {
  readonly state: ShellState;
  readonly judge: CallJudge;
  /** Reads code in the shell itself. */
  code(texts: Word, start: Start): Flow;
  /** Reads something in a shell of its own. */
  apart(run: () => Flow, start: Start): Flow;
  callFunction(body: unknown, start: Start): Flow;
  learn(name: string, values: Word, start: Start): void;
  expandedAgain(texts: Word, start: Start): void;
}
