/** The program and its commands. */
import { Command } from "./command-line/command.ts";
import { Option } from "./command-line/option.ts";
import type { CliContext } from "./context.ts";
import { GLOBAL_OPTIONS } from "./global-options.ts";

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<(program: Command, context: CliContext) => void>;
}

/** Every command. Only the requested one is loaded. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  chat: {
    summary: "chat with the agent, or run a single turn",
    load: async () => (await import("./commands/chat.ts")).addChatCommand,
  },
  model: {
    summary: "show the model or choose another",
    load: async () => (await import("./commands/model.ts")).addModelCommand,
  },
  run: {
    summary: "run a task, here or in the background, or a daemon",
    load: async () => (await import("./commands/run.ts")).addRunCommand,
  },
  send: {
    summary: "send a message to a daemon",
    load: async () => (await import("./commands/send.ts")).addSendCommand,
  },
  ps: {
    summary: "list the daemons that run",
    load: async () => (await import("./commands/ps.ts")).addPsCommand,
  },
  stop: {
    summary: "stop a daemon",
    load: async () => (await import("./commands/stop.ts")).addStopCommand,
  },
  attach: {
    summary: "watch a daemon",
    load: async () => (await import("./commands/attach.ts")).addAttachCommand,
  },
  inbox: {
    summary: "see the messages of a daemon",
    load: async () => (await import("./commands/inbox.ts")).addInboxCommand,
  },
  schedule: {
    summary: "send messages to a daemon at certain times",
    load: async () => (await import("./commands/schedule.ts")).addScheduleCommand,
  },
  cron: {
    summary: "the same as schedule",
    load: async () => (await import("./commands/schedule.ts")).addCronCommand,
  },
  tasks: {
    summary: "list, follow, cancel and repeat tasks",
    load: async () => (await import("./commands/tasks.ts")).addTasksCommand,
  },
  worker: {
    summary: "run the tasks that wait in the background",
    load: async () => (await import("./commands/worker.ts")).addWorkerCommand,
  },
  workers: {
    summary: "list the workers that run",
    load: async () => (await import("./commands/workers.ts")).addWorkersCommand,
  },
  hooks: {
    summary: "list, test, approve and troubleshoot hooks",
    load: async () => (await import("./commands/hooks.ts")).addHooksCommand,
  },
  plugins: {
    summary: "install, list, enable, disable and create plugins",
    load: async () => (await import("./commands/plugins.ts")).addPluginsCommand,
  },
  gateway: {
    summary: "run the agent on messaging platforms",
    load: async () => (await import("./commands/gateway.ts")).addGatewayCommand,
  },
  serve: {
    summary: "run gateway, worker and dashboard as one service",
    load: async () => (await import("./commands/serve.ts")).addServeCommand,
  },
  dashboard: {
    summary: "watch every hermes of this home in a browser",
    load: async () => (await import("./commands/dashboard.ts")).addDashboardCommand,
  },
  sessions: {
    summary: "list, show, export and delete past conversations",
    load: async () => (await import("./commands/sessions.ts")).addSessionsCommand,
  },
  pairing: {
    summary: "manage who can use the gateway",
    load: async () => (await import("./commands/pairing.ts")).addPairingCommand,
  },
  webhooks: {
    summary: "list and test webhooks, see what was delivered, send again",
    load: async () => (await import("./commands/webhooks.ts")).addWebhooksCommand,
  },
  inbound: {
    summary: "list and test the webhooks that daemons receive, see what came",
    load: async () => (await import("./commands/inbound.ts")).addInboundCommand,
  },
  mcp: {
    summary: "list and test MCP servers",
    load: async () => (await import("./commands/mcp.ts")).addMcpCommand,
  },
  config: {
    summary: "check the configuration or print its JSON Schema",
    load: async () => (await import("./commands/config.ts")).addConfigCommand,
  },
  approvals: {
    summary: "list and remove the commands that run without asking you",
    load: async () => (await import("./commands/approvals.ts")).addApprovalsCommand,
  },
  sandbox: {
    summary: "check the sandbox, and run commands in it",
    load: async () => (await import("./commands/sandbox.ts")).addSandboxCommand,
  },
  complete: {
    summary: "print a shell completion script",
    load: async () => {
      const { addCompleteCommand } = await import("./commands/complete.ts");
      return (program, context) => addCompleteCommand(program, () => createProgram("all", context), context);
    },
  },
};

const EXAMPLES = `
Without a command, hermes starts a chat. Words in quotes are a question.

Examples:
  hermes                                      chat; --accept-hooks approves the configured shell hooks
  hermes 'what is in this folder?'            ask one question and exit
  hermes hooks list                           list the hooks and whether they are approved`;

/** The program with one command loaded (or every command, with `all`); the others are only names. */
export async function createProgram(wanted: string | undefined, context: CliContext): Promise<Command> {
  const program = new Command("hermes")
    .description("An AI agent that runs your code at every step: plugins, shell hooks and gateway hooks.")
    .addHelpText("after", EXAMPLES)
    .addOption(new Option("-V, --version", "print the versions of hermes and Node.js, and the home"));
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name === wanted || wanted === "all") (await load())(program, context);
    else program.command(name).description(summary);
  }
  for (const command of program.commands) command.summary(COMMANDS[command.name()]?.summary ?? "");
  addGlobalOptions(program);
  return program;
}

/** Only the program's help shows them. */
function addGlobalOptions(program: Command): void {
  for (const { flags, description } of GLOBAL_OPTIONS) program.addOption(new Option(flags, description));
  const hidden = GLOBAL_OPTIONS.map(({ flags, description }) => new Option(flags, description).hideHelp());
  const add = (command: Command) => {
    command.options.push(...hidden);
    command.commands.forEach(add);
  };
  program.commands.forEach(add);
}
