import { definePlugin } from "hermes-hooks/plugin";

/** Gives every command a time limit. */
export default definePlugin({
  hooks: {
    pre_tool_call({ tool_name, args }) {
      if (tool_name !== "terminal" || args["timeout"] !== undefined) return;
      return { action: "modify", args: { timeout: 60 } };
    },
  },
});
