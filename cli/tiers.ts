/** How the code of each tier of gateway hooks is checked and run. A row's modules are loaded for its first hook. */
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "#core/home/log";
import type { CodeCheck, HandlerTier, HookCode, TierCheck } from "#core/ports/tier";
import type { TierName } from "#core/tiers";
import type { PythonBridge } from "#sandbox/python/bridge";
import type { PythonPlace } from "#sandbox/python/interpreter";

interface TierRow {
  /** Why this machine has not got what the tier needs, as a clause; null when it has. A tier without it needs nothing. */
  readonly findProblem?: (place: PythonPlace) => Promise<string | null>;
  readonly findCodeProblem: (code: HookCode, beside: readonly string[], place: PythonPlace) => Promise<string | null>;
  readonly create: (deps: TierDeps) => Promise<HandlerTier>;
}

interface TierDeps {
  readonly env: NodeJS.ProcessEnv;
  readonly database: DatabaseSync;
  readonly log: Log;
  readonly python: () => Promise<PythonBridge>;
}

const ROWS: Readonly<Record<TierName, TierRow>> = {
  worker: {
    async findCodeProblem(code, beside) {
      const { findScriptProblem } = await import("#sandbox/check/parse");
      return findScriptProblem({ code, beside, imports: "anything" });
    },
    create: async () => (await import("#sandbox/worker/pool")).createWorkerTier(),
  },
  isolate: {
    async findCodeProblem(code, beside) {
      const { findScriptProblem } = await import("#sandbox/check/parse");
      return findScriptProblem({ code, beside, imports: "own-folder" });
    },
    async create({ env, database, log }) {
      const { createIsolateTier } = await import("#sandbox/isolate/tier");
      const { createHookValues } = await import("#sandbox/isolate/values");
      return createIsolateTier({ env, values: createHookValues(() => database), log });
    },
  },
  python: {
    async findProblem(place) {
      const { findPythonProblem } = await import("#sandbox/python/check");
      return findPythonProblem(place);
    },
    async findCodeProblem(code, _beside, place) {
      const { findPythonCodeProblem } = await import("#sandbox/python/check");
      return findPythonCodeProblem(code, place);
    },
    async create({ python }) {
      const { createPythonTier } = await import("#sandbox/python/tier");
      return createPythonTier(await python());
    },
  },
};

/** What the configuration and the environment say about the programs that tiers need. */
export interface TierChecks {
  readonly findTierProblem: TierCheck;
  readonly findCodeProblem: CodeCheck;
}

/** `place` is asked for at each check. */
export function tierChecks(place: () => PythonPlace): TierChecks {
  return {
    findTierProblem: async (name) => (await ROWS[name].findProblem?.(place())) ?? null,
    findCodeProblem: (hook, beside = []) => ROWS[hook.isolation].findCodeProblem(hook, beside, place()),
  };
}

export function createTier(name: TierName, deps: TierDeps): Promise<HandlerTier> {
  return ROWS[name].create(deps);
}
