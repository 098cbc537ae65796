import { definePlugin } from "hermes-hooks/plugin";

const MOST = 10_000;

/** Cuts long results, so that the context lasts longer. */
export default definePlugin({
  hooks: {
    transform_tool_result({ result }) {
      if (result.length <= MOST) return;
      return JSON.stringify({ cut: result.length - MOST, start: result.slice(0, MOST) });
    },
  },
});
