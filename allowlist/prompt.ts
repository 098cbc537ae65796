/** Asks the user on the terminal whether a hook may run (CONTRACT §5). The default is no. */
import { realpathSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { HermesError } from "#core/errors";
import { approvedWithout } from "./decide.ts";
import type { ScriptFingerprint } from "./fingerprint.ts";
import type { HookRequest } from "./grant.ts";
import { visible } from "./visible.ts";

export interface Question {
  readonly request: HookRequest;
  /** The configured entries that the answer is for. */
  readonly uses: readonly HookUse[];
  readonly script: ScriptFingerprint;
  /** `changed`: a pinned script is not the approved one. `wider`: its approval lacks the shell or variables. */
  readonly reason: "new" | "changed" | "wider";
  /** What an existing approval lacks, in words. */
  readonly missing: readonly string[];
}

export interface HookUse {
  readonly matcher: string | null;
  readonly timeoutSeconds: number;
  readonly failClosed: boolean;
}

/** Asks one question after another on the same terminal. */
export interface Prompter {
  /** True for yes. Rejects with HERMES_INTERRUPTED on Ctrl+C. */
  ask(question: Question): Promise<boolean>;
  close(): void;
}

export interface Terminal {
  readonly input: Readable;
  /** Where questions are shown: standard error, because standard output is for results. */
  readonly output: Writable;
}

const MOST_SHOWN_BYTES = 64 * 1024;

/** Opens the terminal for questions. Lines typed beyond the answers are returned to the input on `close`. */
export function openPrompter({ input, output }: Terminal): Prompter {
  const say = (text: string) => void output.write(`${text}\n`);
  const lines = readLines(createInterface({ input, output, terminal: true, historySize: 0 }), () => say(""));

  async function ask(question: Question): Promise<boolean> {
    say(describe(question));
    for (;;) {
      const answer = await lines.next(`Allow this hook? [y/N/s to see the script] `);
      const word = answer?.trim().toLowerCase() ?? "";
      if (word === "y" || word === "yes") return true;
      if (word === "" || word === "n" || word === "no") return false;
      if (word === "s" || word === "show") say(showScript(question.script));
      else say("Please answer y (yes), n (no) or s (show the script).");
    }
  }

  function close(): void {
    const rest = lines.close();
    if (rest.length > 0 && !input.readableEnded) input.unshift(Buffer.from(rest.map((line) => `${line}\n`).join("")));
  }

  return { ask, close };
}

function describe({ request, uses, script, reason, missing }: Question): string {
  const { event, command, shell, env } = request;
  const why = {
    new: "This shell hook is not approved yet.",
    changed: "The script of this shell hook changed since you approved it.",
    wider: `This shell hook was ${approvedWithout(missing)}.`,
  }[reason];
  const matcher = uses[0]?.matcher ?? null;
  return [
    "",
    `${why} It runs with your rights:`,
    `  event    ${visible(event)}${matcher === null ? "" : ` (matcher ${visible(matcher)})`}`,
    `  command  ${visible(command)}`,
    ...(shell ? ["           runs through sh -c, so shell syntax applies"] : []),
    ...(env.length === 0 ? [] : [`  env      ${env.join(", ")}`]),
    `  script   ${describeScript(script)}`,
    ...(script.sha256 === null ? [] : [`  sha256   ${script.sha256}`]),
  ].join("\n");
}

function describeScript({ path, bytes }: ScriptFingerprint): string {
  if (path === null) return "none";
  if (bytes === null) return `${visible(path)} (does not exist)`;
  const real = realPathOf(path);
  return `${visible(path)}${real === path ? "" : ` -> ${visible(real)}`} (${bytes} bytes)`;
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // The file was deleted meanwhile; the path is all we can show.
    return path;
  }
}

/** The script, indented so that no line of it can look like one of ours. These are the bytes to be approved. */
function showScript({ path, content, bytes }: ScriptFingerprint): string {
  if (path === null) return "There is no script, only the command.";
  if (content === null) {
    return `${visible(path)} cannot be shown: ${bytes === null ? "it does not exist" : "it cannot be read or is larger than 64 MiB"}.`;
  }
  if (content.subarray(0, MOST_SHOWN_BYTES).includes(0)) return `${visible(path)} is not a text file.`;
  const text = content.toString("utf8", 0, MOST_SHOWN_BYTES);
  const shown = text.replace(/\n$/, "").split("\n");
  const more = content.length > MOST_SHOWN_BYTES ? [`(${content.length - MOST_SHOWN_BYTES} more bytes)`] : [];
  return [...shown.map((line) => `  | ${visible(line).replaceAll("\\t", "  ")}`), ...more].join("\n");
}

interface Lines {
  /** The next line, or undefined at the end of the input. Rejects with HERMES_INTERRUPTED on Ctrl+C. */
  next(prompt: string): Promise<string | undefined>;
  /** Stops reading; gives the lines that were not used. */
  close(): readonly string[];
}

/**
 * Gives lines on request and keeps those that came early (pasted, typed ahead). `leaveLine` is called when a
 * question ends without Enter, so that the next output starts on a new line.
 */
function readLines(terminal: Interface, leaveLine: () => void): Lines {
  const early: string[] = [];
  let waiting: PromiseWithResolvers<string | undefined> | undefined;
  let ended = false;
  let interrupted = false;

  terminal.on("line", (line) => {
    if (waiting === undefined) early.push(line);
    else waiting.resolve(line);
    waiting = undefined;
  });
  terminal.on("close", () => {
    ended = true;
    if (waiting !== undefined) leaveLine();
    waiting?.resolve(undefined);
    waiting = undefined;
  });
  terminal.on("SIGINT", () => {
    interrupted = true;
    if (waiting !== undefined) leaveLine();
    waiting?.reject(new HermesError("HERMES_INTERRUPTED", {}));
    waiting = undefined;
  });

  return {
    async next(prompt) {
      if (interrupted) throw new HermesError("HERMES_INTERRUPTED", {});
      const line = early.shift();
      if (line !== undefined || ended) return line;
      terminal.setPrompt(prompt);
      terminal.prompt();
      waiting = Promise.withResolvers();
      return waiting.promise;
    },
    close() {
      terminal.close();
      return early;
    },
  };
}
