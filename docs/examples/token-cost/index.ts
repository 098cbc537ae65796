import { definePlugin } from "hermes-hooks/plugin";

/** Counts the tokens of a session, and tells them on demand. */
export default definePlugin({
  register(ctx) {
    let tokens = 0;
    ctx.register_hook("post_api_request", ({ usage }) => void (tokens += usage.input_tokens + usage.output_tokens));
    ctx.register_command({
      name: "tokens",
      description: "how many tokens were used",
      handler: () => `${tokens} tokens`,
    });
  },
});
