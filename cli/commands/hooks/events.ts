/** `hermes hooks events`: the catalogue, one event in full, and examples that run. */
import type { Command } from "#cli/command-line/command";
import { HermesError } from "#core/errors";
import { ANSWERS, answersOf, fieldsOf, notesOf, payloadSchema } from "#core/event-reference";
import { declarationOf, EVENT_NAMES, type EventName } from "#core/events";
import { userHome } from "#core/home/paths";
import type { CliContext } from "#cli/context";
import { listText, paragraph, printList, type Column } from "#cli/list";
import { demandEvent } from "./event.ts";

export interface EventsOptions {
  readonly json?: true;
  readonly example?: true;
}

/** Prints the catalogue or one event. Throws HERMES_EVENT_UNKNOWN, and HERMES_USAGE for an example without an event. */
export async function showEvents(
  name: string | undefined,
  options: EventsOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  if (name === undefined) {
    if (!options.example) return showCatalogue(options, context);
    throw new HermesError("HERMES_USAGE", {
      problem: "Name an event, for example: hermes hooks events pre_tool_call --example",
    });
  }
  const event = demandEvent(name);
  if (options.example) {
    const { exampleOf, describeExample } = await import("./example.ts");
    const example = exampleOf(event, context.paths(command), userHome(context.env));
    return options.json ? context.json({ event, ...example }) : context.out(describeExample(example));
  }
  const { z } = await import("zod");
  const { kind, sample, sentence } = declarationOf(event);
  const schema = payloadSchema(event, z);
  if (options.json)
    return context.json({ event, kind, schema: { ...schema, description: sentence }, sample: sample() });
  context.out(describe(event, listText(FIELD_COLUMNS, rowsOf(schema)), sample()));
}

function showCatalogue({ json }: EventsOptions, context: CliContext): void {
  const events = EVENT_NAMES.map((event) => {
    const { kind, sentence } = declarationOf(event);
    return { event, kind, sentence };
  });
  if (json) return context.json({ events });
  const rows = events.map(({ event, kind, sentence }) => [event, kind, sentence]);
  printList(context, [{ head: "EVENT" }, { head: "KIND" }, { head: "DESCRIPTION", kind: "text" }], rows);
  for (const line of ["", ...KINDS]) context.out(paragraph(line));
}

const KINDS = [
  `${Object.entries(ANSWERS)
    .map(([kind, meaning]) => `${kind}: ${meaning}`)
    .join("; ")}.`,
  "Describe an event: hermes hooks events NAME. Print a script and a plugin for it: hermes hooks events NAME --example.",
];

const FIELD_COLUMNS: readonly Column[] = [{ head: "KEY" }, { head: "TYPE", kind: "text" }, { head: "", kind: "text" }];
const ANSWER_COLUMNS: readonly Column[] = [
  { head: "  PLUGIN", kind: "text" },
  { head: "SCRIPT", kind: "text" },
];

const plain = (text: string) => text;

function rowsOf(schema: ReturnType<typeof payloadSchema>): readonly (readonly string[])[] {
  return fieldsOf(schema, plain).map(({ key, type, sentence }) => [`  ${key}`, type, sentence]);
}

function describe(event: EventName, fields: string, sample: object): string {
  const { kind, sentence } = declarationOf(event);
  const answers = answersOf(event);
  const answerRows = answers.map(({ plugin, shell }) => [`  ${plugin}`, shell]);
  return [
    paragraph(`${event} (${kind}: ${ANSWERS[kind]})`),
    paragraph([sentence, ...notesOf(event, plain)].join(" ")),
    `\n${paragraph("Payload for plugins (scripts get tool_name, tool_input (args), session_id, and the rest in extra):")}\n${fields}`,
    answers.length === 0 ? "\nAnswers are ignored." : `\nAnswers (optional):\n${listText(ANSWER_COLUMNS, answerRows)}`,
    `\nSample:\n${JSON.stringify(sample, null, 2)}`,
    `\nTest your hooks: hermes hooks test ${event}\nPrint an example: hermes hooks events ${event} --example`,
  ].join("\n");
}
