/** What a script's run means: the outcome table of CONTRACT §6, up to where core/verdict.ts judges the answer. */
import { SHELL_BLOCK_MESSAGE } from "#core/answers";
import { HermesError } from "#core/errors";
import type { Firing, HookReply } from "#core/ports";
import { isMapping } from "./entry-values.ts";
import type { ShellEntry } from "./entries.ts";
import type { ProcessResult } from "#sandbox/process/run";

/** For each of standard output and standard error of a hook. */
export const MOST_OUTPUT_BYTES = 1024 * 1024;
const LONGEST_MESSAGE = 400;
const EXIT_BLOCK = 2;

/** The reply of a run: the answer, the failure if there was one, the exit code. Never throws. */
export function replyOf(entry: ShellEntry, event: Firing["event"], result: ProcessResult): HookReply {
  const reply = { dialect: "shell", exit_code: result.exit_code } as const;
  const hook = { source: "shell", name: entry.name, event };
  const failed = (problem: string): HookReply => ({
    ...reply,
    failure: new HermesError("HERMES_HOOK_SCRIPT", { name: entry.name, event, problem }),
  });

  switch (result.ended) {
    case "not_started":
      return failed(result.start_problem ?? "it could not be started");
    case "timeout": {
      const cure = "It was ended, with all that it started. Make it faster, or give the entry a longer timeout.";
      const fields = { ...hook, seconds: entry.timeoutSeconds, cure };
      return { ...reply, failure: new HermesError("HERMES_HOOK_TIMEOUT", fields) };
    }
    case "overflow":
      return failed("it wrote more than 1 MiB and was ended");
    case "interrupted":
      return { ...reply, failure: new HermesError("HERMES_HOOK_INTERRUPTED", hook) };
    case "exited":
  }

  const output = parseOutput(result.stdout);
  if (event === "pre_tool_call" && result.exit_code === EXIT_BLOCK) {
    return { ...reply, answer: { action: "block", message: blockMessage(output, result.stderr) } };
  }
  if (result.exit_code !== 0) {
    const failure = new HermesError("HERMES_HOOK_SCRIPT", { name: entry.name, event, problem: describeEnd(result) });
    return "problem" in output ? { ...reply, failure } : { ...reply, failure, answer: output.answer };
  }
  return "problem" in output ? failed(output.problem) : { ...reply, answer: output.answer };
}

type Output = { readonly answer: Record<string, unknown> | null } | { readonly problem: string };

/** Standard output as one JSON object; empty output and `null` are no answer. */
function parseOutput(stdout: string): Output {
  const text = stdout.replace(/^\uFEFF/, "").trim();
  if (text === "") return { answer: null };
  try {
    const value: unknown = JSON.parse(text);
    if (value === null || isMapping(value)) return { answer: value };
    return { problem: `its output is ${Array.isArray(value) ? "an array" : `a ${typeof value}`}, not one JSON object` };
  } catch {
    return { problem: `its output is not one JSON object: ${excerpt(text, 80)}` };
  }
}

function blockMessage(output: Output, stderr: string): string {
  const answer = "answer" in output ? output.answer : null;
  if (answer?.["decision"] === "block" || answer?.["action"] === "block") {
    const texts = [answer["reason"], answer["message"]];
    const message = texts.find((text) => typeof text === "string" && text.trim() !== "");
    if (typeof message === "string") return message;
  }
  return Array.from(stderr.trim()).slice(0, LONGEST_MESSAGE).join("") || SHELL_BLOCK_MESSAGE;
}

function describeEnd({ exit_code, signal, stderr }: ProcessResult): string {
  const end = signal === null ? `it ended with exit code ${exit_code}` : `it was ended by ${signal}`;
  const words = stderr.trim();
  return words === "" ? end : `${end}: ${excerpt(words, 200)}`;
}

function excerpt(text: string, most: number): string {
  const characters = Array.from(text.slice(0, 2 * most).replaceAll(/\s+/g, " "));
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : characters.join("");
}
