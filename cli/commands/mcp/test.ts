import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { nameTools } from "#agent/mcp/listed-tools";
import { McpServer, type McpServerDeps } from "#agent/mcp/server";
import { EXIT, HermesError } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import { createRedactor } from "#core/home/redact";
import { didYouMean } from "#core/suggest";
import type { CliContext } from "#cli/context";
import { mcpProfile } from "#cli/host/mcp";
import { secretsOf } from "#cli/host-files";
import { printList, type Column } from "#cli/list";
import { interruptible } from "#cli/shutdown";
import { programVersion } from "#cli/version";
import { createWalls } from "#cli/walls";

const COLUMNS: readonly Column[] = [{ head: "TOOL" }, { head: "DESCRIPTION", kind: "line" }];

const MANY_TOOLS = 100;

export interface TestOptions {
  readonly name: string;
  readonly json: boolean;
  readonly command: Command;
  readonly context: CliContext;
}

interface ServerTest {
  readonly name: string;
  readonly transport: "stdio" | "http";
  readonly ok: boolean;
  /** What the server says about itself; null when it did not start. */
  readonly server: { readonly name: string; readonly version: string } | null;
  /** Until its tools were listed, or until it failed. */
  readonly duration_ms: number;
  readonly tools: readonly { readonly name: string; readonly tool: string; readonly description: string }[];
  readonly warnings: readonly string[];
  readonly error: string | null;
}

/** `hermes mcp test`: also starts a server that is disabled. Ends with 1 when it fails, 130 on Ctrl+C. */
export async function testMcpServer({ name, json, command, context }: TestOptions): Promise<void> {
  const config = await loadConfig(context.paths(command), context.env);
  for (const warning of config.warnings) context.warn(warning);
  const servers = config.values.mcp_servers ?? {};
  if (!Object.hasOwn(servers, name)) {
    throw new HermesError("HERMES_MCP_UNKNOWN", { server: name, hint: didYouMean(name, Object.keys(servers)) });
  }
  if (context.globals(command).safeMode) throw new HermesError("HERMES_MCP_SAFE_MODE", { server: name });
  demandFor("mcp", config, name);
  const { test, failure } = await interruptible((signal) => startOnce(name, config, { command, context, signal }));
  if (json) {
    context.json(test);
    if (failure !== null) context.exit(EXIT.failed);
  } else if (failure === null) print(test, servers[name]?.enabled !== false, context);
  else throw failure;
}

interface Run extends Pick<TestOptions, "command" | "context"> {
  readonly signal: AbortSignal;
}

async function startOnce(
  name: string,
  config: Config,
  { command, context, signal }: Run,
): Promise<{ readonly test: ServerTest; readonly failure: Error | null }> {
  const settings = config.values.mcp_servers![name]!;
  const warnings: string[] = [];
  const server = new McpServer(name, settings, depsOf(config, { command, context, warnings }));
  const stop = () => void server.close();
  signal.addEventListener("abort", stop, { once: true });
  const started = performance.now();
  const failure = await server.start().then(
    () => null,
    (error: unknown) => error as Error,
  );
  const duration_ms = Math.round(performance.now() - started);
  await server.close();
  if (signal.aborted) throw new HermesError("HERMES_INTERRUPTED", {});
  const named = nameTools(new Map([[name, server.tools]]));
  const tools = named.tools.map(({ name: ours, tool }) => ({
    name: ours,
    tool: tool.name,
    description: tool.description,
  }));
  const test: ServerTest = {
    name,
    transport: settings.url === undefined ? "stdio" : "http",
    ok: failure === null,
    server: server.identity ?? null,
    duration_ms,
    tools,
    warnings: [...warnings, ...named.warnings],
    error: failure === null ? null : failure.message,
  };
  return { test, failure };
}

function depsOf(
  config: Config,
  { command, context, warnings }: Omit<Run, "signal"> & { readonly warnings: string[] },
): McpServerDeps {
  const { env } = context;
  const { home } = context.paths(command);
  const walls = createWalls({ home, env, note: context.warn });
  const quiet = () => undefined;
  return {
    cwd: process.cwd(),
    env,
    home,
    wall: () => walls(mcpProfile(config.values.sandbox?.tools ?? "auto")),
    version: programVersion(),
    log: { debug: quiet, info: quiet, warn: quiet },
    redact: createRedactor(env, secretsOf(config.values)),
    warn: (sentence) => void warnings.push(sentence),
    onTools: quiet,
  };
}

function print(
  { name, server, duration_ms, tools, warnings }: ServerTest,
  isEnabled: boolean,
  context: CliContext,
): void {
  const identity = [server?.name, server?.version].filter((part) => part !== undefined && part !== "").join(" ");
  const count = tools.length === 1 ? "1 tool" : `${tools.length} tools`;
  context.out(visible(`${name} works (${identity || "a server without a name"}): ${count} in ${duration_ms} ms.`));
  if (tools.length > 0)
    printList(
      context,
      COLUMNS,
      tools.map((tool) => [tool.name, visible(tool.description)]),
    );
  for (const warning of warnings) context.warn(visible(warning));
  if (tools.length > MANY_TOOLS) {
    context.note("Every request to the model carries all tools, and some providers accept 128: see tools.include.");
  }
  if (!isEnabled) context.note(`It is disabled: set mcp_servers.${visible(name)}.enabled to true to use it.`);
}
