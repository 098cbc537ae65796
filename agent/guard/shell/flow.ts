/** What a command starts with and what it leaves behind, while a shell command is read. */
import { type Word, wordOf } from "./patterns.ts";
import { type Folders, foldersOf } from "./state.ts";

/** Why a command is refused, as a clause. */
export class Refusal extends Error {}

/** How deep code may be nested in code. */
export const DEEPEST = 12;

/** What a command starts with. */
export interface Start {
  readonly folders: Folders;
  /** The texts on standard input, or null where it is empty. */
  readonly stdin: Word | null;
  readonly depth: number;
}

/** What it leaves behind. */
export interface Flow {
  /** The folders after it succeeded, and after it failed. */
  readonly ok: Folders;
  readonly fail: Folders;
  /** The lines that it may print. */
  readonly prints: Word;
}

export function same({ folders }: Pick<Start, "folders">): Flow {
  return { ok: folders, fail: folders, prints: [""] };
}

export function union(flows: readonly Flow[]): Flow {
  return {
    ok: foldersOf(flows.flatMap((flow) => flow.ok)),
    fail: foldersOf(flows.flatMap((flow) => flow.fail)),
    prints: wordOf(flows.flatMap((flow) => flow.prints)),
  };
}
