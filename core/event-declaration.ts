/** The columns of the table of hook events (`core/events.ts`): everything that code needs to know about an event. */
import type { z } from "zod";
import type { Zod } from "./zod.ts";

/** How a firing treats the answers of its hooks. */
export type EventKind = "gate" | "context" | "transform" | "observe";

/**
 * What happens when a hook throws, hangs or gives an invalid answer: always `skip` it, or `mark`: skip it unless
 * the hook is marked to block (`fail_closed`, `on_error: block`). Only a gate can be `mark`.
 */
export type FailurePolicy = "skip" | "mark";

/** The possible verbs of an answer to a gate; `core/answers.ts` reads them. */
export type GateVerb = "block" | "ask" | "modify" | "skip" | "rewrite" | "allow";

/** One row with its types widened, for code that iterates over the table. */
export interface AnyEventDeclaration {
  readonly kind: EventKind;
  readonly onFailure: FailurePolicy;
  /** When it fires and what a hook can do there; each sentence states its power. */
  readonly sentence: string;
  /** What a gate decides about, or what a transform replaces: "tool call". */
  readonly subject?: string;
  /** A gate's verbs, strongest first: if an answer has two, the stronger one wins. */
  readonly verbs?: readonly GateVerb[];
  /** True when a script's exit code 2 blocks; only for a gate with the verb `block`. */
  readonly exitTwoBlocks?: true;
  /** True when its shell hooks' scripts cannot even be read by the agent's tools; no hook's script can be written. */
  readonly scriptsHidden?: true;
  /** True for a transform that ignores an empty string. */
  readonly ignoresEmpty?: true;
  /** True when no surface may show an incomplete answer while a hook listens, because the hook may remove something. */
  readonly holdsAnswer?: true;
  /** True for a tool event: a shell hook's `matcher` applies, and scripts get `tool_name` and `tool_input`. */
  readonly tool?: true;
  /** Fields that in-process hooks get by reference; absent from schema, sample and JSON. */
  readonly live?: readonly string[];
  readonly payload: (zod: Zod) => z.ZodType;
  readonly sample: () => object;
}

/** One row with its own types of payload and answers. */
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
