import { definePlugin } from "hermes-hooks/plugin";

/** Adds a line to every answer. */
export default definePlugin({
  hooks: {
    transform_llm_output: ({ response_text }) => `${response_text}\n\n(written by an agent)`,
  },
});
