/** A question about a tool call as lines of text, the same on every surface. */
import type { CallQuestion } from "./ports/question.ts";

/** Of each argument, in characters. */
const MOST_SHOWN = 2000;
/** Where an argument is longer, this much of its end is shown, too. */
const END_SHOWN = 500;
/** Of a call with many arguments. */
const MOST_OF_CALL = 8000;

/**
 * Describes a call and who asks about it. `clean` escapes whatever could hide something or begin a line: no text but
 * hermes's own comes without it.
 */
export function describeCall(question: CallQuestion, clean: (text: string) => string): readonly string[] {
  const { tool, args, agent, reasons } = question;
  const shown = Object.fromEntries(Object.entries(args).map(([name, value]) => [name, shorten(value)]));
  return [
    "A hook wants your approval for this tool call:",
    `  call     ${clean(cut(`${tool} ${JSON.stringify(shown)}`, MOST_OF_CALL))}`,
    ...(agent === null ? [] : [`  agent    ${clean(agent)} (a child agent)`]),
    ...reasons.flatMap(({ message, hook }) => [
      ...(message === "" ? [] : [`  reason   ${clean(message)}`]),
      `  hook     ${clean(hook?.command ?? hook?.name ?? "?")}`,
    ]),
  ];
}

/** A long text keeps its beginning and its end, so that a command cannot hide its last part behind a cut. */
function shorten(value: unknown): unknown {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length <= MOST_SHOWN ? value : cut(text, MOST_SHOWN);
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - END_SHOWN)} … (${text.length - most} more characters) … ${text.slice(-END_SHOWN)}`;
}
