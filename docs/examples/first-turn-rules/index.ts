import { definePlugin } from "hermes-hooks/plugin";

/** Adds rules of the house to a session's first message. */
export default definePlugin({
  hooks: {
    pre_llm_call: ({ is_first_turn }) =>
      is_first_turn ? "Answer in short sentences. Never commit to main." : undefined,
  },
});
