import { definePlugin } from "hermes-hooks/plugin";

/** Adds a tool for the model. */
export default definePlugin({
  register(ctx) {
    ctx.register_tool({
      name: "dice",
      description: "Rolls dice.",
      parameters: { type: "object", properties: { sides: { type: "integer", minimum: 2 } }, required: ["sides"] },
      handler: ({ sides }) => ({ rolled: 1 + Math.floor(Math.random() * Number(sides)) }),
    });
  },
});
