import { createHooks } from "hookable";
import { HookDispatcher } from "#core/dispatch";
import { EVENTS } from "#core/events";
import type { Hook } from "#core/ports/hook";
import { createScope } from "#plugins/attribution";
import { BlockWatch } from "#plugins/block-watch";
import { CallbackHook, type Callback } from "#plugins/callback-hook";
import { compare, race, type Case, type Measurement } from "../measure.ts";

const ARGUMENTS = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`argument_${index}`, "x".repeat(85)]));
const PAYLOAD = { ...EVENTS.post_tool_call.sample(), args: ARGUMENTS };

let seen = 0;
/** The least that a plugin's callback does: read its payload. */
function callback(payload: { readonly tool_name: string }): void {
  seen += payload.tool_name.length;
}

/** A plugin's hook, created as the plugin host does. */
function pluginHook(event: Hook["event"]): Hook {
  const owner = { name: "bench", folder: "/nowhere", onOutput: () => undefined, onStray: () => undefined };
  return new CallbackHook({
    name: owner.name,
    event,
    callback: callback as Callback,
    onFailure: "skip",
    deadlineSeconds: 30,
    scope: createScope(owner),
    watch: new BlockWatch(() => undefined),
  });
}

function dispatcherWith(event: Hook["event"], hooks: number): HookDispatcher {
  const dispatcher = new HookDispatcher();
  dispatcher.sinks.add(() => undefined);
  for (let index = 0; index < hooks; index++) dispatcher.register(pluginHook(event));
  return dispatcher;
}

async function observe(callbacks: number, isQuick: boolean): Promise<Measurement[]> {
  const dispatcher = dispatcherWith("post_tool_call", callbacks);
  const hooks = createHooks<Record<string, (payload: typeof PAYLOAD) => void>>();
  const bare: ((payload: typeof PAYLOAD) => void | Promise<void>)[] = Array.from({ length: callbacks }, () => callback);
  for (let index = 0; index < callbacks; index++) hooks.hook("post_tool_call", callback);
  const times = await race(
    {
      ours: async (batch) => {
        for (let turn = 0; turn < batch; turn++) await dispatcher.invoke_hook("post_tool_call", PAYLOAD);
      },
      hookable: async (batch) => {
        for (let turn = 0; turn < batch; turn++) await hooks.callHook("post_tool_call", PAYLOAD);
      },
      "bare loop": async (batch) => {
        for (let turn = 0; turn < batch; turn++) for (const one of bare) await one(PAYLOAD);
      },
    },
    { batch: 500, isQuick },
  );
  const name = `dispatch / observe, ${callbacks} callback${callbacks === 1 ? "" : "s"}`;
  return compare(name, times, ["hookable", "bare loop"]);
}

async function nobody(isQuick: boolean): Promise<Measurement[]> {
  const dispatcher = dispatcherWith("post_tool_call", 0);
  const hooks = createHooks<Record<string, (payload: typeof PAYLOAD) => void>>();
  const times = await race(
    {
      ours: (batch) => {
        for (let turn = 0; turn < batch; turn++) void dispatcher.invoke_hook("post_tool_call", () => PAYLOAD);
      },
      hookable: async (batch) => {
        for (let turn = 0; turn < batch; turn++) await hooks.callHook("post_tool_call", PAYLOAD);
      },
    },
    { batch: 1000, isQuick },
  );
  return compare("dispatch / observe, no callback", times, ["hookable"]);
}

async function gate(isQuick: boolean): Promise<Measurement[]> {
  const dispatcher = dispatcherWith("pre_tool_call", 1);
  const hooks = createHooks<Record<string, (payload: typeof PAYLOAD) => void>>();
  hooks.hook("pre_tool_call", callback);
  const times = await race(
    {
      ours: async (batch) => {
        for (let turn = 0; turn < batch; turn++) await dispatcher.invoke_hook("pre_tool_call", PAYLOAD);
      },
      hookable: async (batch) => {
        for (let turn = 0; turn < batch; turn++) await hooks.callHook("pre_tool_call", PAYLOAD);
      },
    },
    { batch: 500, isQuick },
  );
  return compare("dispatch / gate, 1 callback", times, ["hookable"]);
}

export const dispatchCase: Case = {
  name: "dispatch",
  run: async ({ isQuick }) => {
    const measured = await nobody(isQuick);
    for (const callbacks of [1, 5]) measured.push(...(await observe(callbacks, isQuick)));
    measured.push(...(await gate(isQuick)));
    if (seen === 0) throw new Error("no callback ran");
    return measured;
  },
};
