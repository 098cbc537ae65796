/** The types of `hermes-hooks/plugin`, tested by the type checker: `npm run check` fails when one is wrong. */
/* oxlint-disable typescript/no-unnecessary-type-parameters -- type parameters are what these tests are made of */
import test from "node:test";
import assert from "node:assert/strict";
import { definePlugin } from "#plugins/api";
import type { Answer, EventName, HookCallback, Payload, PluginContext } from "hermes-hooks/plugin";
import { EVENT_NAMES } from "#core/events";

type Same<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2 ? true : false;
function holds<Claim extends true>(claim?: Claim): void {
  void claim;
}

test("a payload has exactly the keys of its event, read-only all the way down", () => {
  holds<Same<keyof Payload<"pre_tool_call">, "tool_name" | "args" | "task_id" | "session_id" | "tool_call_id">>();
  holds<Same<keyof Payload<"on_session_finalize">, "session_id" | "platform">>();
  holds<Same<Payload<"on_session_finalize">["session_id"], string | null>>();
  holds<Same<Payload<"subagent_stop">["child_status"], "completed" | "failed" | "interrupted" | "error">>();
  holds<Same<keyof Payload<"pre_gateway_dispatch">, "session_id" | "event" | "gateway" | "session_store">>();
  const callback: HookCallback<"pre_llm_call"> = (payload) => {
    // @ts-expect-error -- a payload is frozen
    const assign = () => (payload.model = "other");
    // @ts-expect-error -- so are the lists in it
    const push = () => payload.conversation_history.push({ role: "user", content: "x" });
    // @ts-expect-error -- and the objects in the lists
    const change = () => (payload.conversation_history[0]!.content = "x");
    void [assign, push, change];
  };
  assert.equal(typeof callback, "function");
});

test("answers are those of the event's kind", () => {
  const good: { [Name in EventName]?: readonly Answer<Name>[] } = {
    pre_tool_call: [undefined, null, {}, { action: "block", message: "no" }, { action: "modify", args: { a: 1 } }],
    pre_gateway_dispatch: [{ action: "skip" }, { action: "rewrite", text: "x" }, { action: "allow" }],
    pre_llm_call: ["text", { context: "text" }, null],
    transform_tool_result: ["text", undefined],
    post_tool_call: [1, "anything"],
  };
  assert.ok(good);
  const bad = () => {
    // @ts-expect-error -- no such verb
    holds<Same<Answer<"pre_tool_call">, { action: "deny" }>>();
    // @ts-expect-error -- a block says why
    const withoutMessage: HookCallback<"pre_tool_call"> = () => ({ action: "block" });
    // @ts-expect-error -- a gate takes no text
    const text: HookCallback<"pre_tool_call"> = () => "no";
    // @ts-expect-error -- nor when it comes later
    const later: HookCallback<"pre_tool_call"> = async () => ({ action: "skip" });
    // @ts-expect-error -- context is text
    const context: HookCallback<"pre_llm_call"> = () => ({ context: 3 });
    // @ts-expect-error -- a transform answers text
    const transform: HookCallback<"transform_llm_output"> = () => ({ text: "x" });
    return [withoutMessage, text, later, context, transform];
  };
  assert.equal(typeof bad, "function");
});

test("callbacks with a wrong parameter or a wrong event do not type-check", () => {
  const register = (ctx: PluginContext) => {
    ctx.register_hook("pre_tool_call", ({ tool_name, args }) => {
      holds<Same<typeof tool_name, string>>();
      if (args["command"] === "rm") return { action: "block", message: tool_name };
      return undefined;
    });
    ctx.registerHook("post_llm_call", async ({ assistant_response }) => assistant_response.length);
    // @ts-expect-error -- no such key in the payload
    ctx.register_hook("pre_tool_call", ({ tool }) => void tool);
    // @ts-expect-error -- a parameter of another type
    ctx.register_hook("post_tool_call", (payload: { result: number }) => void payload);
    // @ts-expect-error -- two parameters: a callback gets one object
    ctx.register_hook("pre_tool_call", (name: string, args: object) => void [name, args]);
    // @ts-expect-error -- no such event
    ctx.register_hook("pre_tool_cal", () => undefined);
    // @ts-expect-error -- a tool has a handler
    ctx.register_tool({ name: "x", description: "x", parameters: {} });
    // @ts-expect-error -- a command prints text
    ctx.register_command({ name: "x", description: "x", handler: () => 3 });
    // @ts-expect-error -- settings are frozen
    ctx.settings["key"] = 1;
  };
  const wrong = () => [
    // @ts-expect-error -- no such event
    definePlugin({ hooks: { on_sesion_start: () => undefined } }),
    // @ts-expect-error -- a wrong answer
    definePlugin({ hooks: { pre_tool_call: () => ({ action: "stop" }) } }),
    definePlugin({
      hooks: {
        // @ts-expect-error -- a wrong parameter, also of a method
        pre_tool_call(payload: { missing: string }) {
          void payload;
        },
      },
    }),
  ];
  assert.equal(typeof register, "function");
  assert.equal(typeof wrong, "function");
});

test("live fields of pre_gateway_dispatch are typed", () => {
  const plugin = definePlugin({
    hooks: {
      pre_gateway_dispatch({ event, gateway, session_store, session_id }) {
        void gateway.adapters[event.source.platform]?.send(event.source.chat_id, "noted");
        session_store.append_to_transcript(session_id, { role: "user", content: event.text });
        return { action: "skip", reason: "noted" };
      },
    },
  });
  assert.deepEqual(Object.keys(plugin.hooks ?? {}), ["pre_gateway_dispatch"]);
});

test("every event has a callback type", () => {
  const names: { readonly [Name in EventName]: HookCallback<Name> | null } = Object.fromEntries(
    EVENT_NAMES.map((name) => [name, null]),
  ) as { [Name in EventName]: null };
  assert.deepEqual(Object.keys(names), [...EVENT_NAMES]);
});
