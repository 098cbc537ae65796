/** Decides whether the agent follows the instructions of the project that it works in, and asks once. */
import { openTerminalLines } from "#allowlist/terminal-lines";
import { visible, visibleLine } from "#allowlist/visible";
import { problemOf, isHermesError } from "#core/errors";
import type { HomePaths } from "#core/home/paths";
import type { CliContext } from "../context.ts";
import { decisionFor, rememberDecision } from "./decisions.ts";
import { findInstructions, instructionsText, type ProjectInstructions } from "./find.ts";

export interface InstructionsWish {
  /** `--instructions` and `--no-instructions`; undefined without either. */
  readonly flag: boolean | undefined;
  /** True when a person can be asked. */
  readonly mayAsk: boolean;
  /** False to say nothing about what is followed, as with `-Q`. */
  readonly says: boolean;
}

interface Options extends InstructionsWish {
  readonly cwd: string;
  readonly paths: Pick<HomePaths, "instructions">;
  readonly context: Pick<CliContext, "note" | "faint" | "warn">;
}

/** The text for the model, or undefined. Rejects with HERMES_INTERRUPTED on Ctrl+C at the question. */
export async function settleInstructions(options: Options): Promise<string | undefined> {
  const { flag, cwd, context, paths } = options;
  if (flag === false) return undefined;
  const found = findInstructions(cwd);
  if (found.files.length === 0) {
    for (const problem of found.problems) context.warn(visible(problem));
    return undefined;
  }
  const decided = flag ?? decisionFor(paths.instructions, found.root);
  const follows = decided ?? (await decide(options, found));
  if (flag === true) await remember(options, found.root, true);
  if (!follows) return undefined;
  for (const problem of found.problems) context.warn(visible(problem));
  if (options.says) context.faint(`Following ${describeFiles(found)}. --no-instructions turns this off.`);
  return instructionsText(found);
}

async function decide(options: Options, found: ProjectInstructions): Promise<boolean> {
  const { context, mayAsk } = options;
  if (!mayAsk) {
    context.note(
      `hermes: not following ${describeFiles(found)} of ${visible(found.root)}: you have not decided about this ` +
        "repository yet. Start a chat there on a terminal, or use --instructions.",
    );
    return false;
  }
  const follow = await ask(options, found);
  await remember(options, found.root, follow);
  return follow;
}

/** A decision that cannot be kept holds for this run. */
async function remember({ paths, context }: Options, root: string, follow: boolean): Promise<void> {
  if (decisionFor(paths.instructions, root) === follow) return;
  try {
    await rememberDecision(paths.instructions, root, follow);
  } catch (error) {
    context.warn(
      `${paths.instructions} cannot be written, so this is asked again: ${isHermesError(error) ? error.message : problemOf(error)}`,
    );
  }
}

async function ask({ context }: Options, found: ProjectInstructions): Promise<boolean> {
  const lines = openTerminalLines({ input: process.stdin, output: process.stderr });
  context.note(
    [
      "",
      "This project has instructions for agents. Their text goes to the model, as if you had written it.",
      `  folder   ${visible(found.root)}`,
      `  files    ${describeFiles(found)}`,
    ].join("\n"),
  );
  try {
    for (;;) {
      const word = (await lines.ask("Follow them in this project? [y/N/show] "))?.trim().toLowerCase();
      if (word !== "s" && word !== "show") return word === "y" || word === "yes";
      for (const { path, text } of found.files) {
        context.note(`\n── ${visible(path)}`);
        for (const line of text.split("\n")) context.note(`  ${visibleLine(line)}`);
      }
    }
  } finally {
    lines.close();
  }
}

function describeFiles({ files }: ProjectInstructions): string {
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  const names = files.map(({ path }) => visible(path)).join(", ");
  return `${names} (${(bytes / 1024).toFixed(1)} KiB)`;
}
