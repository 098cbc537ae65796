/** What a person wants to see of the terminal tool's result: its output, and how it ended when that was not well. */
export function terminalOutput(result: string): string {
  const parsed = parse(result);
  if (parsed === undefined) return result;
  const { output, exit_code: exitCode, error } = parsed;
  const lines = [typeof output === "string" ? output.replace(/\n$/, "") : ""];
  if (typeof error === "string") lines.push(`error: ${error}`);
  else if (typeof exitCode === "number" && exitCode !== 0) lines.push(`(exit code ${exitCode})`);
  return lines.filter((line) => line !== "").join("\n");
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // A hook replaced the result by a text of its own: shown as it is.
    return undefined;
  }
}
