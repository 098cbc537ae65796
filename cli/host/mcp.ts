/** The part of a host that has the MCP servers of the configuration. Their code is loaded where there are any. */
import type { McpServers } from "#agent/mcp/servers";
import { problemOf } from "#core/errors";
import type { Config } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import type { McpServerSettings } from "#core/home/mcp-settings";
import { splitMcpName, type McpToolName } from "#core/mcp-names";
import type { Tool } from "#core/ports/agent";
import type { Wall, WallProfile } from "#core/ports/wall";
import type { HostFiles } from "../host-files.ts";
import { programVersion } from "../version.ts";
import type { HostOptions } from "./host.ts";

export interface HostMcp extends AsyncDisposable {
  /** The servers' tools of the moment. */
  readonly tools: () => readonly Tool[];
  /** The server's own name of a tool, or what its server's name leaves of ours; undefined for a tool of no server. */
  readonly toolNamed: (name: string) => McpToolName | undefined;
  /** The servers that have neither listed their tools nor failed. */
  readonly starting: () => readonly string[];
  /** Resolves when no server is starting any more, or when `signal` aborts. Says what it waits for. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  /** Starts and ends servers for another configuration. Nobody waits for them here. */
  readonly configure: (config: Config) => void;
}

export interface HostMcpOptions extends Pick<HostOptions, "context" | "globals" | "paths"> {
  readonly files: Pick<HostFiles, "log" | "redact">;
  readonly walls: (profile: WallProfile) => Wall;
}

/** A wait that takes longer is explained. */
const PATIENCE_MS = 2000;

/** Starts no server before it is configured, and none in safe mode. */
export function openMcp(options: HostMcpOptions): HostMcp {
  const { globals, context } = options;
  let servers: McpServers | undefined;
  let loading: Promise<void> | undefined;
  let wanted: Config | undefined;
  let isClosed = false;

  async function load(): Promise<void> {
    const { createMcpServers } = await import("#agent/mcp/servers");
    if (isClosed || wanted === undefined) return;
    servers = createMcpServers(depsOf(options, () => wanted));
    servers.configure(enabledServers(wanted, context.warn));
  }

  const starting = () => servers?.starting() ?? [];

  async function ready(signal: AbortSignal): Promise<void> {
    await loading;
    const timer = setTimeout(() => {
      const names = starting().map((name) => JSON.stringify(name));
      const noun = names.length === 1 ? "the MCP server" : "the MCP servers";
      if (names.length > 0) context.note(`waiting for ${noun} ${names.join(", ")} to start …`);
    }, PATIENCE_MS);
    try {
      await servers?.ready(signal);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    tools: () => servers?.tools() ?? [],
    toolNamed: (name) => servers?.toolNamed(name) ?? splitMcpName(name, Object.keys(wanted?.values.mcp_servers ?? {})),
    starting,
    ready,
    configure(config) {
      if (globals.safeMode) return;
      wanted = config;
      if (servers !== undefined) servers.configure(enabledServers(config, context.warn));
      else if (hasServers(config)) loading ??= load();
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await loading;
      await servers?.[Symbol.asyncDispose]();
    },
  };
}

function depsOf({ context, paths, files, walls }: HostMcpOptions, config: () => Config | undefined) {
  const { log, redact } = files;
  const { env, warn } = context;
  const wall = () => walls(mcpProfile(config()?.values.sandbox?.tools ?? "auto"));
  return { cwd: process.cwd(), env, home: paths.home, wall, version: programVersion(), log, redact, warn };
}

/**
 * Servers must not change what guards the agent, but most of them need the network and files: they get `guard` where
 * commands of the agent get that or less.
 */
export function mcpProfile(tools: WallProfile): WallProfile {
  return tools === "off" || tools === "auto" ? tools : "guard";
}

function hasServers({ values }: Config): boolean {
  return Object.values(values.mcp_servers ?? {}).some(({ enabled }) => enabled !== false);
}

/** Those that are switched on and can be started; each of the others is one warning. */
function enabledServers(config: Config, warn: (sentence: string) => void): ReadonlyMap<string, McpServerSettings> {
  const found = new Map<string, McpServerSettings>();
  for (const [name, settings] of Object.entries(config.values.mcp_servers ?? {})) {
    const problem = settings.enabled === false ? null : mcpServerProblem(config, name);
    if (problem !== null) warn(problem);
    else if (settings.enabled !== false) found.set(name, settings);
  }
  return found;
}

/** Why a server is not even started: a variable that is not set; null for nothing. */
export function mcpServerProblem(config: Config, name: string): string | null {
  try {
    demandFor("mcp", config, name);
    return null;
  } catch (error) {
    return `the MCP server "${name}" is not started: ${problemOf(error)}`;
  }
}
