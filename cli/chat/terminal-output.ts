/** The terminal tool's result for users: the output and, after a failure, how the command ended. */
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
    // A hook replaced the result; its text is shown unchanged.
    return undefined;
  }
}
