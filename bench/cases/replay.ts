import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HookDispatcher } from "#core/dispatch";
import { HookRegistry } from "#core/registry";
import { EVENTS } from "#core/events";
import { openDatabase } from "#core/home/database";
import type { Hook } from "#core/ports/hook";
import { FiringRecorder } from "#daemon/recordings/recorder";
import { replayFirings } from "#daemon/recordings/replay";
import { EmbeddedRecordings } from "#daemon/storage/embedded-recordings";
import { createScope } from "#plugins/attribution";
import { BlockWatch } from "#plugins/block-watch";
import { CallbackHook } from "#plugins/callback-hook";
import { median, type Case } from "../measure.ts";

const FIRINGS = 1000;
const CALLBACKS = 5;
const ROUNDS = 7;
const ARGUMENTS = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`argument_${index}`, "x".repeat(85)]));
const CALL = { ...EVENTS.pre_tool_call.sample(), args: ARGUMENTS };
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const log = { ...silent, child: () => log };

/** A plugin's guard, created as the plugin host does. */
function guard(): Hook {
  const owner = { name: "bench", folder: "/nowhere", onOutput: () => undefined, onStray: () => undefined };
  return new CallbackHook({
    name: owner.name,
    event: "pre_tool_call",
    callback: (payload) =>
      (payload as { readonly tool_name: string }).tool_name === "never"
        ? { action: "block", message: "no" }
        : undefined,
    onFailure: "skip",
    deadlineSeconds: 30,
    scope: createScope(owner),
    watch: new BlockWatch(() => undefined),
  });
}

/** Reads recorded calls of tools with 1 KB of arguments from a file and fires them at five callbacks. */
export const replayCase: Case = {
  name: "replay",
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    const database = openDatabase(join(folder, "state.db"));
    const store = new EmbeddedRecordings(database);
    const redact = (text: string) => text;
    const recorder = new FiringRecorder({ store, redact, log, surface: "cli" });
    const dispatcher = new HookDispatcher();
    for (let index = 0; index < CALLBACKS; index++) dispatcher.register(guard());
    try {
      for (let firing = 0; firing < FIRINGS; firing++) recorder.watch("pre_tool_call", CALL)?.end({ kind: "pass" });
      await recorder[Symbol.asyncDispose]();
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const { signal } = new AbortController();
        const started = performance.now();
        const options = { dispatcher, registry: new HookRegistry(), redact, signal, onProgress: () => undefined };
        const { firings, same } = await replayFirings(store.read({}), options);
        times.push(performance.now() - started);
        if (firings !== FIRINGS || same !== FIRINGS) throw new Error(`${same} of ${firings} firings were the same`);
      }
      return [{ name: NAME, unit: "ms", ours: median(times), peer: null, theirs: null }];
    } finally {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const NAME = "replay / 1,000 firings at 5 callbacks";
