import { describeModel, shownUrl } from "#agent/models/select";
import type { Config } from "#core/home/config";
import type { CliContext } from "../../context.ts";

/** The model of a configuration as `--json` prints it. `key_source` is a variable or a key of config.yaml, or null for none. */
export interface ShownModel {
  readonly provider: string;
  readonly model: string;
  readonly base_url: string;
  readonly key_source: string | null;
  readonly file: string | null;
}

/** Prints the model. Throws HERMES_MODEL_CONFIG, or HERMES_CONFIG_VARIABLE if a variable of the section is not set. */
export function showModel(config: Config, json: boolean, context: CliContext): void {
  config.demand("model");
  const shown = describe(config, context.env);
  if (json) return context.json(shown);
  context.out(sentenceOf(shown));
}

export function describe(config: Config, env: NodeJS.ProcessEnv): ShownModel {
  const { provider, id, baseUrl, keySource, hasKey } = describeModel(config.values.model, env);
  const key_source = hasKey ? keySource : null;
  return { provider, model: id, base_url: shownUrl(baseUrl), key_source, file: config.file };
}

export function sentenceOf({ provider, model, base_url, key_source }: ShownModel): string {
  const where = base_url === "" ? "" : `, requests go to ${base_url}`;
  const key = key_source === null ? "" : ` with the key in ${key_source}`;
  return `The model is ${model} (${provider})${where}${key}.`;
}
