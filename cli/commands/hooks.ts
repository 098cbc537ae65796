import type { Command } from "#cli/command-line/command";
import type { CliContext } from "#cli/context";
import { Option } from "#cli/command-line/option";
import type { ReplayCommandOptions } from "./hooks/replay.ts";
import { IMPORTABLE_PROGRAMS, type ImportOptions } from "#cli/import/options";
import { moment } from "#cli/moment";
import { numberOrAll } from "#cli/whole-number";

/** `hermes hooks list|test|replay|allow|revoke|doctor|events|log|reload|import` (CONTRACT §6); each loads its own part alone. */
export function addHooksCommand(program: Command, context: CliContext): void {
  const hooks = program
    .command("hooks")
    .description("List, test, approve and troubleshoot hooks.")
    .addHelpText("after", EXAMPLES);
  hooks
    .command("list")
    .description("list all hooks with their matcher, approval and changed scripts")
    .option("--json", "print JSON")
    .option("--check", "exit with 1 for an unapproved hook, a changed script, a skipped folder or a warning")
    .option("--live", "also show what each running process has registered, and the last runs")
    .action(async (options: { json?: true; check?: true; live?: true }, command: Command) => {
      const { listHooks } = await import("./hooks/list.ts");
      const [json, check, live] = [options.json === true, options.check === true, options.live === true];
      await listHooks({ json, check, live }, command, context);
    });
  hooks
    .command("test")
    .description("run the shell hooks of an event with a sample payload, approved or not")
    .argument("<event>", "event name")
    .option("--for-tool <name>", "tool name in the payload")
    .option("--payload-file <file>", "JSON object with payload keys that replace those of the sample")
    .option("--json", "print JSON")
    .action(
      async (event: string, options: { forTool?: string; payloadFile?: string; json?: true }, command: Command) => {
        const { testHooks } = await import("./hooks/test.ts");
        await testHooks(event, options, command, context);
      },
    );
  hooks
    .command("allow")
    .description("approve a command for an event, or all configured hooks")
    .argument("[event]", "event name, or inbound:NAME for an inbound webhook")
    .argument("[command]", "command or script, exactly as configured")
    .option("--all", "approve all configured shell hooks, with what their entries need")
    .option("--shell", "also approve that the command runs through a shell (protocol: claude)")
    .option("--env <name>", "also approve passing on a variable of env: (repeatable)", addName)
    .option("--json", "print JSON")
    .action(async (event: string | undefined, line: string | undefined, options: AllowOptions, command: Command) => {
      const { allowHooks } = await import("./hooks/approve.ts");
      await allowHooks({ event, line, ...options }, command, context);
    });
  hooks
    .command("revoke")
    .description("revoke all approvals of a command")
    .argument("<command>", "command, exactly as approved")
    .option("--json", "print JSON")
    .action(async (line: string, options: { json?: true }, command: Command) => {
      const { revokeHook } = await import("./hooks/approve.ts");
      await revokeHook(line, options.json === true, command, context);
    });
  hooks
    .command("reload")
    .description(
      "apply changed configuration, hooks and plugins to all running processes; exits with 4 if none is running",
    )
    .option("--json", "print JSON")
    .action(async (options: { json?: true }, command: Command) => {
      const { reloadHooks } = await import("./hooks/reload.ts");
      await reloadHooks(options.json === true, command, context);
    });
  addReplay(hooks, context);
  addImport(hooks, context);
  addInspection(hooks, context);
}

function addReplay(hooks: Command, context: CliContext): void {
  hooks
    .command("replay")
    .description("fire recorded events at the hooks of now; exits with 1 if one would end differently")
    .option("--session <id>", "only events of this session")
    .option("--since <time>", "only events since then: a duration such as 2h, or an ISO time", moment("--since"))
    .option("--event <name>", "only this event")
    .option("--hook <name>", "compare only what this hook does")
    .option("--json", "print JSON")
    .action(async (options: ReplayCommandOptions, command: Command) => {
      const { replayHooks } = await import("./hooks/replay.ts");
      await replayHooks(options, command, context);
    });
}

function addImport(hooks: Command, context: CliContext): void {
  hooks
    .command("import")
    .description("convert another program's hook settings into a hooks: block; what cannot be converted is listed")
    .argument("<file>", "its settings file, or the project's folder")
    .addOption(
      new Option("--from <program>", "the program, if the file doesn't show it").choices([...IMPORTABLE_PROGRAMS]),
    )
    .option("--write", "add the hooks to config.yaml, without approving them")
    .option("--json", "print JSON")
    .action(async (file: string, options: ImportOptions, command: Command) => {
      const { importHooks } = await import("./hooks/import.ts");
      await importHooks(file, options, command, context);
    });
}

/** The commands that only read. */
function addInspection(hooks: Command, context: CliContext): void {
  hooks
    .command("doctor")
    .description("find problems; runs approved scripts with a sample payload; exits with 1 if there are any")
    .option("--json", "print JSON")
    .action(async (options: { json?: true }, command: Command) => {
      const { runDoctor } = await import("./hooks/doctor.ts");
      await runDoctor(options.json === true, command, context);
    });
  hooks
    .command("events")
    .description("list the hook events, or describe one")
    .argument("[name]", "event name")
    .option("--json", "print JSON; for one event, its JSON Schema and a sample")
    .option("--example", "print a script and a plugin for the event")
    .action(async (name: string | undefined, options: { json?: true; example?: true }, command: Command) => {
      const { showEvents } = await import("./hooks/events.ts");
      await showEvents(name, options, command, context);
    });
  hooks
    .command("log")
    .description("show the last runs of all hooks, newest last")
    .option("-f, --follow", "print new runs until Ctrl+C")
    .option("--limit <n>", "number of past runs, 0 for all", numberOrAll("--limit"), 50)
    .option("--json", "print JSON; with --follow, one object per line")
    .action(async (options: { follow?: true; json?: true; limit: number }, command: Command) => {
      const { showLog } = await import("./hooks/log.ts");
      await showLog(options, command, context);
    });
}

function addName(name: string, names: readonly string[] = []): readonly string[] {
  return [...names, name];
}

interface AllowOptions {
  readonly all?: true;
  readonly shell?: true;
  readonly env?: readonly string[];
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  hermes hooks list --check
  hermes hooks test pre_tool_call --for-tool terminal
  hermes hooks allow pre_tool_call '~/.hermes/agent-hooks/guard.sh'
  hermes hooks replay --since 2h --event pre_tool_call
  hermes hooks doctor
  hermes hooks events pre_tool_call --example
  hermes hooks log --follow
  hermes hooks reload
  hermes hooks import ~/.claude/settings.json --write
  hermes hooks revoke '~/.hermes/agent-hooks/guard.sh'`;
