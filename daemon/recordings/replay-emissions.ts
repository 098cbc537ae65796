/** Emits recorded gateway events again, one at a time. */
import { PASS, type Decision } from "#core/answers";
import { isCommandEvent, readDecision } from "#core/command-events";
import { untilAborted } from "#core/deadline";
import { followEmission } from "#core/followed-emission";
import type { HookRun } from "#core/ports/hook";
import type { Recording } from "#core/ports/recordings";
import type { EventContext, HookRegistry, Registration } from "#core/registry";

export interface EmittedAgain {
  readonly decision: Decision;
  readonly runs: readonly HookRun[];
}

type Begin = (context: EventContext, handlers: readonly Registration[]) => readonly Registration[];

/** The surface of processes that load gateway hooks. */
const GATEWAY = "gateway";

/** Nothing else must follow the registry's emissions. */
export class EmissionReplay implements Disposable {
  readonly #registry: HookRegistry;
  readonly #undo: () => void;
  #begin: Begin = (_context, handlers) => handlers.filter(isNoGatewayHook);

  constructor(registry: HookRegistry) {
    this.#registry = registry;
    this.#undo = registry.follow({
      wants: () => true,
      begin: (_event, context, handlers) => this.#begin(context, handlers),
    });
  }

  /**
   * Emits the event at the handlers that its process had: gateway hooks get what a gateway recorded, plugins everything.
   * Waits until all of them have run or the signal is aborted.
   */
  async emit({ event, payload, surface }: Recording, signal: AbortSignal): Promise<EmittedAgain> {
    const own = JSON.parse(payload) as EventContext;
    const runs: HookRun[] = [];
    const { promise: ended, resolve } = Promise.withResolvers<Decision>();
    const watch = { run: (run: HookRun) => void runs.push(run), end: resolve };
    this.#begin = (context, handlers) => {
      // What hooks emit meanwhile reaches plugins alone: gateway hooks only get what was recorded.
      if (context !== own) return handlers.filter(isNoGatewayHook);
      const reached = surface === GATEWAY ? handlers : handlers.filter(isNoGatewayHook);
      return followEmission(reached, { event, context, watch });
    };
    let decision: Decision = PASS;
    const all = (async () => {
      // As it was emitted: the handlers of a command are asked for a decision.
      await (isCommandEvent(event)
        ? this.#registry.emit_collect(event, own, readDecision)
        : this.#registry.emit(event, own));
      decision = await ended;
    })();
    await untilAborted(signal, 0, all);
    return { decision, runs };
  }

  [Symbol.dispose](): void {
    this.#undo();
  }
}

function isNoGatewayHook({ source }: Registration): boolean {
  return source === null || source === "plugin";
}
