/** Reads the list of tools that a server sends, and decides which of them are offered and under which names. */
import { isMapping } from "#core/mapping";
import { mcpToolName } from "#core/mcp-names";
import { didYouMean } from "#core/suggest";
import { truncate } from "#core/truncate";

/** A tool as its server describes it. */
export interface ListedTool {
  readonly name: string;
  readonly description: string;
  /** A JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ToolList {
  readonly tools: readonly ListedTool[];
  /** Sentences about tools that are left out. */
  readonly warnings: readonly string[];
  /** Names of tools that are left out because they only run in a way that is not supported. */
  readonly unsupported: readonly string[];
}

/** Which of a server's tools are offered, by its own names. */
export interface ToolChoice {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Of one server. */
const MOST_TOOLS = 1000;
const LONGEST_NAME = 200;
/** A description is sent with every request to the model. */
const LONGEST_DESCRIPTION = 10_000;

/** Checks each tool of a list by itself, so that a bad one does not cost the others. */
export function readToolList(server: string, listed: readonly unknown[], choice: ToolChoice = {}): ToolList {
  const warnings: string[] = [];
  const unsupported: string[] = [];
  const tools = new Map<string, ListedTool>();
  for (const item of listed.slice(0, MOST_TOOLS)) {
    const tool = readTool(item);
    if (typeof tool === "string") warnings.push(`The MCP server ${quoted(server)} lists ${tool}; it is left out.`);
    else if (tools.has(tool.name)) {
      warnings.push(
        `The MCP server ${quoted(server)} lists the tool ${quoted(tool.name)} twice; the first one is used.`,
      );
    } else if (runsOnlyAsTask(item)) unsupported.push(tool.name);
    else tools.set(tool.name, tool);
  }
  if (listed.length > MOST_TOOLS) {
    warnings.push(
      `The MCP server ${quoted(server)} lists ${listed.length} tools; only the first ${MOST_TOOLS} are used. Choose some with tools.include.`,
    );
  }
  const names = [...tools.keys(), ...unsupported];
  const { include, exclude = [] } = choice;
  for (const [key, wanted] of Object.entries({
    include: include ?? [],
    exclude: include === undefined ? exclude : [],
  })) {
    for (const name of wanted.filter((one) => !names.includes(one))) {
      const place = `mcp_servers.${server}.tools.${key}`;
      warnings.push(`${place}: the server has no tool ${quoted(name)}.${didYouMean(name, names)}`);
    }
  }
  const isOffered = ({ name }: ListedTool) => include?.includes(name) ?? !exclude.includes(name);
  return { tools: [...tools.values()].filter(isOffered), warnings, unsupported };
}

/** The tool, or a clause that says what is wrong with it. */
function readTool(item: unknown): ListedTool | string {
  const name = isMapping(item) ? item["name"] : undefined;
  if (!isMapping(item) || typeof name !== "string" || name === "") return "a tool without a name";
  if (name.length > LONGEST_NAME) return `a tool with a name of ${name.length} characters`;
  const { description, inputSchema: schema } = item;
  if (!isMapping(schema) || (schema["type"] !== undefined && schema["type"] !== "object")) {
    return `the tool ${quoted(name)} without a JSON Schema of an object`;
  }
  return {
    name,
    description: truncate(typeof description === "string" ? description : "", LONGEST_DESCRIPTION),
    // Some providers refuse an object without properties.
    parameters: { type: "object", properties: {}, ...schema },
  };
}

/** A tool of the experimental kind whose result has to be fetched later. */
function runsOnlyAsTask(item: unknown): boolean {
  const execution = isMapping(item) ? item["execution"] : undefined;
  return isMapping(execution) && execution["taskSupport"] === "required";
}

/** A tool and the name under which the model calls it. */
export interface NamedTool {
  readonly name: string;
  readonly server: string;
  readonly tool: ListedTool;
}

export interface NamedTools {
  readonly tools: readonly NamedTool[];
  /** Sentences about tools that have the name of another. */
  readonly warnings: readonly string[];
}

/**
 * Names the tools of all servers, in their order in the configuration. Of several tools with one name the first
 * server's is offered; of one server's, the one whose own name needed no change, else the first in the alphabet. The
 * order in which a server lists its tools makes no difference.
 */
export function nameTools(lists: ReadonlyMap<string, readonly ListedTool[]>): NamedTools {
  const named = new Map<string, NamedTool>();
  const warnings: string[] = [];
  for (const [server, tools] of lists) {
    for (const tool of tools.toSorted(byPrecedence)) {
      const name = mcpToolName({ server, tool: tool.name });
      const first = named.get(name);
      if (first === undefined) named.set(name, { name, server, tool });
      else {
        warnings.push(
          `The MCP tools ${describe(first)} and ${describe({ server, tool })} are both ${name}; only the first is offered. To choose, list one in tools.exclude of its server.`,
        );
      }
    }
  }
  return { tools: [...named.values()], warnings };
}

function byPrecedence(left: ListedTool, right: ListedTool): number {
  return Number(isChanged(left)) - Number(isChanged(right)) || (left.name < right.name ? -1 : 1);
}

function isChanged({ name }: ListedTool): boolean {
  return /[^A-Za-z0-9_]/.test(name);
}

function describe({ server, tool }: Pick<NamedTool, "server" | "tool">): string {
  return `${quoted(tool.name)} of ${quoted(server)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
