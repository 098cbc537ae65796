/** How the code of each tier of gateway hooks is checked and run. A row's modules are loaded for its first hook. */
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "#core/home/log";
import type { CodeCheck, HandlerTier, HookCode } from "#core/ports/tier";
import type { TierName } from "#core/tiers";

interface TierRow {
  readonly findCodeProblem: (code: HookCode, beside: readonly string[]) => Promise<string | null>;
  readonly create: (deps: TierDeps) => Promise<HandlerTier>;
}

interface TierDeps {
  readonly env: NodeJS.ProcessEnv;
  readonly database: DatabaseSync;
  readonly log: Log;
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
};

export const findCodeProblem: CodeCheck = (hook, beside = []) => ROWS[hook.isolation].findCodeProblem(hook, beside);

export function createTier(name: TierName, deps: TierDeps): Promise<HandlerTier> {
  return ROWS[name].create(deps);
}
