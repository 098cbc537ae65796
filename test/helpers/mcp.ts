/** MCP servers of test/fixtures/mcp, and a host's part for them. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createMcpServers, type McpServers } from "#agent/mcp/servers";
import type { McpServerSettings } from "#core/home/mcp-settings";
import type { Tool } from "#core/ports/agent";
import { temporaryFolder } from "./temporary-folder.ts";

const SERVER = join(import.meta.dirname, "../fixtures/mcp/server.js");

/** Servers as the registry has them. */
export const FILES_SERVER = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-filesystem/dist/index.js"));
export const EVERYTHING_SERVER = fileURLToPath(
  import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"),
);

/** The settings of a fixture that does this wrong at its start. */
export function fixtureServer(mode = "plain", settings: Partial<McpServerSettings> = {}): McpServerSettings {
  return { command: process.execPath, args: [SERVER, mode], connect_timeout: 30, ...settings };
}

export interface McpBench {
  readonly servers: McpServers;
  readonly warnings: string[];
  /** What the fixtures recorded, a line for each. */
  readonly recorded: () => readonly string[];
  /** The file that they record in; `FILE.broken` keeps them from starting. */
  readonly record: string;
  readonly names: () => readonly string[];
  /** Calls a tool as the agent does. */
  call(name: string, args?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<unknown>;
}

/** Starts the servers and waits for them. They end with the test. */
export async function startMcp(
  context: TestContext,
  configured: Readonly<Record<string, McpServerSettings>>,
  env: NodeJS.ProcessEnv = {},
): Promise<McpBench> {
  const folder = temporaryFolder(context);
  const record = join(folder, "record");
  const warnings: string[] = [];
  const quiet = () => undefined;
  const servers = createMcpServers({
    cwd: folder,
    env: { PATH: process.env["PATH"], RECORD: record, ...env },
    home: join(folder, "home"),
    version: "0.0.0",
    log: { debug: quiet, info: quiet, warn: quiet },
    redact: (text) => text.replaceAll("hunter2hunter2", "[redacted]"),
    warn: (sentence) => void warnings.push(sentence),
    retryMs: 0,
  });
  context.after(() => servers[Symbol.asyncDispose]());
  servers.configure(new Map(Object.entries(configured)));
  await servers.ready(new AbortController().signal);
  const find = (name: string): Tool => {
    const tool = servers.tools().find((one) => one.name === name);
    if (tool === undefined) throw new Error(`there is no tool ${name}`);
    return tool;
  };
  return {
    servers,
    warnings,
    record,
    recorded: () => (existsSync(record) ? readFileSync(record, "utf8").trim().split("\n") : []),
    names: () => servers.tools().map(({ name }) => name),
    call: async (name, args = {}, signal = new AbortController().signal) =>
      find(name).execute(args, { tool_call_id: "1", session_id: "s", cwd: folder, signal, depth: 0 }),
  };
}
