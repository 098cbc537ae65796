/** The command rules of a home for its plugins; what reads and matches commands is loaded with the first one. */
import type { HomePaths } from "#core/home/paths";
import type { CommandRules } from "#core/ports/command-rules";

interface Options {
  readonly paths: Pick<HomePaths, "commandRules">;
  readonly env: NodeJS.ProcessEnv;
  readonly warn: (sentence: string) => void;
}

export function openCommandRules({ paths, env, warn }: Options): CommandRules {
  let opened: Promise<CommandRules> | undefined;
  const open = () => (opened ??= load());

  async function load(): Promise<CommandRules> {
    const { createCommandRules } = await import("#allowlist/rules/command-rules");
    const { plainCommands } = await import("#agent/guard/shell/plain-commands");
    return createCommandRules({ file: paths.commandRules, env, read: async (line) => plainCommands(line), warn });
  }

  return {
    allows: async (command) => (await open()).allows(command),
    suggest: async (command) => (await open()).suggest(command),
  };
}
