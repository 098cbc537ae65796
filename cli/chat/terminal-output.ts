import type { Frame } from "#core/frames";
import { isMapping } from "#core/mapping";
import { parseJson } from "#core/parse-json";
import { isGate } from "./tool-view.ts";

type Show = (frame: Frame) => void;

/**
 * Runs `!CMD` and gives its output. On a terminal that is all that is shown of the result: the frames leave it out, and
 * a block, which was shown with its hook, is not repeated.
 */
export async function shellOutput(show: Show, run: (show: Show) => Promise<string>): Promise<string> {
  if (!process.stderr.isTTY) return terminalOutput(await run(show));
  let isBlocked = false;
  const result = await run((frame) => {
    if (frame.type === "hook" && isGate(frame.event)) isBlocked ||= frame.outcome === "block";
    if (frame.type !== "tool_result") show(frame);
  });
  return isBlocked ? "" : terminalOutput(result);
}

/** The terminal tool's result for users: the output and, after a failure, how the command ended. */
function terminalOutput(result: string): string {
  const parsed = parseJson(result);
  // A hook replaced the result; its text is shown unchanged.
  if (!isMapping(parsed)) return result;
  const { output, exit_code: exitCode, error } = parsed;
  const lines = [typeof output === "string" ? output.replace(/\n$/, "") : ""];
  if (typeof error === "string") lines.push(`error: ${error}`);
  else if (typeof exitCode === "number" && exitCode !== 0) lines.push(`(exit code ${exitCode})`);
  return lines.filter((line) => line !== "").join("\n");
}
