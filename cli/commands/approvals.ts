import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { HermesError } from "#core/errors";
import { didYouMean } from "#core/suggest";
import type { StoredRule } from "#allowlist/rules/store";
import type { CliContext } from "../context.ts";
import { columns } from "../columns.ts";

const EXAMPLES = `
Examples:
  hermes plugins enable approvals          ask before commands run and files change
  hermes approvals list                    list the commands that run without asking you
  hermes approvals remove 'git status …'   ask about them again

A rule with … covers any further words. Changes apply to the next command, also in running processes.`;

interface Options {
  readonly json?: true;
}

/** `hermes approvals list|remove` */
export function addApprovalsCommand(program: Command, context: CliContext): void {
  const approvals = program
    .command("approvals")
    .description("Manage the command rules of the approvals plugin.")
    .addHelpText("after", EXAMPLES);
  approvals
    .command("list")
    .description("list the commands that run without asking you")
    .option("--json", "print JSON")
    .action(async (options: Options, command: Command) => list(options, command, context));
  approvals
    .command("remove")
    .description("remove a rule; its commands are asked about again")
    .argument("<rule>", "the rule as in the list; … at its end may be left out")
    .option("--json", "print JSON")
    .action(async (rule: string, options: Options, command: Command) => remove(rule, options, command, context));
}

async function list({ json }: Options, command: Command, context: CliContext): Promise<void> {
  const { readRules } = await import("#allowlist/rules/store");
  const { rules, warnings } = readRules(context.paths(command).commandRules);
  for (const warning of warnings) context.warn(warning);
  const shown = await Promise.all(rules.map(describe));
  if (json) return context.json({ rules: shown });
  if (shown.length === 0) return context.out("No command rules: the approvals plugin asks about every command.");
  const rows = shown.map(({ text, added_at }) => [visible(text), added_at === null ? "" : `since ${added_at}`]);
  context.out(columns(rows).join("\n"));
}

async function remove(given: string, { json }: Options, command: Command, context: CliContext): Promise<void> {
  const { readRules, removeRules } = await import("#allowlist/rules/store");
  const { textOfRule } = await import("#allowlist/rules/suggest");
  const file = context.paths(command).commandRules;
  const wanted = withoutDots(given);
  const isMeant = (rule: StoredRule): boolean => [textOfRule(rule), withoutDots(textOfRule(rule))].includes(wanted);
  const isExactly = (rule: StoredRule): boolean => textOfRule(rule) === given;
  const { rules } = readRules(file);
  const select = rules.some(isExactly) ? isExactly : isMeant;
  const removed = await removeRules(file, (rule) => select(rule as StoredRule));
  if (removed.length === 0) {
    const texts = rules.map(textOfRule);
    const hint = didYouMean(given, texts) || ' "hermes approvals list" lists all rules.';
    throw new HermesError("HERMES_RULE_UNKNOWN", { rule: visible(given), hint });
  }
  const shown = await Promise.all(removed.map(describe));
  if (json) return context.json({ removed: shown });
  for (const { text } of shown) context.out(`Removed: ${visible(text)}`);
}

async function describe(rule: StoredRule): Promise<StoredRule & { readonly text: string }> {
  const { textOfRule } = await import("#allowlist/rules/suggest");
  return { text: textOfRule(rule), ...rule };
}

function withoutDots(text: string): string {
  return text.replace(/ *(?:\u2026|\.\.\.)$/, "").trim();
}
