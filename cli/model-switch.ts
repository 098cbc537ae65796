import { isDeepStrictEqual } from "node:util";
import type { ModelPrices } from "#core/usage-text";
import { describeModel, selectModel, type ModelSettings, type SelectedModel } from "#agent/models/select";

/** The model of the moment: the configuration's until `/model` names another. */
export interface ModelSwitch {
  /** Provider, id and URL, without loading anything. Throws HERMES_MODEL_CONFIG. */
  describe(): ReturnType<typeof describeModel>;
  /** The prices of the configured model, which another one of `/model` does not share. Throws HERMES_MODEL_CONFIG. */
  prices(): ModelPrices | undefined;
  load(): Promise<SelectedModel>;
  /** Takes another model of the same provider from the next turn on. */
  use(id: string): void;
  /** Throws HERMES_MODEL_CONFIG for a changed `model:` section that names no model that could answer. */
  check(settings: ModelSettings): void;
  /** Takes over the `model:` section. What `/model` named stays until the section changes. */
  configure(settings: ModelSettings): void;
}

export function createModelSwitch(settings: ModelSettings, env: NodeJS.ProcessEnv): ModelSwitch {
  let configured = settings;
  let current = settings;
  let loaded: Promise<SelectedModel> | undefined;
  return {
    describe: () => describeModel(current, env),
    prices: () => configured.prices && { ...configured.prices, id: describeModel(configured, env).id },
    load: () => (loaded ??= selectModel(current, env)),
    use(id) {
      current = { ...current, default: id };
      loaded = undefined;
    },
    check(other) {
      if (!isDeepStrictEqual(other, configured)) describeModel(other, env);
    },
    configure(other) {
      if (isDeepStrictEqual(other, configured)) return;
      configured = other;
      current = other;
      loaded = undefined;
    },
  };
}
