/** Reads a tool's arguments. The caller has checked them against the schema; this checks again what a hook changed. */

export type ToolArguments = Readonly<Record<string, unknown>>;

/** A required string. Throws an error that names the argument. */
export function textArgument(args: ToolArguments, name: string): string {
  const value = optionalText(args, name);
  if (value === undefined) throw new Error(`"${name}" is missing; it must be a string`);
  return value;
}

/** A string, or undefined when it is absent or null. */
export function optionalText(args: ToolArguments, name: string): string | undefined {
  const value = args[name] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw new Error(`"${name}" must be a string`);
  return value;
}

/** The argument `prompt`, which must say something. */
export function promptArgument(args: ToolArguments): string {
  const prompt = textArgument(args, "prompt");
  if (prompt.trim() === "") throw new Error('"prompt" must not be empty');
  return prompt;
}

/** A path: a non-empty string without NUL. */
export function pathArgument(args: ToolArguments, name: string): string {
  const path = textArgument(args, name);
  if (path.trim() === "") throw new Error(`"${name}" must not be empty`);
  if (path.includes("\0")) throw new Error(`"${name}" must not contain a NUL character`);
  return path;
}

/** A whole number of at least 1, or the fallback when it is absent or null. */
export function countArgument(args: ToolArguments, name: string, fallback: number): number {
  const value = args[name] ?? fallback;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
    throw new Error(`"${name}" must be a whole number of at least 1`);
  }
  return value;
}

/** A boolean, or false when it is absent or null. */
export function flagArgument(args: ToolArguments, name: string): boolean {
  const value = args[name] ?? false;
  if (typeof value !== "boolean") throw new Error(`"${name}" must be true or false`);
  return value;
}
