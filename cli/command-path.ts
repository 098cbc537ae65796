/** A command of the command line, or commander's one of the same name. */
interface NamedCommand {
  readonly parent: NamedCommand | null;
  readonly name: () => string;
}

/** A command with those above it, without the program's own name: `hooks list`. */
export function commandPath(command: NamedCommand): string {
  const { parent } = command;
  if (parent === null) return "";
  return `${commandPath(parent)} ${command.name()}`.trimStart();
}
