import { HookDispatcher } from "#core/dispatch";
import { EVENTS, type EventName } from "#core/events";
import { createScope } from "#plugins/attribution";
import { BlockWatch } from "#plugins/block-watch";
import { CallbackHook } from "#plugins/callback-hook";
import type { Topic, Work } from "./topic.ts";

const owner = { name: "bench", folder: "/nowhere", onOutput: () => undefined, onStray: () => undefined };
const watch = new BlockWatch(() => undefined);
const EVENT = "post_tool_call";
const payload = EVENTS[EVENT].sample();
/** Where hooks that are not called are registered. */
const OTHERS: readonly EventName[] = ["pre_tool_call", "pre_llm_call", "post_llm_call", "on_session_start"];

function add(dispatcher: HookDispatcher, event: EventName): void {
  dispatcher.register(
    new CallbackHook({
      name: owner.name,
      event,
      callback: () => undefined,
      onFailure: "skip",
      deadlineSeconds: 30,
      scope: createScope(owner),
      watch,
    }),
  );
}

function firing(dispatcher: HookDispatcher): Work {
  dispatcher.sinks.add(() => undefined);
  return {
    once: async () => {
      await dispatcher.invoke_hook(EVENT, payload);
    },
  };
}

/** Hooks as the plugin host makes them, on the event that fires, and on other events. */
export const hooks: Topic = {
  title: "Hooks",
  input: "hooks",
  sizes: [0, 1, 10, 100, 300, 1000],
  lines: [
    {
      name: "an event they are on",
      prepare: (size) => {
        const dispatcher = new HookDispatcher();
        for (let index = 0; index < size; index++) add(dispatcher, EVENT);
        return firing(dispatcher);
      },
    },
    {
      name: "another event, with one hook",
      prepare: (size) => {
        const dispatcher = new HookDispatcher();
        add(dispatcher, EVENT);
        for (let index = 0; index < size; index++) add(dispatcher, OTHERS[index % OTHERS.length]!);
        return firing(dispatcher);
      },
    },
  ],
};
