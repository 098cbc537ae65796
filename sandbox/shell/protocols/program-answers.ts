/** Translates the answers of scripts written for other programs into those of `core/answers.ts`. */
import { HermesError } from "#core/errors";
import type { EventKind } from "#core/event-declaration";
import { declarationOf } from "#core/events";
import { isMapping } from "#core/mapping";
import type { HookReply } from "#core/ports/hook";
import {
  EXIT_BLOCK,
  excerpt,
  failureOfEnd,
  failureOfExit,
  scriptFailure,
  firstCharacters,
  textOf,
} from "#sandbox/shell/outcome";
import type { FinishedRun, ParsedRun } from "#sandbox/shell/codec";
import { deliveryOf } from "./program-delivery.ts";
import { readOutput, type Answer } from "./program-output.ts";
import type { Program, ProgramEvent } from "./program.ts";
import type { Spoken, Verbs } from "./spoken.ts";

/** In characters. */
const LONGEST_NOTE = 400;

interface Reading {
  readonly program: Program;
  readonly verbs: Verbs;
  readonly row: ProgramEvent;
}

interface Spoke {
  readonly run: FinishedRun;
  readonly reading: Reading;
  readonly spoken: Spoken;
  readonly text: string | undefined;
  /** The failure of the run; its answer is read all the same. */
  readonly failure: HermesError | undefined;
  /** True for the exit code that blocks. */
  readonly exitedWithBlock: boolean;
  readonly remarks: Remarks;
}

/** Interprets a run of any event. Never throws. */
export function readRun(run: FinishedRun, reading: Reading): ParsedRun {
  const { entry, firing, result } = run;
  const end = failureOfEnd(entry, firing.event, result);
  if (end !== null) return parsed(run, { failure: end });
  const { kind } = declarationOf(firing.event);
  const { answer, text, problem } = readOutput(result.stdout);
  const spoken = reading.verbs(answer, reading.row, kind);
  const exitedWithBlock = result.exit_code === EXIT_BLOCK;
  const broken = problem === undefined ? undefined : scriptFailure(entry, firing.event, problem);
  const failure = exitedWithBlock ? undefined : (failureOfExit(entry, firing.event, result) ?? broken);
  const remarks = remarksOf(run, spoken, kind === "gate" ? text : undefined);
  return READERS[kind]({ run, reading, spoken, text, failure, exitedWithBlock, remarks });
}

/** No program's scripts can replace a text, so at a transform they observe. */
const READERS: Readonly<Record<EventKind, (spoke: Spoke) => ParsedRun>> = {
  gate: readGate,
  context: readPrompt,
  transform: readObserver,
  observe: readObserver,
};

/** A tool call: blocked, put to the user, or changed. */
function readGate({ run, reading, spoken, failure, exitedWithBlock, remarks }: Spoke): ParsedRun {
  const { entry, firing, result } = run;
  const denied = spoken.stop ?? spoken.denial;
  if (exitedWithBlock) {
    const message = textOf(firstCharacters(result.stderr)) ?? denied?.message ?? spoken.notice ?? "";
    return parsed(run, { ...remarks, answer: { action: "block", message } });
  }
  if (denied !== undefined) {
    return parsed(run, { ...remarks, failure, answer: { action: "block", message: denied.message } });
  }
  // What is said about the call follows its result.
  const addition = reading.row.deliversAt === undefined ? undefined : spoken.context;
  const unsupported = spoken.context === addition ? undefined : "it cannot add context to a tool call";
  if (spoken.strange !== undefined) {
    return parsed(run, { ...remarks, failure: failure ?? invalidAnswer(run, spoken.strange), unsupported, addition });
  }
  const changed = changedInput(run, reading.program, spoken);
  if (typeof changed === "string") {
    return parsed(run, {
      ...remarks,
      failure: failure ?? scriptFailure(entry, firing.event, changed),
      unsupported,
      addition,
    });
  }
  const { question } = spoken;
  const answer = question === undefined ? changed : { ...changed, action: "ask", message: question.message };
  return parsed(run, { ...remarks, failure, answer, unsupported, addition });
}

