import { definePlugin } from "hermes-hooks/plugin";

/** Keeps a list of what child agents did. */
export default definePlugin({
  register(ctx) {
    const done: string[] = [];
    ctx.register_hook("subagent_stop", ({ child_status, child_summary }) => {
      done.push(`${child_status}: ${child_summary ?? "nothing"}`);
    });
    ctx.register_command({ name: "children", description: "what child agents did", handler: () => done.join("\n") });
  },
});
