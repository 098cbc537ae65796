import type { Command } from "commander";
import type { CliContext } from "#cli/context";

/** `hermes hooks list|test|allow|revoke` (CONTRACT §6); each loads its own part alone. */
export function addHooksCommand(program: Command, context: CliContext): void {
  const hooks = program
    .command("hooks")
    .description("See, try, approve and forget hooks.")
    .addHelpText("after", EXAMPLES);
  hooks
    .command("list")
    .description("every configured shell hook and plugins' hooks: matcher, consent, drift")
    .option("--json", "one JSON document")
    .option("--check", "end with 1 for an unapproved hook, a changed script or a warning")
    .action(async (options: { json?: true; check?: true }, command: Command) => {
      const { listHooks } = await import("./hooks/list.ts");
      await listHooks({ json: options.json === true, check: options.check === true }, command, context);
    });
  hooks
    .command("test")
    .description("run every shell hook of an event that matches, approved or not, with a made-up payload")
    .argument("<event>", "the hook event")
    .option("--for-tool <name>", "the tool that the payload names")
    .option("--payload-file <file>", "a JSON object of payload keys, laid over the sample")
    .option("--json", "one JSON document")
    .action(
      async (event: string, options: { forTool?: string; payloadFile?: string; json?: true }, command: Command) => {
        const { testHooks } = await import("./hooks/test.ts");
        await testHooks(event, options, command, context);
      },
    );
  hooks
    .command("allow")
    .description("approve a command for an event, or everything that is configured")
    .argument("[event]", "the hook event")
    .argument("[command]", "the command, exactly as configured")
    .option("--all", "approve every configured shell hook")
    .option("--json", "one JSON document")
    .action(async (event: string | undefined, line: string | undefined, options: AllowOptions, command: Command) => {
      const { allowHooks } = await import("./hooks/approve.ts");
      await allowHooks({ event, line, ...options }, command, context);
    });
  hooks
    .command("revoke")
    .description("forget every approval of a command, whatever its event")
    .argument("<command>", "the command, exactly as approved")
    .option("--json", "one JSON document")
    .action(async (line: string, options: { json?: true }, command: Command) => {
      const { revokeHook } = await import("./hooks/approve.ts");
      await revokeHook(line, options.json === true, command, context);
    });
}

interface AllowOptions {
  readonly all?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hermes hooks list --check
  hermes hooks test pre_tool_call --for-tool terminal
  hermes hooks allow pre_tool_call '~/.hermes/agent-hooks/guard.sh'
  hermes hooks revoke '~/.hermes/agent-hooks/guard.sh'`;
