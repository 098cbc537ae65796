/** The errors of MCP servers; part of the table in `errors.ts`. */
import { declare, EXIT } from "./error-declaration.ts";

export const MCP_ERRORS = {
  HERMES_MCP_UNKNOWN: declare(
    EXIT.notFound,
    (f: { server: string; hint: string }) =>
      `There is no MCP server "${f.server}" in mcp_servers of config.yaml.${f.hint}`,
  ),
  HERMES_MCP_SERVER: declare(
    EXIT.failed,
    (f: { server: string; problem: string; cure: string }) =>
      `The MCP server "${f.server}" did not start: ${f.problem}. ${f.cure}`,
  ),
  HERMES_MCP_SAFE_MODE: declare(
    EXIT.failed,
    (f: { server: string }) => `The MCP server "${f.server}" was not started: safe mode starts none.`,
  ),
} as const;
