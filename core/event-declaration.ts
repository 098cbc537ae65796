/** The columns of the table of hook events (`core/events.ts`). Whatever code needs to know about an event is one of them. */
import type { z } from "zod";
import type { Zod } from "./zod.ts";

/** How a firing treats the answers of its hooks. */
export type EventKind = "gate" | "context" | "transform" | "observe";

/**
 * What happens when a hook throws, hangs or gives an invalid answer: always `skip` it, or `mark`: skip it unless
 * the hook is marked to block (`fail_closed`, `on_error: block`). Only a gate can be `mark`.
 */
export type FailurePolicy = "skip" | "mark";

/** What an answer to a gate can ask for; `core/answers.ts` reads each. */
export type GateVerb = "block" | "modify" | "skip" | "rewrite" | "allow";

/** One row, with its types widened: what code that walks the table sees. */
export interface AnyEventDeclaration {
  readonly kind: EventKind;
  readonly onFailure: FailurePolicy;
  /** When it fires and what a hook can do there; each sentence states its power. */
  readonly sentence: string;
  /** What a gate decides about, or what a transform replaces: "tool call". */
  readonly subject?: string;
  /** A gate's verbs, the strongest first: of two in one answer, the stronger one holds. */
  readonly verbs?: readonly GateVerb[];
  /** A script's exit code 2 blocks. Only for a gate with the verb `block`. */
  readonly exitTwoBlocks?: true;
  /** The scripts of its shell hooks are off limits to the agent's tools, which must not edit their own guard. */
  readonly scriptsOffLimits?: true;
  /** A transform that ignores an empty text. */
  readonly ignoresEmpty?: true;
  /** While a hook listens, no surface shows the answer before it is complete: the hook may take something out. */
  readonly holdsAnswer?: true;
  /** A tool event: a shell hook's `matcher` applies, scripts get `tool_name` and `tool_input`. */
  readonly tool?: true;
  /** Fields handed by reference to in-process hooks, absent from schema, sample and JSON. */
  readonly live?: readonly string[];
  readonly payload: (zod: Zod) => z.ZodType;
  readonly sample: () => object;
}

/** One row with its own types: of the payload, and of the answers. */
export interface EventDeclaration<
  Schema extends z.ZodType,
  Kind extends EventKind,
  Verb extends GateVerb,
> extends AnyEventDeclaration {
  readonly kind: Kind;
  readonly verbs?: readonly Verb[];
  readonly payload: (zod: Zod) => Schema;
  readonly sample: () => z.infer<Schema> & object;
}

/** Checks a row and infers its types. */
export function declareEvent<Schema extends z.ZodType, Kind extends EventKind, Verb extends GateVerb = never>(
  declaration: EventDeclaration<Schema, Kind, Verb>,
): EventDeclaration<Schema, Kind, Verb> {
  return declaration;
}
