/** Runs a command line of the program in this process, which takes a tenth of the time that a start takes. */
import { createContext, type CliContext } from "#cli/context";
import { runCommandLine } from "#cli/main";
import { plainText } from "#core/styled-text";
import type { Ended, Home, StartOptions } from "./hermes.ts";

type Options = Omit<StartOptions, "input">;

let last: Promise<unknown> = Promise.resolve();

/**
 * For commands that read and write files or talk to a daemon, print and end: no conversation, nothing that serves, no
 * plugins, nothing of standard input. The environment and the folder are this process's meanwhile, so one runs after
 * the other. With a database, which such a command would leave open, it is a process.
 */
export async function runInProcess(home: Home, args: readonly string[], options: Options = {}): Promise<Ended> {
  if (home.env()["HERMES_DATABASE_URL"]) return home.run(args, options);
  const running = last.then(() => run(home, args, options));
  last = running.catch(() => undefined);
  return running;
}

async function run(home: Home, args: readonly string[], { env: added, cwd = home.work }: Options): Promise<Ended> {
  const [before, folder] = [{ ...process.env }, process.cwd()];
  const env = home.env(added);
  try {
    replaceEnvironment(env);
    process.chdir(cwd);
    const { context, output } = recording(env);
    await runCommandLine(args, context);
    return output();
  } finally {
    process.chdir(folder);
    replaceEnvironment(before);
  }
}

function replaceEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
}

/** A context that keeps what is written. */
function recording(env: NodeJS.ProcessEnv): { context: CliContext; output: () => Ended } {
  const output = { code: 0, signal: null, stdout: "", stderr: "" };
  const warned = new Set<string>();
  let hasDocument = false;
  const line = (text: string) => (text.endsWith("\n") ? text : `${text}\n`);
  const note = (text: string) => void (output.stderr += line(text));
  const context: CliContext = {
    ...createContext(env),
    out: (text) => void (output.stdout += line(text)),
    lines: (lines) => void (output.stdout += lines.map((each) => line(plainText(each))).join("")),
    write: (text) => void (output.stdout += text),
    json(value) {
      hasDocument = true;
      output.stdout += `${JSON.stringify(value, null, 2)}\n`;
    },
    hasDocument: () => hasDocument,
    note,
    faint: note,
    faintPart: (text) => void (output.stderr += text),
    styled: (lines) => lines.forEach((each) => note(plainText(each))),
    warn(sentence) {
      if (warned.has(sentence)) return;
      warned.add(sentence);
      note(`warning: ${sentence}`);
    },
    exit: (code) => void (output.code ||= code),
  };
  return { context, output: () => output };
}
