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
  if (steps.length === 1) tellWrapped("", only!, context);
  else tellList(steps, (index) => `${index + 1}. `, context);
  const secret = fields.some((field) => field.secret === true)
    ? " A secret is not shown while you type it; config.yaml keeps it, and only you can read that file."
    : "";
  context.note("");
  tellWrapped("", `Type $NAME to use an environment variable.${secret} Ctrl+C stops and changes nothing.`, context);
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
  context.note("\nNext:");
  tellList([...starting(pid, change), ...notes, ...talking(platform, change)], () => "- ", context);
}

/** `pid` is the gateway that runs, or null. */
function starting(pid: number | null, { variables }: PreparedChange): readonly string[] {
  if (pid === null) {
    return [...variables.map((name) => `Set ${name} where the gateway runs.`), "Start the gateway: hermes gateway"];
  }
  const uses = `The gateway that runs (process ${pid}) uses it at once`;
  if (variables.length === 0) return [`${uses}.`];
  return [`${uses} if it was started with ${variables.join(" and ")}. Otherwise start it again with that.`];
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
    tellWrapped(mark, first, context);
    for (const paragraph of others) tellFurther(paragraph.trim(), mark.length, context);
  }
}

/** A paragraph of several lines is something to copy, so it stays as it is. */
function tellFurther(paragraph: string, hang: number, context: CliContext): void {
  context.note("");
  if (paragraph.includes("\n")) context.note(paragraph);
  else tellWrapped(" ".repeat(hang), paragraph, context);
}

/** A text with an address that is longer than a line is left to the terminal, so that it can be copied. */
function tellWrapped(mark: string, text: string, context: CliContext): void {
  const isLong = text.split(/\s+/).some((word) => mark.length + word.length > width());
  if (isLong) return context.note(mark + text);
  for (const line of wrapHanging(mark + text, width(), mark.length)) context.note(line);
}

function width(): number {
  return Math.min(process.stderr.columns || USUAL_COLUMNS, WIDEST);
}
