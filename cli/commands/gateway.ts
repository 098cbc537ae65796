import type { Command } from "#cli/command-line/command";
import { keepStderr } from "#core/stderr";
import type { CliContext } from "../context.ts";

const EXAMPLES = `
Examples:
  hermes gateway                        run every platform that config.yaml enables
  hermes --accept-hooks gateway         the same, and approve the configured shell hooks
  curl -s http://127.0.0.1:8642/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "hermes", "messages": [{"role": "user", "content": "hello"}]}'

Enable platforms in config.yaml under gateway.platforms; see docs/gateway.md.`;

/** `hermes gateway` (CONTRACT §8). */
export function addGatewayCommand(program: Command, context: CliContext): void {
  program
    .command("gateway")
    .description("Run the agent on messaging platforms, with gateway hooks. Runs until SIGTERM or Ctrl+C.")
    .addHelpText("after", EXAMPLES)
    .action(async (_options: object, command: Command) => {
      keepStderr();
      const { runGateway } = await import("#cli/gateway/run");
      await runGateway(command, context);
    });
}
