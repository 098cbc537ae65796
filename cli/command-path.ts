import type { Command } from "commander";

/** A command with those above it, without the program's own name: `hooks list`. */
export function commandPath(command: Command): string {
  const { parent } = command;
  if (parent === null) return "";
  return `${commandPath(parent)} ${command.name()}`.trimStart();
}
