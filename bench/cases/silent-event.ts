import { HookDispatcher } from "#core/dispatch";
import type { Payload } from "#core/events";
import { race, type Case } from "../measure.ts";

const HISTORY = Array.from({ length: 1000 }, (_, index) => ({
  role: index % 2 === 0 ? ("user" as const) : ("assistant" as const),
  content: "x".repeat(1024),
}));

/** Fires `pre_llm_call` with a history of 1 MB and no listeners, as a turn does. */
export const silentEventCase: Case = {
  name: "silent-event",
  run: async () => {
    const dispatcher = new HookDispatcher();
    const payload = (): Payload<"pre_llm_call"> => ({
      session_id: "sess_bench",
      user_message: "hello",
      conversation_history: structuredClone(HISTORY),
      is_first_turn: false,
      model: "m",
      platform: "cli",
    });
    const times = await race(
      {
        ours: (batch) => {
          for (let turn = 0; turn < batch; turn++) void dispatcher.invoke_hook("pre_llm_call", payload);
        },
      },
      { batch: 1000 },
    );
    const ours = times.get("ours") ?? Number.NaN;
    return [{ name: "silent-event / pre_llm_call, 1 MB history", unit: "ns", ours, peer: null, theirs: null }];
  },
};
