import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { definePlugin } from "hermes-hooks/plugin";

/** Writes every tool call to a file. */
export default definePlugin({
  register(ctx) {
    const file = join(ctx.home, "audit.jsonl");
    ctx.register_hook("post_tool_call", async ({ session_id, tool_name, args }) => {
      await appendFile(file, `${JSON.stringify({ session_id, tool_name, args })}\n`, { mode: 0o600 });
    });
  },
});
