/** Questions of a command on the terminal: a line, a secret, yes or no. */
import { Writable } from "node:stream";
import { openTerminalLines } from "#allowlist/terminal-lines";
import { HermesError } from "#core/errors";

export interface Prompts {
  /** The line that is typed, trimmed; `fallback` for Enter. */
  ask(question: string, fallback?: string): Promise<string>;
  /** Like `ask`, but shows nothing of what is typed. */
  askSecret(question: string): Promise<string>;
  /** `fallback` for Enter: false by default. */
  readonly confirm: (question: string, fallback?: boolean) => Promise<boolean>;
}

/**
 * Questions are shown on standard error. All reject with HERMES_INTERRUPTED on Ctrl+C and Ctrl+D. Between two questions
 * the terminal is as usual, so that Ctrl+C ends the program.
 */
export function createPrompts(): Prompts {
  const { stdin: input, stderr: output } = process;

  async function read(question: string, { isSecret }: { readonly isSecret: boolean }): Promise<string> {
    let isShown = true;
    const shown = new Writable({
      write(chunk: Buffer, _encoding, written) {
        if (isShown) output.write(chunk);
        written();
      },
    });
    const lines = openTerminalLines({ input, output: isSecret ? shown : output });
    try {
      // The question is shown before this returns, and not before the terminal stopped showing what is typed.
      const answer = lines.ask(question);
      isShown = false;
      const line = await answer;
      if (line === undefined) throw new HermesError("HERMES_INTERRUPTED", {});
      return line.trim();
    } finally {
      lines.close();
      input.pause();
      if (isSecret) output.write("\n");
    }
  }

  return {
    async ask(question, fallback = "") {
      const shown = fallback === "" ? `${question}: ` : `${question} (${fallback}): `;
      return (await read(shown, { isSecret: false })) || fallback;
    },
    askSecret: (question) => read(`${question}: `, { isSecret: true }),
    async confirm(question, fallback = false) {
      const answer = await read(`${question} ${fallback ? "[Y/n]" : "[y/N]"} `, { isSecret: false });
      return answer === "" ? fallback : /^y(?:es)?$/i.test(answer);
    },
  };
}
