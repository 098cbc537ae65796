import { definePlugin } from "hermes-hooks/plugin";

/** Stops a session after too many tool calls. */
export default definePlugin({
  register(ctx) {
    const most = Number(ctx.settings["most"] ?? 100);
    const calls = new Map<string, number>();
    ctx.register_hook("pre_tool_call", ({ session_id }) => {
      const count = (calls.get(session_id) ?? 0) + 1;
      calls.set(session_id, count);
      return count > most ? { action: "block", message: `This session has used its ${most} tool calls.` } : undefined;
    });
    ctx.register_hook("on_session_finalize", ({ session_id }) => void calls.delete(session_id ?? ""));
  },
});
