import { definePlugin } from "hermes-hooks/plugin";

/** Tells the home channel when the model fails for good. */
export default definePlugin({
  register(ctx) {
    ctx.register_hook("api_request_error", async ({ error, retryable }) => {
      if (!retryable) await ctx.deliver(`The model failed: ${error}`);
    });
  },
});
