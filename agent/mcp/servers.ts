/** The MCP servers of a host, and their tools as the agent's. */
import { isHermesError, problemOf } from "#core/errors";
import type { McpServerSettings } from "#core/home/mcp-settings";
import type { McpToolName } from "#core/mcp-names";
import type { Tool } from "#core/ports/agent";
import { nameTools } from "./listed-tools.ts";
import { McpServer, type McpServerDeps } from "./server.ts";

export interface McpServers extends AsyncDisposable {
  /** The tools of the moment. A server that has ended keeps its tools: a call starts it again. */
  tools(): readonly Tool[];
  /** The server's own name of a tool; undefined for a tool of no server. */
  toolNamed(name: string): McpToolName | undefined;
  /** Starts servers that are new or changed, and ends those that are gone once their calls have ended. */
  configure(servers: ReadonlyMap<string, McpServerSettings>): void;
  /** Servers that have neither listed their tools nor failed. */
  starting(): readonly string[];
  /** Resolves when no server is starting, or when `signal` aborts. Never rejects. */
  ready(signal: AbortSignal): Promise<void>;
}

interface Entry {
  readonly server: McpServer;
  readonly settings: string;
  starting: Promise<void> | undefined;
}

/** Starts no server before it is configured. A server that fails to start is one warning. */
export function createMcpServers(deps: Omit<McpServerDeps, "onTools">): McpServers {
  let entries = new Map<string, Entry>();
  let tools: readonly Tool[] | undefined;
  const names = new Map<string, McpToolName>();
  const retired = new Set<McpServer>();

  const changed = () => void (tools = undefined);

  function make(name: string, settings: McpServerSettings): Entry {
    const server = new McpServer(name, settings, { ...deps, onTools: changed });
    const entry: Entry = { server, settings: JSON.stringify(settings), starting: undefined };
    entry.starting = server
      .start()
      .catch((error: unknown) => {
        if (entries.get(name) !== entry) return;
        const code = isHermesError(error) ? error.code : undefined;
        deps.log.warn(problemOf(error), { server: name, code });
        deps.warn(problemOf(error));
      })
      .finally(() => void (entry.starting = undefined));
    return entry;
  }

  function end({ server }: Entry): void {
    retired.add(server);
    void server.retire().then(() => retired.delete(server));
  }

  function nameAll(): readonly Tool[] {
    const lists = new Map([...entries].map(([name, { server }]) => [name, server.tools]));
    const named = nameTools(lists);
    for (const warning of named.warnings) deps.warn(warning);
    names.clear();
    return named.tools.map(({ name, server, tool }): Tool => {
      names.set(name, { server, tool: tool.name });
      const owner = entries.get(server)!.server;
      const { description, parameters } = tool;
      return {
        name,
        description: description || `The tool ${tool.name} of the MCP server ${server}`,
        parameters,
        leavesArguments: true,
        execute: (args, { signal }) => owner.call(tool.name, args, signal),
      };
    });
  }

  const current = () => (tools ??= nameAll());

  return {
    tools: current,
    toolNamed(name) {
      current();
      return names.get(name);
    },
    configure(servers) {
      const previous = entries;
      entries = new Map();
      for (const [name, settings] of servers) {
        const old = previous.get(name);
        const isSame = old?.settings === JSON.stringify(settings);
        if (old !== undefined && !isSame) end(old);
        entries.set(name, isSame && old !== undefined ? old : make(name, settings));
      }
      for (const [name, entry] of previous) if (!servers.has(name)) end(entry);
      changed();
    },
    starting: () => [...entries].flatMap(([name, { starting }]) => (starting === undefined ? [] : [name])),
    async ready(signal) {
      for (const { server, starting } of entries.values()) if (starting === undefined) server.retry();
      const all = Promise.all([...entries.values()].map(async ({ starting }) => starting));
      const { promise: stopped, resolve } = Promise.withResolvers<void>();
      const stop = () => resolve();
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      await Promise.race([all, stopped]);
      signal.removeEventListener("abort", stop);
    },
    async [Symbol.asyncDispose]() {
      const last = [...[...entries.values()].map(({ server }) => server), ...retired];
      entries = new Map();
      await Promise.all(last.map((server) => server.close()));
    },
  };
}
