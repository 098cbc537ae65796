import Emittery from "emittery";
import { EventEmitter as EventEmitter3 } from "eventemitter3";
import { createHooks } from "hookable";
import * as mittModule from "mitt";
import { EventEmitter } from "node:events";
import { SyncHook } from "tapable";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { HookRegistry, type EventContext } from "#core/registry";
import { compare, race, type Case, type Measurement } from "../measure.ts";

/** Mixed events: a turn alternates between a few names. */
const NAMES = ["tui:message.delta", "agent:step", "tui:tool.start", "session:start"] as const;
const CONTEXT: EventContext = { session_id: "sess_bench", payload: { text: "a few words" } };
const EMISSIONS = 1_000_000;

/** Its types describe the CommonJS build, whose export is one level deeper. */
const mitt = mittModule.default as unknown as typeof mittModule.default.default;

let seen = 0;
/** Distinct functions, as different subscribers have. */
const handlers = (count: number) => Array.from({ length: count }, () => () => void seen++);

function registryWith(count: number): HookRegistry {
  const registry = new HookRegistry();
  for (const name of NAMES) for (const one of handlers(count)) registry.register(name, one);
  return registry;
}

/** `emit_sync` against emitters that call their listeners synchronously; only ours catches what a listener throws. */
async function emitSync(count: number, isQuick: boolean): Promise<Measurement[]> {
  const registry = registryWith(count);
  const three = new EventEmitter3();
  const node = new EventEmitter();
  const tiny = mitt<Record<string, EventContext>>();
  const hooks = new Map(
    NAMES.map((name) => [name as string, new SyncHook<[string, EventContext]>(["name", "context"])]),
  );
  for (const name of NAMES) {
    for (const one of handlers(count)) {
      three.on(name, one);
      node.on(name, one);
      tiny.on(name, one);
      hooks.get(name)!.tap("bench", one);
    }
  }
  const turns = (emit: (name: string) => void) => (batch: number) => {
    for (let turn = 0; turn < batch; turn++) emit(NAMES[turn & 3]!);
  };
  const times = await race(
    {
      ours: turns((name) => registry.emit_sync(name, CONTEXT)),
      eventemitter3: turns((name) => three.emit(name, name, CONTEXT)),
      "node:events": turns((name) => node.emit(name, name, CONTEXT)),
      mitt: turns((name) => tiny.emit(name, CONTEXT)),
      tapable: turns((name) => hooks.get(name)?.call(name, CONTEXT)),
    },
    { batch: 1000, isQuick },
  );
  const name = `emit / emit_sync, ${count === 0 ? "no handler" : count === 1 ? "1 handler" : `${count} handlers`}`;
  return compare(name, times, ["eventemitter3", "node:events", "mitt", "tapable"]);
}

/** `emit` of a synchronous handler, awaited as its callers do. */
async function emitAwaited(isQuick: boolean): Promise<Measurement[]> {
  const registry = registryWith(1);
  const hooks = createHooks<Record<string, (name: string, context: EventContext) => void>>();
  const emittery = new Emittery<Record<string, EventContext>>();
  for (const name of NAMES) {
    for (const one of handlers(1)) {
      hooks.hook(name, one);
      emittery.on(name, one);
    }
  }
  const [bare] = handlers(1);
  const turns = (emit: (name: string) => unknown) => async (batch: number) => {
    for (let turn = 0; turn < batch; turn++) await emit(NAMES[turn & 3]!);
  };
  const times = await race(
    {
      ours: turns((name) => registry.emit(name, CONTEXT)),
      "bare await": turns(() => bare!()),
      hookable: turns((name) => hooks.callHook(name, name, CONTEXT)),
      emittery: turns((name) => emittery.emit(name, CONTEXT)),
    },
    { batch: 500, isQuick },
  );
  return compare("emit / emit awaited, 1 handler", times, ["bare await", "hookable", "emittery"]);
}

/** Heap growth per emission, without garbage collection. */
function allocation(): Measurement {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const registry = registryWith(5);
  const emit = () => {
    for (let turn = 0; turn < EMISSIONS; turn++) registry.emit_sync(NAMES[turn & 3]!, CONTEXT);
  };
  emit();
  collect();
  const before = process.memoryUsage().heapUsed;
  emit();
  const grown = Math.max(0, process.memoryUsage().heapUsed - before);
  return {
    name: "emit / heap, 5 handlers, per emission",
    unit: "B",
    ours: grown / EMISSIONS,
    peer: null,
    theirs: null,
  };
}

export const emitCase: Case = {
  name: "emit",
  run: async ({ isQuick }) => {
    const measured: Measurement[] = [];
    for (const count of [0, 1, 5]) measured.push(...(await emitSync(count, isQuick)));
    measured.push(...(await emitAwaited(isQuick)), allocation());
    if (seen === 0) throw new Error("no handler ran");
    return measured;
  },
};
