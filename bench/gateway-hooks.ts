/** Gateway hooks of a folder with a registry of their own; a handler that fails fails the benchmark. */
import type { Log } from "#core/home/log";
import type { HookRun } from "#core/ports/hook";
import type { HandlerTier } from "#core/ports/tier";
import { HookRegistry } from "#core/registry";
import { createGatewayHooks, type GatewayHooks } from "#gateway/hooks/host";
import { DEFAULT_SETTINGS } from "#gateway/hooks/settings";

export interface BenchHooksOptions {
  readonly folder: string;
  readonly log: Log;
  readonly createTier: () => HandlerTier;
  readonly timeoutSeconds?: number;
  /** Whether a run may end so; by default, a decision is expected of each. */
  readonly isExpected?: (outcome: HookRun["outcome"]) => boolean;
}

/** A log that prints everything under the benchmark's name. */
export function benchLog(name: string): Log {
  const note = (sentence: string) => void process.stderr.write(`${name}: ${sentence}\n`);
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  return log;
}

/** Loads nothing yet. */
export function createBenchHooks(options: BenchHooksOptions): {
  readonly registry: HookRegistry;
  readonly host: GatewayHooks;
} {
  const { folder, log, createTier, timeoutSeconds = DEFAULT_SETTINGS.timeoutSeconds } = options;
  const { isExpected = (outcome) => outcome === "skip" } = options;
  const registry = new HookRegistry();
  const host = createGatewayHooks({
    folder,
    registry,
    record: ({ outcome, detail }) => {
      if (!isExpected(outcome)) throw new Error(`the handler failed: ${detail}`);
    },
    log,
    warn: (sentence) => log.warn(sentence),
    safeMode: false,
    settings: () => ({ ...DEFAULT_SETTINGS, timeoutSeconds }),
    // Nothing is reloaded here.
    findCodeProblem: async () => null,
    createTier: async () => createTier(),
  });
  return { registry, host };
}
