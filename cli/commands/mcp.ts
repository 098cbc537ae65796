import type { Command } from "#cli/command-line/command";
import type { CliContext } from "../context.ts";

/** `hermes mcp list|test` */
export function addMcpCommand(program: Command, context: CliContext): void {
  const mcp = program.command("mcp").description("List and test the MCP servers whose tools the agent gets.");
  mcp
    .command("list")
    .description("list the configured servers; starts none of them")
    .option("--json", "print JSON")
    .action(async (options: { json?: true }, command: Command) => {
      const { listMcpServers } = await import("./mcp/list.ts");
      await listMcpServers(options.json === true, command, context);
    });
  mcp
    .command("test")
    .description("start a server, list its tools and end it; exits with 1 if it fails")
    .argument("<name>", "name of a server in mcp_servers")
    .option("--json", "print JSON")
    .addHelpText("after", TEST_HELP)
    .action(async (name: string, options: { json?: true }, command: Command) => {
      const { testMcpServer } = await import("./mcp/test.ts");
      await testMcpServer({ name, json: options.json === true, command, context });
    });
}

const TEST_HELP = `
Example:
  hermes mcp test files     the tools of the server "files", and how long it took to start`;
