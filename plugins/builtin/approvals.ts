/** Asks the user before tools run that change something, and remembers what they allow. */
import { definePlugin, type Answer, type AskChoice, type PluginContext } from "#plugins/api";

/** What it asks about without `settings: { tools: […] }`. Nobody knows what the tools of MCP servers change. */
const TOOLS = ["terminal", "write_file", "patch", "mcp_*"];

export const approvals = definePlugin({
  register(ctx) {
    const isAskedAbout = toolsOf(ctx);
    ctx.register_hook("pre_tool_call", async ({ tool_name, args }): Promise<Answer<"pre_tool_call">> => {
      if (!isAskedAbout(tool_name)) return undefined;
      if (tool_name !== "terminal") return { action: "ask", message: "" };
      // The end of a background command is no command.
      if (typeof args["stop"] === "string" && args["stop"] !== "") return undefined;
      const { command } = args;
      if (typeof command !== "string") return { action: "ask", message: "" };
      if (await ctx.command_rules.allows(command)) return undefined;
      return { action: "ask", message: "", choices: await choicesFor(command, ctx) };
    });
  },
});

/** Names of tools, or beginnings of names before a `*`. */
function toolsOf({ settings }: PluginContext): (tool: string) => boolean {
  const { tools = TOOLS } = settings;
  if (!Array.isArray(tools) || !tools.every((name) => typeof name === "string")) {
    throw new TypeError('its setting "tools" must be a list of tool names');
  }
  const names = new Set(tools);
  const beginnings = tools.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1));
  return (tool) => names.has(tool) || beginnings.some((beginning) => tool.startsWith(beginning));
}

async function choicesFor(command: string, ctx: PluginContext): Promise<readonly AskChoice[]> {
  const suggestion = await ctx.command_rules.suggest(command);
  if (suggestion === null) return [];
  const label = `run it, and from now on always: ${suggestion.text}`;
  return [{ key: "p", label, on_chosen: () => remember(suggestion.remember, ctx) }];
}

/** The call runs anyway: the user allowed it. */
async function remember(work: () => Promise<void>, ctx: PluginContext): Promise<void> {
  try {
    await work();
  } catch (error) {
    const sentence = `your choice is not remembered: ${error instanceof Error ? error.message : String(error)}`;
    ctx.logger.error(sentence);
    process.stderr.write(`approvals: ${sentence}\n`);
  }
}
