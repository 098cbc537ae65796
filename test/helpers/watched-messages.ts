/** A plugin and a gateway hook that note which messages a messaging platform brings, and guard tool calls. */
import type { Home } from "./hermes.ts";

/** Blocks, asks, notes where messages come from, and sends to the home channel. */
const WATCH = `import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { definePlugin } from "hermes-hooks/plugin";
const FILE = join(import.meta.dirname, "..", "..", "dispatched.jsonl");
export default definePlugin({
  hooks: {
    pre_tool_call({ args }) {
      const command = String(args["command"]);
      if (command.includes("forbidden")) return { action: "block", message: "This is forbidden." };
      if (command.includes("deploy")) return { action: "ask", message: "This deploys." };
      return undefined;
    },
    pre_gateway_dispatch({ event }) {
      appendFileSync(FILE, JSON.stringify(event) + "\\n");
    },
  },
  register(ctx) {
    ctx.register_command({ name: "tell", description: "tell the home channel", handler: (text) => ctx.deliver(text).then(() => "told") });
  },
});
`;

const NOTES = `import { appendFileSync } from "node:fs";
import { join } from "node:path";
export function handle(type, context) {
  appendFileSync(join(import.meta.dirname, "..", "..", "events.jsonl"), JSON.stringify({ type, ...context }) + "\\n");
}
`;

/** The section of config.yaml that {@link watchMessages} needs. */
export const WATCHING = "plugins: { enabled: [watch] }\n";

/** Adds the plugin and the hook: `dispatched.jsonl` has the messages, `events.jsonl` the events. */
export function watchMessages(home: Home): void {
  home.plugin("watch", WATCH);
  home.write("hooks/notes/HOOK.yaml", "events: [agent:start, session:start, command:*]\n");
  home.write("hooks/notes/handler.js", NOTES);
}

/** The lines of such a file. */
export function linesOf(home: Home, file: string): readonly Record<string, unknown>[] {
  const lines = home.has(file) ? home.read(file).trim().split("\n") : [];
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
