import { definePlugin } from "hermes-hooks/plugin";

/** Tells the model today's date. */
export default definePlugin({
  hooks: {
    pre_llm_call: () => ({ context: `Today is ${new Date().toISOString().slice(0, 10)}.` }),
  },
});