function invalidAnswer({ entry: { name }, firing: { event } }: FinishedRun, problem: string): HermesError {
  return new HermesError("HERMES_HOOK_ANSWER", { source: "shell", name, event, problem });
}

/** The changed input as a modify, null when there is none, or a clause that says why it is invalid. */
function changedInput(
  { firing, shellContext }: FinishedRun,
  { tools }: Program,
  { input }: Spoken,
): Answer | string | null {
  if (input === undefined) return null;
  if (!isMapping(input.value)) return `its "${input.key}" is not an object`;
  const { tool_name: tool, args } = firing.payload as { tool_name?: unknown; args?: unknown };
  const ours = tools.argumentsFrom(String(tool), input.value, args, shellContext);
  return typeof ours === "string" ? ours : { action: "modify", args: ours };
}

/** The user's message: it gets context; blocking is not supported. */
function readPrompt({ run, reading, spoken, text, failure: failed, exitedWithBlock, remarks }: Spoke): ParsedRun {
  const { entry, firing, result } = run;
  const denied = spoken.denial ?? spoken.stop;
  if (exitedWithBlock || denied !== undefined) {
    const why = [denied?.message, firstCharacters(result.stderr), spoken.notice]
      .map(textOf)
      .find((reason) => reason !== undefined);
    const attempted = `it wants to block the message, which ${firing.event} cannot${why === undefined ? "" : `: ${why}`}`;
    return parsed(run, { ...remarks, failure: scriptFailure(entry, firing.event, attempted) });
  }
  const failure = failed ?? (spoken.strange === undefined ? undefined : invalidAnswer(run, spoken.strange));
  // The output of a failed script is about its failure, not for the model.
  const plain = reading.row.textIsContext && failure === undefined ? text : undefined;
  const context = spoken.context ?? plain;
  return parsed(run, { ...remarks, failure, answer: context === undefined ? null : { context } });
}

/** The others only observe; what they say may reach the model later. What cannot is said once, as a warning. */
function readObserver(spoke: Spoke): ParsedRun {
  const { run, failure, remarks, reading, spoken, text } = spoke;
  const plain = reading.row.textIsContext && failure === undefined ? text : undefined;
  const blocked = spoke.exitedWithBlock ? { message: textOf(firstCharacters(run.result.stderr)) ?? "" } : undefined;
  const delivery = deliveryOf(run, reading.row, {
    denial: blocked ?? spoken.denial,
    stop: spoken.stop,
    context: spoken.context ?? plain,
    replacement: spoken.replacement,
    lost: spoken.lost,
  });
  return parsed(run, { ...remarks, failure, ...delivery });
}

type Remarks = Pick<HookReply, "note" | "notice">;

/** What a run says without deciding anything: a message for the user, and plain text of a script that succeeded. */
function remarksOf({ result }: FinishedRun, { notice }: Spoken, text?: string): Remarks {
  const note = text === undefined || result.exit_code !== 0 ? undefined : excerpt(text, LONGEST_NOTE);
  return { ...(notice === undefined ? {} : { notice }), ...(note === undefined ? {} : { note }) };
}

interface Parts extends Remarks, Pick<ParsedRun, "replacement" | "addition" | "unsupported"> {
  readonly failure?: unknown;
  readonly answer?: Answer | null;
}

function parsed({ result }: FinishedRun, parts: Parts): ParsedRun {
  const { failure, answer = null, unsupported, replacement, addition, ...remarks } = parts;
  return {
    reply: {
      dialect: "shell",
      exit_code: result.exit_code,
      answer,
      ...remarks,
      ...(failure === undefined ? {} : { failure }),
    },
    unsupported,
    replacement,
    addition,
  };
}
