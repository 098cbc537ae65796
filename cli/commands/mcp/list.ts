import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { serverWords } from "#agent/mcp/endpoint";
import { problemOf } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import { MCP_DEFAULTS, type McpServerSettings } from "#core/home/mcp-settings";
import { createRedactor } from "#core/home/redact";
import { quoteWord } from "#core/shell-quote";
import { findStartProblem } from "#sandbox/process/start";
import type { CliContext } from "#cli/context";
import { secretsOf } from "#cli/host-files";
import { printList, type Column } from "#cli/list";

const COLUMNS: readonly Column[] = [
  { head: "SERVER" },
  { head: "STATE", kind: "state" },
  { head: "TOOLS", kind: "text", isOptional: true },
  { head: "COMMAND OR URL", kind: "text" },
];

interface ListedServer {
  readonly name: string;
  readonly transport: "stdio" | "http";
  /** The command line or the address, without secrets. */
  readonly target: string;
  readonly state: "enabled" | "disabled" | "error";
  /** Why it cannot start, as far as can be told without starting it; else null. */
  readonly problem: string | null;
  readonly timeout: number;
  readonly connect_timeout: number;
  readonly include: readonly string[] | null;
  readonly exclude: readonly string[] | null;
}

/** `hermes mcp list` */
export async function listMcpServers(json: boolean, command: Command, context: CliContext): Promise<void> {
  const config = await loadConfig(context.paths(command), context.env);
  for (const warning of config.warnings) context.warn(warning);
  const redact = createRedactor(context.env, secretsOf(config.values));
  const servers = await Promise.all(
    Object.entries(config.values.mcp_servers ?? {}).map(([name, settings]) =>
      describeServer({ name, settings, config, redact, env: context.env }),
    ),
  );
  if (json) return context.json({ servers });
  if (servers.length === 0) return context.out("No MCP servers are configured.");
  const rows = servers.map(({ name, state, problem, target, include, exclude }) => [
    visible(name),
    problem === null ? state : visible(problem),
    visible(choiceOf(include, exclude)),
    visible(target),
  ]);
  printList(context, COLUMNS, rows);
  if (context.globals(command).safeMode) context.note("Safe mode: none of them is started.");
}

interface DescribedServer {
  readonly name: string;
  readonly settings: McpServerSettings;
  readonly config: Config;
  readonly redact: (text: string) => string;
  readonly env: NodeJS.ProcessEnv;
}

async function describeServer({ name, settings, config, redact, env }: DescribedServer): Promise<ListedServer> {
  const { url, enabled = true, tools = {} } = settings;
  const words = url === undefined ? serverWords(settings, env) : null;
  const problem = enabled ? await findProblem(name, words, config, env) : null;
  return {
    name,
    transport: words === null ? "http" : "stdio",
    target: redact(words?.map(quoteWord).join(" ") ?? url ?? ""),
    state: enabled ? (problem === null ? "enabled" : "error") : "disabled",
    problem: problem === null ? null : redact(problem),
    timeout: settings.timeout ?? MCP_DEFAULTS.timeout,
    connect_timeout: settings.connect_timeout ?? MCP_DEFAULTS.connect_timeout,
    include: tools.include ?? null,
    exclude: tools.exclude ?? null,
  };
}

async function findProblem(
  name: string,
  argv: readonly [string, ...string[]] | null,
  config: Config,
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  try {
    demandFor("mcp", config, name);
  } catch (error) {
    return problemOf(error);
  }
  return argv === null ? null : findStartProblem({ argv, cwd: process.cwd(), env });
}

function choiceOf(include: readonly string[] | null, exclude: readonly string[] | null): string {
  if (include !== null) return `only ${include.join(", ")}`;
  return exclude === null ? "all" : `all but ${exclude.join(", ")}`;
}
