import { definePlugin } from "hermes-hooks/plugin";

/** Asks before anything is deployed. */
export default definePlugin({
  hooks: {
    pre_tool_call({ tool_name, args }) {
      if (tool_name !== "terminal" || !String(args["command"]).includes("deploy")) return;
      return { action: "ask", message: "This deploys to production." };
    },
  },
});
