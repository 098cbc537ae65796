/** Which tools belong to MCP servers, for commands that start none. */
import type { Config } from "#core/home/config";
import { splitMcpName } from "#core/mcp-names";
import type { ToolOrigins } from "#sandbox/shell/matcher";

/** Tells by the names of the configured servers. */
export function mcpOrigins({ values }: Config): Required<ToolOrigins> {
  const servers = Object.keys(values.mcp_servers ?? {});
  return { mcpTool: (name) => splitMcpName(name, servers) };
}
