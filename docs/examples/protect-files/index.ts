import { definePlugin } from "hermes-hooks/plugin";

const PROTECTED = new Set([".env", "package-lock.json", "yarn.lock"]);

/** Keeps lock files and .env from being changed. */
export default definePlugin({
  hooks: {
    pre_tool_call({ tool_name, args }) {
      if (tool_name !== "write_file" && tool_name !== "patch") return;
      const name = String(args["path"]).split("/").at(-1) ?? "";
      if (!PROTECTED.has(name)) return;
      return { action: "block", message: `${name} must not be changed.` };
    },
  },
});
