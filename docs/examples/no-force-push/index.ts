import { definePlugin } from "hermes-hooks/plugin";

/** Blocks force pushes. */
export default definePlugin({
  hooks: {
    pre_tool_call({ tool_name, args }) {
      if (tool_name !== "terminal" || !/\bgit\s+push\b.*\s(?:-f|--force)(?:\s|$)/.test(String(args["command"]))) return;
      return { action: "block", message: "Force pushes are not allowed." };
    },
  },
});
