/** Writes docs/events.md from the table of core/events.ts: `node .ci/events-page.ts`. A test checks that it is up to date. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { ANSWERS, fieldsOf, notesOf, payloadSchema } from "#core/event-reference";
import { declarationOf, EVENT_NAMES, type EventName } from "#core/events";

const code = (text: string) => `\`${text}\``;

/** The page as Markdown. */
export function eventsPage(): string {
  return `# Hook events

Generated from \`core/events.ts\` by \`node .ci/events-page.ts\`; do not edit.

Plugins register for these events with \`ctx.register_hook\` ([plugins.md](plugins.md)); scripts are listed under \`hooks:\` in the configuration ([shell-hooks.md](shell-hooks.md)).

| event | kind | when it fires, and what a hook can do |
|---|---|---|
${EVENT_NAMES.map((name) => `| [\`${name}\`](#${name}) | ${declarationOf(name).kind} | ${declarationOf(name).sentence} |`).join("\n")}

The kinds: ${Object.entries(ANSWERS)
    .map(([kind, meaning]) => `**${kind}** (${meaning})`)
    .join(", ")}.

${EVENT_NAMES.map(section).join("\n")}`;
}

function section(name: EventName): string {
  const { sentence, sample } = declarationOf(name);
  const rows = fieldsOf(payloadSchema(name, z), code).map(
    (field) => `| ${code(field.key)} | ${field.type} | ${field.sentence} |`,
  );
  return `## ${name}

${[sentence, ...notesOf(name, code)].join(" ")}

| key | type | |
|---|---|---|
${rows.join("\n")}

\`\`\`json
${JSON.stringify(sample(), null, 2)}
\`\`\`
`;
}

if (import.meta.main) writeFileSync(resolve(import.meta.dirname, "../docs/events.md"), eventsPage());
