/** The input of scripts of the plain protocol, and their answers in both dialects (CONTRACT §6). */
import { declarationOf } from "#core/events";
import type { Firing } from "#core/ports/hook";
import {
  EXIT_BLOCK,
  failureOfEnd,
  failureOfExit,
  scriptFailure,
  firstCharacters,
  textOf,
} from "#sandbox/shell/outcome";
import { parseOutput, type HookOutput } from "#sandbox/shell/output";
import { stringify } from "#core/stringify";
import type { FinishedRun, ParsedRun, ProtocolCodec } from "#sandbox/shell/codec";

export const HERMES_WIRE: ProtocolCodec = {
  concerns: () => true,
  argv: (entry) => entry.argv,
  environment: () => ({}),
  namesFiles: false,
  document: (firing, { cwd }) =>
    firing.form(DOCUMENT, (payload) => stringify(makeDocument(firing.event, { ...payload }, cwd))),
  read,
};

const DOCUMENT = Symbol("hermes document");
/** Keys with their own field, which are not repeated in `extra`. */
const PLACED = new Set(["tool_name", "args", "session_id", "parent_session_id"]);

function makeDocument(event: Firing["event"], payload: Record<string, unknown>, cwd: string): Record<string, unknown> {
  const { tool, live = [] } = declarationOf(event);
  const extra = Object.entries(payload).filter(([key]) => !PLACED.has(key) && !live.includes(key));
  return {
    hook_event_name: event,
    tool_name: tool ? payload["tool_name"] : null,
    tool_input: tool ? payload["args"] : null,
    session_id: payload["session_id"] || payload["parent_session_id"] || "",
    cwd,
    extra: Object.fromEntries(extra),
  };
}

/** The outcome table of CONTRACT §6; core/verdict.ts then validates the answer. */
function read({ entry, firing, result }: FinishedRun): ParsedRun {
  const { event } = firing;
  const reply = { dialect: "shell", exit_code: result.exit_code } as const;
  const end = failureOfEnd(entry, event, result);
  if (end !== null) return { reply: { ...reply, failure: end } };
  const output = parseOutput(result.stdout);
  if (declarationOf(event).exitTwoBlocks && result.exit_code === EXIT_BLOCK) {
    const message = blockMessage(output) ?? firstCharacters(result.stderr);
    return { reply: { ...reply, answer: { action: "block", message } } };
  }
  const failure =
    failureOfExit(entry, event, result) ??
    ("problem" in output ? scriptFailure(entry, event, output.problem) : undefined);
  return {
    reply: {
      ...reply,
      ...(failure === undefined ? {} : { failure }),
      ...("problem" in output ? {} : { answer: output.answer }),
    },
  };
}

/** The message of a block on standard output. */
function blockMessage(output: HookOutput): string | undefined {
  const answer = "answer" in output ? output.answer : null;
  if (answer?.["decision"] !== "block" && answer?.["action"] !== "block") return undefined;
  return textOf(answer["reason"]) ?? textOf(answer["message"]);
}
