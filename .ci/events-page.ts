/** Writes docs/events.md from the table of core/events.ts: `node .ci/events-page.ts`. A test compares the two. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { declarationOf, EVENT_NAMES, type AnyEventDeclaration, type EventKind } from "#core/events";

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
}

const ANSWERS: Readonly<Record<EventKind, string>> = {
  gate: "decides whether and how something happens",
  context: "adds text to the turn",
  transform: "the first string replaces the text",
  observe: "answers do not count",
};

/** The page as Markdown. */
export function eventsPage(): string {
  return `# Hook events

Generated from \`core/events.ts\` by \`node .ci/events-page.ts\`; do not edit.

Plugins register for these events with \`ctx.register_hook\` ([plugins.md](plugins.md)), scripts under \`hooks:\` in the configuration ([shell-hooks.md](shell-hooks.md)).

| event | kind | when, and what a hook can do |
|---|---|---|
${EVENT_NAMES.map((name) => `| [\`${name}\`](#${name}) | ${declarationOf(name).kind} | ${declarationOf(name).sentence} |`).join("\n")}

The kinds: ${Object.entries(ANSWERS)
    .map(([kind, meaning]) => `**${kind}** (${meaning})`)
    .join(", ")}.

${EVENT_NAMES.map((name) => section(name, declarationOf(name))).join("\n")}`;
}

function section(name: string, declaration: AnyEventDeclaration): string {
  const schema = z.toJSONSchema(declaration.payload(z)) as Schema;
  const live = declaration.live ?? [];
  const notes = [
    ...(declaration.tool ? ["A shell hook's `matcher` counts here."] : []),
    ...(declaration.onFailure === "mark" ? ["A hook that fails is skipped, unless it is marked to block."] : []),
    ...(live.length > 0 ? [`Plugins also get ${live.map((field) => `\`${field}\``).join(" and ")}, live.`] : []),
  ];
  return `## ${name}

${[declaration.sentence, ...notes].join(" ")}

| key | type | |
|---|---|---|
${rows(schema).join("\n")}

\`\`\`json
${JSON.stringify(declaration.sample(), null, 2)}
\`\`\`
`;
}

function rows(schema: Schema, prefix = ""): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    `| \`${prefix}${key}\` | ${typeOf(value)} | ${value.description ?? ""} |`,
    ...(value.type === "object" ? rows(value, `${prefix}${key}.`) : []),
  ]);
}

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `array of ${schema.items === undefined ? "anything" : typeOf(schema.items)}`;
  return typeof schema.type === "string" ? schema.type : (schema.type ?? ["anything"]).join(" or ");
}

if (import.meta.main) writeFileSync(resolve(import.meta.dirname, "../docs/events.md"), eventsPage());
