import { definePlugin } from "hermes-hooks/plugin";

/** Adds flags to a command. */
export default definePlugin({
  hooks: {
    pre_tool_call({ tool_name, args }) {
      const command = String(args["command"]);
      if (tool_name !== "terminal" || !/^npm (?:ci|install)$/.test(command)) return;
      return { action: "modify", args: { command: `${command} --no-audit --no-fund` } };
    },
  },
});
