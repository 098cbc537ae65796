import type { Command } from "#cli/command-line/command";
import { Option } from "#cli/command-line/option";
import type { CliContext } from "../context.ts";

/** `hermes sandbox check|run` */
export function addSandboxCommand(program: Command, context: CliContext): void {
  const sandbox = program
    .command("sandbox")
    .description("Check the operating system's sandbox, and run commands in it.");
  sandbox
    .command("check")
    .description("list the sandbox profiles that this machine supports; exits with 1 if there are none")
    .option("--json", "print JSON")
    .action(async (options: { json?: true }, command: Command) => {
      const { checkSandbox } = await import("./sandbox/check.ts");
      await checkSandbox(options.json === true, context.paths(command).home, context);
    });
  sandbox
    .command("run")
    .description("run a command under a profile; exits with its exit code")
    .usage("[options] -- <command> [args...]")
    .argument("<command...>", "command and arguments, after --")
    .addOption(new Option("--profile <profile>", "sandbox profile (default: sandbox.tools in config.yaml)"))
    .addHelpText("after", RUN_HELP)
    .action(async (words: string[], options: { profile?: string }, command: Command) => {
      const { runInSandbox } = await import("./sandbox/run.ts");
      await runInSandbox({ words, profile: options.profile, paths: context.paths(command), context });
    });
}

const RUN_HELP = `
Examples:
  hermes sandbox run -- sh -c 'echo x > ~/.hermes/config.yaml'   fails: the home is read-only
  hermes sandbox run --profile workspace -- npm test             writes to the working directory only`;
