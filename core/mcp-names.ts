/** The names of MCP tools (CONTRACT §18): which server's tool a name stands for, here and in other programs. */

/** A tool by the names that its server and the configuration give. */
export interface McpToolName {
  readonly server: string;
  readonly tool: string;
}

/** Providers accept no longer name of a tool. */
const LONGEST_NAME = 64;
const PREFIX = "mcp_";

/**
 * The name under which the model calls a server's tool. Characters other than ASCII letters, digits and `_` become
 * `_`. A name that is too long for providers is cut and gets a checksum of the whole name, so that it stays distinct.
 */
export function mcpToolName({ server, tool }: McpToolName): string {
  const name = `${mcpPrefix(server)}${identifier(tool)}`;
  if (name.length <= LONGEST_NAME) return name;
  const sum = checksum(`${server}\0${tool}`);
  return `${name.slice(0, LONGEST_NAME - sum.length - 1)}_${sum}`;
}

/** What the names of a server's tools begin with. */
function mcpPrefix(server: string): string {
  return `${PREFIX}${identifier(server)}_`;
}

/** The server and tool of a name, as far as the names of the configured servers tell; the longest prefix wins. */
export function splitMcpName(name: string, servers: readonly string[]): McpToolName | undefined {
  const [server] = servers
    .filter((one) => name.startsWith(mcpPrefix(one)) && name.length > mcpPrefix(one).length)
    .toSorted((left, right) => right.length - left.length);
  return server === undefined ? undefined : { server, tool: name.slice(mcpPrefix(server).length) };
}

function identifier(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

/** FNV-1a with 32 bits, as 8 hexadecimal digits. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
