/** What `hermes gateway setup` tells the user to do, before the questions and after them. */
import type { PlatformName } from "#core/home/platform-settings";
import type { PlatformSetup } from "#gateway/adapters/setup";
import { findPlatform } from "#gateway/adapters/table";
import type { CliContext } from "../../context.ts";
import { findHolder } from "../../home-claim.ts";
import { wrapHanging } from "../../text-width.ts";
import type { PreparedChange } from "./change.ts";

const USUAL_COLUMNS = 80;
const WIDEST = 100;

/** Says what to do at the provider, and how the questions are answered. */
export function tellSteps(platform: PlatformName, { steps, fields }: PlatformSetup, context: CliContext): void {
  context.note(`Set up ${platform}:\n\n`);
  const [only] = steps;
  if (steps.length === 1) tellParagraph(only!, context);
  else tellList(steps, (index) => `${index + 1}. `, context);
  const secret = fields.some((field) => field.secret === true)
    ? " A secret is not shown while you type it; config.yaml keeps it, and only you can read that file."
    : "";
  context.note("");
  tellParagraph(`Type $NAME to use an environment variable.${secret} Ctrl+C stops and changes nothing.`, context);
}

/** Says what a question is about, above it. */
export function tellHint(hint: string, context: CliContext): void {
  context.note("");
  for (const line of wrapHanging(hint, width(), 0)) context.faint(line);
}

interface NextSteps {
  readonly platform: PlatformName;
  /** What is left to do at the provider. */
  readonly notes: readonly string[];
  readonly change: PreparedChange;
  /** The folder `run` of the home. */
  readonly run: string;
}

/** Says what to do after the section was written. */
export function tellNextSteps({ platform, notes, change, run }: NextSteps, context: CliContext): void {
  const pid = findHolder(run, "gateway") ?? findHolder(run, "serve");
  const start =
    pid === null ? "Start the gateway: hermes gateway" : `The gateway that runs (process ${pid}) uses it at once.`;
  const variables = change.variables.map((name) => `Set ${name} where the gateway runs.`);
  context.note("\nNext:");
  tellList([...notes, ...variables, start, ...talking(platform, change)], () => "- ", context);
}

function talking(platform: PlatformName, { config, settings }: PreparedChange): readonly string[] {
  if (findPlatform(platform)?.exempt === true) return [];
  const lists = [config.values.gateway?.allowed_users, settings["allowed_users"]];
  if (lists.some((list) => Array.isArray(list) && list.length > 0)) return ["Write to the bot in a direct message."];
  return [
    "Write to the bot in a direct message. It answers with a code.",
    "Allow yourself with the code: hermes pairing approve CODE",
  ];
}

function tellList(items: readonly string[], markOf: (index: number) => string, context: CliContext): void {
  for (const [index, item] of items.entries()) {
    const mark = `  ${markOf(index)}`;
    const [first = "", ...others] = item.split("\n\n");
    for (const line of wrapHanging(`${mark}${first}`, width(), mark.length)) context.note(line);
    for (const paragraph of others) tellFurther(paragraph, mark.length, context);
  }
}

/** A paragraph of several lines is something to copy, so it stays as it is. */
function tellFurther(paragraph: string, hang: number, context: CliContext): void {
  context.note("");
  if (paragraph.trim().includes("\n")) return context.note(paragraph.trimEnd());
  for (const line of wrapHanging(paragraph, width() - hang, 0)) context.note(" ".repeat(hang) + line);
}

function tellParagraph(text: string, context: CliContext): void {
  for (const line of wrapHanging(text, width(), 0)) context.note(line);
}

function width(): number {
  return Math.min(process.stderr.columns || USUAL_COLUMNS, WIDEST);
}
