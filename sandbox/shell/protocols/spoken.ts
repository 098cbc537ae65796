/** What an answer says once the words of its program are understood. */
import type { EventKind } from "#core/event-declaration";
import type { Answer } from "./program-output.ts";
import type { ProgramEvent } from "./program.ts";

/** What an answer says, whichever the words of the program are. */
export interface Spoken {
  /** It blocks; the message may be empty. */
  readonly denial?: { readonly message: string } | undefined;
  /** It stops the whole turn; at a gate that blocks. */
  readonly stop?: { readonly message: string } | undefined;
  /** The user is to decide; the message may be empty. */
  readonly question?: { readonly message: string } | undefined;
  /** The changed arguments of the call, in the program's names, and the key that they were under. */
  readonly input?: { readonly key: string; readonly value: unknown } | undefined;
  /** Text for the model. */
  readonly context?: string | undefined;
  /** What replaces the result of the call. */
  readonly replacement?: Replacement | undefined;
  /** A message for the user. */
  readonly notice?: string | undefined;
  /** What it asks for that nothing here can do, as a clause. */
  readonly lost?: string | undefined;
  /** The part of the answer that means nothing, as a clause. */
  readonly strange?: string | undefined;
}

interface Replacement {
  /** The key that it was under. */
  readonly key: string;
  readonly value: unknown;
  /** Set where it is for tools of MCP servers alone, with the key for all others. */
  readonly mcpOnly?: { readonly instead: string | null };
}

/** Reads the words of a program; `kind` is that of our event. */
export type Verbs = (answer: Answer, row: ProgramEvent, kind: EventKind) => Spoken;
