import { definePlugin } from "hermes-hooks/plugin";

/** Passes events on between plugins. */
export default definePlugin({
  register(ctx) {
    ctx.on("ci:finished", async (_event_type, context) => {
      if (context["status"] === "failed") await ctx.deliver(`The build of ${String(context["branch"])} failed.`);
    });
    ctx.register_command({
      name: "build-failed",
      description: "says that a build failed",
      handler: async (branch) => {
        await ctx.emit("ci:finished", { branch, status: "failed" });
      },
    });
  },
});
