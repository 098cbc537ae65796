import { definePlugin } from "hermes-hooks/plugin";

/** Masks API keys in results before the model sees them. */
export default definePlugin({
  hooks: {
    transform_tool_result({ result }) {
      const masked = result.replaceAll(/\bsk-[A-Za-z0-9_-]{16,}/g, "[masked]");
      return masked === result ? undefined : masked;
    },
  },
});
