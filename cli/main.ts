/** Runs the command line: finds the command, runs it, and turns errors into messages and exit codes. */
import { HermesError } from "#core/errors";
import { isDamage } from "#core/home/damage";
import { isHidden } from "#core/home/hidden";
import { homePaths } from "#core/home/paths";
import { flushStdout } from "#core/stdout";
import type { Command } from "./command-line/command.ts";
import { parseCommandLine } from "./command-line/parse.ts";
import { createContext, type CliContext } from "./context.ts";
import { takesNextWord } from "./global-options.ts";
import { findCommandWord, withImpliedChat } from "./implied-chat.ts";
import { refuseInsideAgent } from "./inside-agent.ts";
import { createProgram } from "./program.ts";
import { reportError } from "./report-error.ts";

/** Runs the program with the arguments after its name, and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const context = createContext(process.env);
  // A plugin's promise that never settles keeps no timer or socket: without this, the program would exit with 0.
  setInterval(() => undefined, 2 ** 30);
  await runCommandLine(argv, context);
  await flushStdout().catch((error: unknown) => reportError(error, argv, context));
  // A plugin's timer or an idle connection must not keep the program alive.
  process.exit();
}

/** Runs the command that the words name; what it throws is reported, and decides the exit code. */
export async function runCommandLine(argv: readonly string[], context: CliContext): Promise<void> {
  try {
    if (process.platform === "win32") throw new HermesError("HERMES_PLATFORM", { platform: "Windows" });
    await run(argv, context);
  } catch (error) {
    if (error instanceof AnsweredOutside) return;
    reportError(isDamage(error) ? await explained(error, argv) : error, argv, context);
  }
}

async function run(argv: readonly string[], context: CliContext): Promise<void> {
  const code = helpTopic(argv);
  if (code !== undefined && /^hermes_/i.test(code)) return explain(code, context);
  const words = withImpliedChat(helpWords(argv), isTerminal);
  const start = scanStart(words);
  if (start.version) return context.out(await versionText(start.home));
  const program = await createProgram(start.command, context);
  const perform = async (command: Command) => {
    refuseInsideAgent(command, context);
    await answerFromOutside(command, words, context);
    await command.run();
  };
  const command = words.some(isHelp) ? undefined : parseCommandLine(program, words);
  if (command !== undefined) return await perform(command);
  const { runWithCommander, writeHelp, writeProgramHelp } = await import("./command-line/with-commander.ts");
  if (words.some(isHelp)) return await writeHelp(program, words, context);
  if (start.command !== undefined) return await runWithCommander(program, words, context, perform);
  await writeProgramHelp(program, words, context, (whole) => refuseInsideAgent(whole, context));
}

/** Asked only if the answer matters: it loads Node's streams. */
function isTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

function isHelp(word: string): boolean {
  return word === "-h" || word === "--help";
}

/** Thrown when the hermes outside the sandbox has already run the command. */
class AnsweredOutside extends Error {}

async function answerFromOutside(command: Command, words: readonly string[], context: CliContext): Promise<void> {
  if (!isHidden(context.paths(command))) return;
  const { askOutside } = await import("./outside/ask.ts");
  if (await askOutside(command, words, context)) throw new AnsweredOutside();
}

async function explain(code: string, context: CliContext): Promise<void> {
  const { explainCode } = await import("./explain-code.ts");
  explainCode(code, context);
}

/** `help hooks list` prints the same as `hooks list --help`. */
function helpWords(argv: readonly string[]): readonly string[] {
  const at = findCommandWord(argv);
  return argv[at] === "help" ? [...argv.toSpliced(at, 1), "--help"] : argv;
}

/** The word behind `help`. */
function helpTopic(argv: readonly string[]): string | undefined {
  const at = findCommandWord(argv);
  return argv[at] === "help" ? argv[at + 1] : undefined;
}

interface Start {
  readonly command: string | undefined;
  readonly version: boolean;
  readonly home: string | undefined;
}

function scanStart(words: readonly string[]): Start {
  let home: string | undefined;
  let version = false;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!word.startsWith("-")) return { command: word, version: false, home };
    if (word === "--home") home = words[index + 1];
    if (word.startsWith("--home=")) home = word.slice("--home=".length);
    if (word === "--version" || word === "-V") version = true;
    if (takesNextWord(word)) index++;
  }
  return { command: undefined, version, home };
}

async function versionText(home: string | undefined): Promise<string> {
  const { programVersion } = await import("./version.ts");
  return `hermes-hooks ${programVersion()}\nnode ${process.version}\nhome ${homePaths(home).home}`;
}

async function explained(error: unknown, argv: readonly string[]): Promise<unknown> {
  const { explainDamage } = await import("./damaged-state.ts");
  return explainDamage(error, homePaths(scanStart(argv).home).state);
}
