import type { Command } from "commander";
import type { CliContext } from "#cli/context";

/** `hermes hooks list|test|allow|revoke|doctor|events|log|reload` (CONTRACT §6); each loads its own part alone. */
export function addHooksCommand(program: Command, context: CliContext): void {
  const hooks = program
    .command("hooks")
    .description("See, try, approve and forget hooks.")
    .addHelpText("after", EXAMPLES);
  hooks
    .command("list")
    .description("every shell hook, plugins' hooks and gateway hooks: matcher, consent, drift")
    .option("--json", "one JSON document")
    .option("--check", "end with 1 for an unapproved hook, a changed script, a skipped folder or a warning")
    .option("--live", "also what each running process has registered, when it last fired and how that ended")
    .action(async (options: { json?: true; check?: true; live?: true }, command: Command) => {
      const { listHooks } = await import("./hooks/list.ts");
      const [json, check, live] = [options.json === true, options.check === true, options.live === true];
      await listHooks({ json, check, live }, command, context);
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
  hooks
    .command("reload")
    .description("let every running process take over changed configuration, hooks and plugins now; 4 when none runs")
    .option("--json", "one JSON document")
    .action(async (options: { json?: true }, command: Command) => {
      const { reloadHooks } = await import("./hooks/reload.ts");
      await reloadHooks(options.json === true, command, context);
    });
  addInspection(hooks, context);
}

/** The commands that look and change nothing. */
function addInspection(hooks: Command, context: CliContext): void {
  hooks
    .command("doctor")
    .description("find what keeps hooks from working; 1 when there is a problem. Runs approved scripts with a sample")
    .option("--json", "one JSON document")
    .action(async (options: { json?: true }, command: Command) => {
      const { runDoctor } = await import("./hooks/doctor.ts");
      await runDoctor(options.json === true, command, context);
    });
  hooks
    .command("events")
    .description("the events that hooks can listen to, or one of them in full")
    .argument("[name]", "the hook event")
    .option("--json", "one JSON document; for one event its JSON Schema and a sample")
    .option("--example", "a script and a plugin for the event, ready to run")
    .action(async (name: string | undefined, options: { json?: true; example?: true }, command: Command) => {
      const { showEvents } = await import("./hooks/events.ts");
      await showEvents(name, options, command, context);
    });
  hooks
    .command("log")
    .description("the last runs of hooks of every kind, the newest last")
    .option("-f, --follow", "go on with each new run until Ctrl+C")
    .option("--limit <n>", "how many runs that are past", "50")
    .option("--json", "one JSON document; with --follow one object a line")
    .action(async (options: { follow?: true; json?: true; limit: string }, command: Command) => {
      const { parseLimit, showLog } = await import("./hooks/log.ts");
      await showLog({ ...options, limit: parseLimit(options.limit) }, command, context);
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
  hermes hooks doctor
  hermes hooks events pre_tool_call --example
  hermes hooks log --follow
  hermes hooks reload
  hermes hooks revoke '~/.hermes/agent-hooks/guard.sh'`;
