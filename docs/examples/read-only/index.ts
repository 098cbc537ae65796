import { definePlugin } from "hermes-hooks/plugin";

const READS = new Set(["read_file", "search_files"]);

/** Lets the agent look, but change nothing. */
export default definePlugin({
  hooks: {
    pre_tool_call({ tool_name }) {
      if (READS.has(tool_name)) return;
      return { action: "block", message: `${tool_name} is switched off: this session is read-only.` };
    },
  },
});
