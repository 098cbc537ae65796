import { definePlugin } from "hermes-hooks/plugin";

/** Logs tools that take long. */
export default definePlugin({
  register(ctx) {
    const most = Number(ctx.settings["milliseconds"] ?? 5000);
    ctx.register_hook("transform_tool_result", ({ tool_name, duration_ms }) => {
      if (duration_ms > most) ctx.logger.warn("%s took %d ms", tool_name, duration_ms);
    });
  },
});
