/**
 * Reads a terminal command before it runs, where the system cannot keep it from hermes's home, and refuses it when it
 * may change something there. What it cannot tell it refuses; docs/tools.md says what no reader of commands can see.
 *
 * The parser is `unbash`. `sh-syntax` (mvdan/sh as WebAssembly, 0.7.0) was measured, too: 20 to 30 ms to import, as
 * unbash, but 25 ms for its first command and 7 for each further one against 0.1, 16 MB more memory, and its tree in
 * JavaScript has neither a command's words nor their parts, only positions. An own reader of the first days knew no
 * here-documents, arrays or indirection, and read all that follows an apostrophe in a here-document as quoted.
 */
import { basename } from "node:path";
import { CallJudge } from "./judge.ts";
import type { GuardSnapshot } from "./paths.ts";
import { ShellState } from "./shell/state.ts";
import { Refusal } from "./shell/flow.ts";
import { Walk } from "./shell/walk.ts";
import { WordJudge } from "./words.ts";

export interface CommandGround {
  /** What must not be written. */
  readonly snapshot: GuardSnapshot;
  /** What must not even be read. */
  readonly unreadable: GuardSnapshot;
  readonly cwd: string;
  readonly userHome: string;
  /** The homes of hermes; the first is the program's own. */
  readonly hermesHomes: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** What the session sets besides; a name may mean either value. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Rounds until nothing new is learnt of variables. */
const MOST_ROUNDS = 5;

/** Why the command is refused, as a clause (`it names ~/.hermes/config.yaml`), or null when it is allowed. */
export function judgeCommand(command: string, ground: CommandGround): string | null {
  const { snapshot, unreadable, cwd, userHome, hermesHomes } = ground;
  const state = new ShellState(variablesOf(ground));
  const judge = new CallJudge({
    written: new WordJudge(snapshot, userHome),
    read: new WordJudge(unreadable, userHome),
    homeNames: ["HERMES_HOME", ...hermesHomes.map((home) => basename(home)).filter((name) => name !== "")],
    guardsHome: snapshot.guards.some(({ ofHome }) => ofHome),
  });
  try {
    judge.mentions(withVariables(command, state), [cwd]);
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const before = { size: state.size, counts: state.counts() };
      new Walk(state, judge).code([command], { folders: [cwd], stdin: null, depth: 0 });
      if (state.size === before.size) return null;
      if (round > 0) state.widen(before.counts);
    }
    return "it is too involved to be checked";
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function variablesOf({
  env,
  variables = {},
  userHome,
  hermesHomes,
}: CommandGround): ReadonlyMap<string, readonly string[]> {
  const known = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(env)) if (value !== undefined) known.set(name, [value]);
  for (const [name, value] of Object.entries(variables)) {
    known.set(name, [...new Set([...(known.get(name) ?? []), value])]);
  }
  known.set("HOME", [...new Set([userHome, env["HOME"] || userHome])]);
  const homes = [env["HERMES_HOME"], ...hermesHomes].filter((home) => home !== undefined && home !== "");
  if (homes.length > 0) known.set("HERMES_HOME", [...new Set(homes as string[])]);
  return known;
}

function withVariables(source: string, state: ShellState): string {
  return source.replaceAll(/\$\{?(HOME|HERMES_HOME)\b\}?/g, (_, name: string) => state.values(name, [])[0] ?? "");
}
